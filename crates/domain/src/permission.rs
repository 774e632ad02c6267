//! What an API key may do: `<resource>.read` and `<resource>.write`.
//!
//! A key holds exactly the permissions it was granted, as a list of names; there is no "everything", so that a later
//! version with more permissions widens no key.

use std::fmt;
use std::str::FromStr;

/// Every permission of the contract, in the order they are listed to people.
const NAMES: [&str; 36] = [
    "client_token.read",
    "client_token.write",
    "api_key.read",
    "notification.read",
    "notification.write",
    "notification_setting.read",
    "notification_setting.write",
    "notification_simulation.read",
    "notification_simulation.write",
    "address.read",
    "address.write",
    "adjustment.read",
    "adjustment.write",
    "business.read",
    "business.write",
    "checkout_domain.read",
    "checkout_domain.write",
    "customer.read",
    "customer.write",
    "customer_auth_token.write",
    "customer_portal_session.write",
    "discount.read",
    "discount.write",
    "metrics.read",
    "payment_method.read",
    "payment_method.write",
    "price.read",
    "price.write",
    "product.read",
    "product.write",
    "report.read",
    "report.write",
    "subscription.read",
    "subscription.write",
    "transaction.read",
    "transaction.write",
];

/// Spellings found in the wild that are accepted when granting; the singular is stored and shown.
const ALIASES: [(&str, Permission); 2] = [
    ("client_tokens.read", Permission::CLIENT_TOKEN_READ),
    ("client_tokens.write", Permission::CLIENT_TOKEN_WRITE),
];

/// One permission of the contract's list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(u8);

/// No permission has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown permission {0:?}; the known ones are: {known}", known = NAMES.join(", "))]
pub struct UnknownPermission(pub String);

impl Permission {
    /// `client_token.read`
    pub const CLIENT_TOKEN_READ: Self = Self::named("client_token.read");
    /// `client_token.write`
    pub const CLIENT_TOKEN_WRITE: Self = Self::named("client_token.write");
    /// `api_key.read`
    pub const API_KEY_READ: Self = Self::named("api_key.read");
    /// `notification.read`
    pub const NOTIFICATION_READ: Self = Self::named("notification.read");
    /// `notification.write`
    pub const NOTIFICATION_WRITE: Self = Self::named("notification.write");
    /// `notification_setting.read`
    pub const NOTIFICATION_SETTING_READ: Self = Self::named("notification_setting.read");
    /// `notification_setting.write`
    pub const NOTIFICATION_SETTING_WRITE: Self = Self::named("notification_setting.write");
    /// `notification_simulation.read`
    pub const NOTIFICATION_SIMULATION_READ: Self = Self::named("notification_simulation.read");
    /// `notification_simulation.write`
    pub const NOTIFICATION_SIMULATION_WRITE: Self = Self::named("notification_simulation.write");

    /// The permission of this name; doesn't compile into a constant when there is none.
    const fn named(name: &str) -> Self {
        let mut index: u8 = 0;
        while (index as usize) < NAMES.len() {
            if same(NAMES[index as usize], name) {
                return Self(index);
            }
            index += 1;
        }
        panic!("no permission has this name")
    }

    /// Every permission there is.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..).take(NAMES.len()).map(Self)
    }

    /// `<resource>.read` or `<resource>.write`.
    pub const fn name(self) -> &'static str {
        NAMES[self.0 as usize]
    }

    const fn bit(self) -> u64 {
        1 << self.0
    }

    /// The permission to write the same resource, when this is one to read it.
    fn write_of_same(self) -> Option<Self> {
        let resource = self.name().strip_suffix(".read")?;
        Self::all().find(|other| other.name().strip_suffix(".write") == Some(resource))
    }
}

/// String equality in constants.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(name: &str) -> Result<Self, UnknownPermission> {
        Self::all()
            .find(|permission| permission.name() == name)
            .or_else(|| {
                ALIASES
                    .iter()
                    .find(|(alias, _)| *alias == name)
                    .map(|(_, permission)| *permission)
            })
            .ok_or_else(|| UnknownPermission(name.to_owned()))
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The permissions that a key was granted.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct PermissionSet(u64);

impl PermissionSet {
    /// No permission at all.
    pub const NONE: Self = Self(0);

    /// Every permission that this version knows; grants to be stored are the names, see the module's head.
    pub fn all() -> Self {
        Permission::all().collect()
    }

    /// Whether `needed` was granted, or the permission to write the same resource: write implies read.
    pub fn allows(self, needed: Permission) -> bool {
        self.granted(needed) || needed.write_of_same().is_some_and(|write| self.granted(write))
    }

    /// Whether exactly this one was granted.
    pub const fn granted(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// What was granted, in the order of the contract's list as we show it.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(move |permission| self.granted(*permission))
    }

    /// The names of what was granted.
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Permission::name).collect()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(
            permissions
                .into_iter()
                .fold(0, |bits, permission| bits | permission.bit()),
        )
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for permission in Permission::all() {
            assert_eq!(permission.name().parse(), Ok(permission));
        }
        assert_eq!(Permission::all().count(), NAMES.len());
    }

    #[test]
    fn both_spellings_of_client_token_are_accepted() {
        assert_eq!("client_tokens.write".parse(), Ok(Permission::CLIENT_TOKEN_WRITE));
        assert_eq!(
            "client_tokens.read".parse::<Permission>().unwrap().name(),
            "client_token.read"
        );
        assert!("api_keys.read".parse::<Permission>().is_err());
        assert!("client_token".parse::<Permission>().is_err());
    }

    #[test]
    fn an_unknown_permission_lists_the_known_ones() {
        let message = "client_token.delete".parse::<Permission>().unwrap_err().to_string();
        assert!(message.contains("client_token.delete") && message.contains("notification_setting.write"));
    }

    #[test]
    fn write_implies_read_of_the_same_resource_only() {
        for granted in Permission::all() {
            let set: PermissionSet = [granted].into_iter().collect();
            for needed in Permission::all() {
                let ((resource, action), (needed_resource, needed_action)) = (
                    granted.name().split_once('.').unwrap(),
                    needed.name().split_once('.').unwrap(),
                );
                let implied = resource == needed_resource && (action, needed_action) == ("write", "read");
                let expected = granted == needed || implied;
                assert_eq!(set.allows(needed), expected, "{granted} for {needed}");
            }
        }
    }

    #[test]
    fn nothing_granted_allows_nothing() {
        assert!(Permission::all().all(|needed| !PermissionSet::NONE.allows(needed)));
    }
}
