//! Sandbox or live, and the four words the wire has for it.

use std::fmt;

/// Whether a workspace is for trying out or for customers. A credential of one never works in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// For trying out: `test_…` tokens, `pdl_sdbx_…` keys.
    Sandbox,
    /// For customers: `live_…` tokens, `pdl_live_…` keys.
    Live,
}

impl Environment {
    /// Both, in the order they are listed to people.
    pub const ALL: [Self; 2] = [Self::Sandbox, Self::Live];

    /// As people, settings and the store name it: `sandbox` or `live`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }

    /// The first word of a client token: `test` or `live`.
    pub const fn token_word(self) -> &'static str {
        match self {
            Self::Sandbox => "test",
            Self::Live => "live",
        }
    }

    /// The second word of an API key: `sdbx` or `live`.
    pub const fn key_word(self) -> &'static str {
        match self {
            Self::Sandbox => "sdbx",
            Self::Live => "live",
        }
    }

    /// The word of the API's root: `sandbox` or `production`.
    pub const fn root_word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "production",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|environment| environment.name() == name)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
