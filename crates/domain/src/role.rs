//! What a member of a workspace may do: four roles, each with all that the next one has, and more.

use std::fmt;
use std::str::FromStr;

use crate::permission::{Permission, PermissionSet};

/// As what somebody is a member of a workspace. Ordered: a later one may do more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks, and changes nothing.
    Viewer,
    /// Works with client tokens, destinations and simulations.
    Developer,
    /// All but what concerns owners.
    Admin,
    /// Everything. A workspace that has members always has an owner.
    Owner,
}

/// What no permission of an API key gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See who the members are.
    ReadMembers,
    /// Invite and remove members, change their roles, and have their passwords reset.
    ManageMembers,
    /// Make, change and revoke API keys.
    ManageApiKeys,
    /// Name the workspace.
    ManageWorkspace,
    /// See who did what in the workspace, and from where.
    ReadAuditTrail,
}

/// No role has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role {0:?}; the known ones are: owner, admin, developer, viewer")]
pub struct UnknownRole(pub String);

/// All that there is something to read of.
const READ: [Permission; 5] = [
    Permission::CLIENT_TOKEN_READ,
    Permission::API_KEY_READ,
    Permission::NOTIFICATION_READ,
    Permission::NOTIFICATION_SETTING_READ,
    Permission::NOTIFICATION_SIMULATION_READ,
];

/// All that there is something to write of; keys are an [`Action`].
const WRITE: [Permission; 4] = [
    Permission::CLIENT_TOKEN_WRITE,
    Permission::NOTIFICATION_WRITE,
    Permission::NOTIFICATION_SETTING_WRITE,
    Permission::NOTIFICATION_SIMULATION_WRITE,
];

impl Role {
    /// All four, the mightiest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer];

    /// As people write it and the store keeps it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The permissions that it comes with: none for what Tollgate doesn't have.
    pub fn permissions(self) -> PermissionSet {
        let write: &[Permission] = if self == Self::Viewer { &[] } else { &WRITE };
        READ.iter().chain(write).copied().collect()
    }

    /// Whether it comes with the right to this.
    pub const fn may(self, action: Action) -> bool {
        match action {
            Action::ReadMembers => true,
            Action::ReadAuditTrail => !matches!(self, Self::Viewer),
            Action::ManageMembers | Action::ManageApiKeys | Action::ManageWorkspace => {
                matches!(self, Self::Admin | Self::Owner)
            }
        }
    }

    /// Whether it may make somebody a member with `other` as the role, take that role away, and reset the password of
    /// those who have it. Nobody manages those above: an admin could else become an owner.
    pub fn manages(self, other: Self) -> bool {
        self.may(Action::ManageMembers) && other <= self
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        Self::from_name(name).ok_or_else(|| UnknownRole(name.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_exactly_this() {
        let read = [
            "client_token.read",
            "api_key.read",
            "notification.read",
            "notification_setting.read",
            "notification_simulation.read",
        ];
        let write = [
            "client_token.write",
            "notification.write",
            "notification_setting.write",
            "notification_simulation.write",
        ];
        for (role, writes, [members, trail, manage, keys], manages) in [
            (Role::Viewer, false, [true, false, false, false], &[][..]),
            (Role::Developer, true, [true, true, false, false], &[]),
            (
                Role::Admin,
                true,
                [true, true, true, true],
                &[Role::Admin, Role::Developer, Role::Viewer],
            ),
            (Role::Owner, true, [true, true, true, true], &Role::ALL),
        ] {
            for permission in Permission::all() {
                let expected = read.contains(&permission.name()) || (writes && write.contains(&permission.name()));
                assert_eq!(role.permissions().allows(permission), expected, "{role}: {permission}");
            }
            assert_eq!(role.may(Action::ReadMembers), members, "{role}");
            assert_eq!(role.may(Action::ReadAuditTrail), trail, "{role}");
            assert_eq!(role.may(Action::ManageMembers), manage, "{role}");
            assert_eq!(role.may(Action::ManageApiKeys), keys, "{role}");
            assert_eq!(role.may(Action::ManageWorkspace), keys, "{role}");
            let managed: Vec<Role> = Role::ALL.into_iter().filter(|other| role.manages(*other)).collect();
            assert_eq!(managed, manages, "{role}");
        }
    }

    #[test]
    fn a_mightier_role_may_do_all_that_a_lesser_one_may() {
        for role in Role::ALL {
            for lesser in Role::ALL.into_iter().filter(|lesser| *lesser < role) {
                assert!(lesser.permissions().iter().all(|held| role.permissions().allows(held)));
                assert!(
                    Role::ALL
                        .into_iter()
                        .all(|other| !lesser.manages(other) || role.manages(other))
                );
            }
        }
    }

    #[test]
    fn names_read_back_and_an_unknown_one_lists_them() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        let error = "root".parse::<Role>().unwrap_err().to_string();
        assert!(Role::ALL.iter().all(|role| error.contains(role.name())), "{error}");
    }
}
