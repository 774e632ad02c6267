//! The settings of `serve`: their names, forms and defaults. Everything else about configuration follows this list:
//! the flags, the environment, the file, and what an error says.

use std::fmt;
use std::path::PathBuf;

/// One setting. `trusted_proxies` in the file is `--trusted-proxies` as a flag and `TOLLGATE_TRUSTED_PROXIES` in the
/// environment.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    /// As in the file.
    pub name: &'static str,
    /// How many values it takes, and of which kind.
    pub kind: Kind,
    /// What may be given, as an error tells it: "must be …".
    pub form: &'static str,
    /// What holds when nothing is given; `None`: nothing, or the setting is asked for.
    pub default: Option<&'static [&'static str]>,
    /// Whether the value is kept out of errors.
    pub secret: bool,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// Any number of texts.
    List,
    /// Any number of whole numbers.
    Numbers,
    /// `true` or `false`.
    Switch,
}

impl Kind {
    /// Whether it takes several values, separated by commas.
    pub fn is_several(self) -> bool {
        matches!(self, Self::List | Self::Numbers)
    }
}

pub const LISTEN: Setting = Setting {
    name: "listen",
    kind: Kind::Text,
    form: "an IP address and a port, such as 127.0.0.1:8787 or [::1]:8787",
    default: Some(&["127.0.0.1:8787"]),
    secret: false,
};
pub const DATA_DIR: Setting = Setting {
    name: "data_dir",
    kind: Kind::Text,
    form: "a directory, such as /var/lib/tollgate",
    default: None,
    secret: false,
};
pub const DATABASE_URL: Setting = Setting {
    name: "database_url",
    kind: Kind::Text,
    form: "the URL of a PostgreSQL database, such as postgres://user:password@host:5432/database",
    default: None,
    secret: true,
};
pub const PUBLIC_URL: Setting = Setting {
    name: "public_url",
    kind: Kind::Text,
    form: "an http or https URL without a user, a query or a fragment, such as https://tollgate.example",
    default: None,
    secret: false,
};
pub const REQUESTS_PER_MINUTE: Setting = Setting {
    name: "requests_per_minute",
    kind: Kind::Number,
    form: "a whole number; 0 switches the limit off",
    default: Some(&["240"]),
    secret: false,
};
pub const TRUSTED_PROXIES: Setting = Setting {
    name: "trusted_proxies",
    kind: Kind::List,
    form: "networks, such as 10.0.0.0/8 or fd00::/8, or none",
    default: Some(&["127.0.0.0/8", "::1/128"]),
    secret: false,
};
pub const ALLOW_NETWORK: Setting = Setting {
    name: "allow_network",
    kind: Kind::List,
    form: "networks, such as 10.0.0.0/8 or fd00::/8, or none",
    default: Some(&[]),
    secret: false,
};
pub const SANDBOX_RETRIES: Setting = Setting {
    name: "sandbox_retries",
    kind: Kind::Numbers,
    form: RETRIES,
    default: Some(&["60", "240", "540"]),
    secret: false,
};
pub const LIVE_RETRIES: Setting = Setting {
    name: "live_retries",
    kind: Kind::Numbers,
    form: RETRIES,
    // Sixty of them: the schedule of the domain.
    default: None,
    secret: false,
};
const RETRIES: &str = "the seconds before each retry, each from 0 to 2592000, such as 60,240,540, or none";
pub const INDEX_MAX_AGE_SECONDS: Setting = Setting {
    name: "index_max_age_seconds",
    kind: Kind::Number,
    form: "a whole number of seconds, at least 1",
    default: Some(&["30"]),
    secret: false,
};
pub const STALE_INDEX: Setting = Setting {
    name: "stale_index",
    kind: Kind::Text,
    form: "refuse or trust",
    default: Some(&["refuse"]),
    secret: false,
};
pub const DEACTIVATE_AFTER_DAYS: Setting = Setting {
    name: "deactivate_after_days",
    kind: Kind::Number,
    form: "a whole number of days; 0 means never",
    default: Some(&["5"]),
    secret: false,
};
pub const RETENTION_DAYS: Setting = Setting {
    name: "retention_days",
    kind: Kind::Number,
    form: "a whole number of days, at least 1",
    default: Some(&["90"]),
    secret: false,
};
pub const SMTP_URL: Setting = Setting {
    name: "smtp_url",
    kind: Kind::Text,
    form: "the URL of a mail server, such as smtp://user:password@host:587?tls=required or smtps://user:password@host:465",
    default: None,
    secret: true,
};
pub const SMTP_FROM: Setting = Setting {
    name: "smtp_from",
    kind: Kind::Text,
    form: "the address that mail comes from, such as Tollgate <tollgate@shop.example>",
    default: None,
    secret: false,
};
pub const SIGN_IN_PASSWORDS: Setting = Setting {
    name: "sign_in_passwords",
    kind: Kind::Switch,
    form: "true or false",
    default: Some(&["true"]),
    secret: false,
};
pub const SIGN_IN_PASSKEYS: Setting = Setting {
    name: "sign_in_passkeys",
    kind: Kind::Switch,
    form: "true or false",
    default: Some(&["true"]),
    secret: false,
};
pub const OPENID_ISSUER: Setting = Setting {
    name: "openid_issuer",
    kind: Kind::Text,
    form: "the https URL that an OpenID Connect provider calls itself, such as https://id.example",
    default: None,
    secret: false,
};
pub const OPENID_CLIENT_ID: Setting = Setting {
    name: "openid_client_id",
    kind: Kind::Text,
    form: "the id under which Tollgate is registered with the OpenID Connect provider",
    default: None,
    secret: false,
};
pub const OPENID_CLIENT_SECRET: Setting = Setting {
    name: "openid_client_secret",
    kind: Kind::Text,
    form: "the secret that the OpenID Connect provider gave for Tollgate",
    default: None,
    secret: true,
};
pub const OPENID_NAME: Setting = Setting {
    name: "openid_name",
    kind: Kind::Text,
    form: "what people call the OpenID Connect provider, in 1 to 50 characters",
    default: Some(&["single sign-on"]),
    secret: false,
};
pub const DOCUMENTATION_URL: Setting = Setting {
    name: "documentation_url",
    kind: Kind::Text,
    form: "an http or https URL without a user, a query or a fragment, such as https://docs.example",
    default: Some(&["https://developer.paddle.com"]),
    secret: false,
};
pub const LOG: Setting = Setting {
    name: "log",
    kind: Kind::Text,
    form: "off, error, warn, info, debug or trace, for all or by part, such as info,tollgate_service=debug",
    default: Some(&["info"]),
    secret: false,
};

/// All of them, in the order of the default file.
pub const ALL: [&Setting; 23] = [
    &LISTEN,
    &DATA_DIR,
    &DATABASE_URL,
    &PUBLIC_URL,
    &REQUESTS_PER_MINUTE,
    &TRUSTED_PROXIES,
    &ALLOW_NETWORK,
    &SANDBOX_RETRIES,
    &LIVE_RETRIES,
    &INDEX_MAX_AGE_SECONDS,
    &STALE_INDEX,
    &DEACTIVATE_AFTER_DAYS,
    &RETENTION_DAYS,
    &SMTP_URL,
    &SMTP_FROM,
    &SIGN_IN_PASSWORDS,
    &SIGN_IN_PASSKEYS,
    &OPENID_ISSUER,
    &OPENID_CLIENT_ID,
    &OPENID_CLIENT_SECRET,
    &OPENID_NAME,
    &DOCUMENTATION_URL,
    &LOG,
];

impl Setting {
    /// The setting of this name in the file.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|setting| setting.name == name)
    }

    /// `--trusted-proxies`
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// `TOLLGATE_TRUSTED_PROXIES`
    pub fn variable(&self) -> String {
        format!("TOLLGATE_{}", self.name.to_uppercase())
    }

    /// The values in one text, as flags and the environment give them: a list is separated by commas, and `none` is
    /// the empty one.
    pub fn split(&self, text: &str) -> Vec<String> {
        if !self.kind.is_several() {
            return vec![text.to_owned()];
        }
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        if text.trim() == "none" {
            Vec::new()
        } else {
            items.map(str::to_owned).collect()
        }
    }
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `--listen`
    Flag(String),
    /// `TOLLGATE_LISTEN`
    Variable(String),
    /// Line 3 of a file; the name of the setting there.
    File(PathBuf, usize, &'static str),
    /// Nowhere: the default.
    Default(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File(path, line, name) => write!(f, "{name} in {}, line {line}", path.display()),
            Self::Default(name) => write!(f, "the default of {name}"),
        }
    }
}

/// A setting's values, and where they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub setting: &'static Setting,
    pub values: Vec<String>,
    pub place: Place,
}

impl Given {
    /// By a flag, given once or more often.
    pub fn by_flag(setting: &'static Setting, texts: &[String]) -> Option<Self> {
        (!texts.is_empty()).then(|| Self {
            setting,
            values: texts.iter().flat_map(|text| setting.split(text)).collect(),
            place: Place::Flag(setting.flag()),
        })
    }

    /// The one value of a setting that isn't a list.
    pub fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// The error for a value that isn't what the setting takes.
    pub fn refuse(&self, value: &str) -> super::Invalid {
        // Whatever has a user in it may have a password, too.
        let shown = if self.setting.secret || value.contains('@') {
            String::new()
        } else {
            format!(", not {value:?}")
        };
        super::Invalid(format!("{} must be {}{shown}", self.place, self.setting.form))
    }
}
