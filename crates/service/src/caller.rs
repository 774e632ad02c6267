//! Who asks, and what they may do. A caller can only be had from a verified credential, or from the machine itself.

use tollgate_domain::environment::Environment;
use tollgate_domain::event::Actor;
use tollgate_domain::id::{ApiKeyId, WorkspaceId};
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::workspace::Workspace;

/// Somebody with rights in one workspace.
#[derive(Clone, Debug)]
pub struct Caller {
    workspace: Workspace,
    authority: Authority,
}

#[derive(Clone, Debug)]
enum Authority {
    /// What this key was granted.
    ApiKey(ApiKeyId, PermissionSet),
    /// Whoever can open the store may do everything with it.
    CommandLine,
}

/// The caller lacks this permission; `None`: no permission gives the right, only the machine's operator has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the caller isn't permitted to do this")]
pub struct Denied(pub Option<Permission>);

impl Caller {
    /// A person at the command line of the machine, who opened the store directly.
    pub const fn command_line(workspace: Workspace) -> Self {
        Self {
            workspace,
            authority: Authority::CommandLine,
        }
    }

    pub(crate) const fn api_key(workspace: Workspace, id: ApiKeyId, granted: PermissionSet) -> Self {
        Self {
            workspace,
            authority: Authority::ApiKey(id, granted),
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
            Authority::CommandLine => None,
        }
    }

    /// What the caller was granted.
    pub fn permissions(&self) -> PermissionSet {
        match self.authority {
            Authority::ApiKey(_, granted) => granted,
            Authority::CommandLine => PermissionSet::all(),
        }
    }

    /// As the audit trail names the caller.
    pub(crate) const fn actor(&self) -> Actor {
        match self.authority {
            Authority::ApiKey(id, _) => Actor::ApiKey(id),
            Authority::CommandLine => Actor::CommandLine,
        }
    }

    pub(crate) const fn origin(&self) -> (WorkspaceId, Actor) {
        (self.workspace.id, self.actor())
    }

    /// Refuses a caller who lacks `needed`.
    pub fn require(&self, needed: Permission) -> Result<(), Denied> {
        match &self.authority {
            Authority::ApiKey(_, granted) if !granted.allows(needed) => Err(Denied(Some(needed))),
            Authority::ApiKey(..) | Authority::CommandLine => Ok(()),
        }
    }

    /// Refuses everybody but the machine's operator: API keys can't manage API keys.
    pub(crate) const fn require_operator(&self) -> Result<(), Denied> {
        match self.authority {
            Authority::ApiKey(..) => Err(Denied(None)),
            Authority::CommandLine => Ok(()),
        }
    }
}
