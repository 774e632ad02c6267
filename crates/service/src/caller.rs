//! Who asks, and what they may do. A caller can only be had from a verified credential, or from the machine itself.

use std::net::IpAddr;

use tollgate_domain::environment::Environment;
use tollgate_domain::event::Actor;
use tollgate_domain::id::{ApiKeyId, UserId, WorkspaceId};
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::role::{Action, Role};
use tollgate_domain::workspace::Workspace;

/// Somebody with rights in one workspace.
#[derive(Clone, Debug)]
pub struct Caller {
    workspace: Workspace,
    authority: Authority,
    /// Where they ask from, as far as it is known.
    address: Option<IpAddr>,
}

#[derive(Clone, Debug)]
enum Authority {
    /// What this key was granted.
    ApiKey(ApiKeyId, PermissionSet),
    /// What this member's role comes with.
    Person(UserId, Role),
    /// Whoever can open the store may do everything with it.
    CommandLine,
}

/// Who causes an event, and from where, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cause {
    pub(crate) actor: Actor,
    pub(crate) address: Option<IpAddr>,
}

impl Cause {
    /// Time itself.
    pub(crate) const CLOCK: Self = Self {
        actor: Actor::Clock,
        address: None,
    };

    pub(crate) const fn person(user: UserId, address: Option<IpAddr>) -> Self {
        Self {
            actor: Actor::Person(user),
            address,
        }
    }
}

/// The caller lacks this permission; `None`: no permission gives the right, only a role or being the machine's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the caller isn't permitted to do this")]
pub struct Denied(pub Option<Permission>);

impl Caller {
    /// A person at the command line of the machine, who opened the store directly.
    pub const fn command_line(workspace: Workspace) -> Self {
        Self {
            workspace,
            authority: Authority::CommandLine,
            address: None,
        }
    }

    pub(crate) const fn api_key(
        workspace: Workspace,
        id: ApiKeyId,
        granted: PermissionSet,
        address: Option<IpAddr>,
    ) -> Self {
        Self {
            workspace,
            authority: Authority::ApiKey(id, granted),
            address,
        }
    }

    /// A member who signed in.
    pub(crate) const fn person(workspace: Workspace, user: UserId, role: Role, address: Option<IpAddr>) -> Self {
        Self {
            workspace,
            authority: Authority::Person(user, role),
            address,
        }
    }

    /// The workspace whose things this caller sees.
    pub const fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub(crate) const fn workspace_id(&self) -> WorkspaceId {
        self.workspace.id
    }

    pub(crate) const fn environment(&self) -> Environment {
        self.workspace.environment
    }

    /// The API key that the caller presented, if it was one.
    pub const fn api_key_id(&self) -> Option<ApiKeyId> {
        match self.authority {
            Authority::ApiKey(id, _) => Some(id),
            Authority::Person(..) | Authority::CommandLine => None,
        }
    }

    /// The person who signed in, if it was one.
    pub const fn user_id(&self) -> Option<UserId> {
        match self.authority {
            Authority::Person(id, _) => Some(id),
            Authority::ApiKey(..) | Authority::CommandLine => None,
        }
    }

    /// As what a person is a member of the workspace.
    pub const fn role(&self) -> Option<Role> {
        match self.authority {
            Authority::Person(_, role) => Some(role),
            Authority::ApiKey(..) | Authority::CommandLine => None,
        }
    }

    /// Where the caller asks from, as far as it is known.
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    pub(crate) const fn is_operator(&self) -> bool {
        matches!(self.authority, Authority::CommandLine)
    }

    /// What the caller was granted.
    pub fn permissions(&self) -> PermissionSet {
        match self.authority {
            Authority::ApiKey(_, granted) => granted,
            Authority::Person(_, role) => role.permissions(),
            Authority::CommandLine => PermissionSet::all(),
        }
    }

    /// As the audit trail names the caller.
    const fn actor(&self) -> Actor {
        match self.authority {
            Authority::ApiKey(id, _) => Actor::ApiKey(id),
            Authority::Person(id, _) => Actor::Person(id),
            Authority::CommandLine => Actor::CommandLine,
        }
    }

    pub(crate) const fn cause(&self) -> Cause {
        Cause {
            actor: self.actor(),
            address: self.address,
        }
    }

    pub(crate) const fn origin(&self) -> (WorkspaceId, Cause) {
        (self.workspace.id, self.cause())
    }

    /// Refuses a caller who lacks `needed`.
    pub fn require(&self, needed: Permission) -> Result<(), Denied> {
        if self.permissions().allows(needed) {
            Ok(())
        } else {
            Err(Denied(Some(needed)))
        }
    }

    /// Refuses whoever has no role with the right to `action` and isn't the machine's operator: API keys have it never.
    pub fn require_action(&self, action: Action) -> Result<(), Denied> {
        self.require_role(|role| role.may(action))
    }

    /// Refuses whoever may not give this role, nor take it away.
    pub(crate) fn require_to_manage(&self, other: Role) -> Result<(), Denied> {
        self.require_role(|role| role.manages(other))
    }

    fn require_role(&self, suffices: impl Fn(Role) -> bool) -> Result<(), Denied> {
        match self.authority {
            Authority::CommandLine => Ok(()),
            Authority::Person(_, role) if suffices(role) => Ok(()),
            Authority::Person(..) | Authority::ApiKey(..) => Err(Denied(None)),
        }
    }
}
