//! Workspaces: made and listed by the machine's operator, named by their admins.

use serde::Serialize;
use tollgate_domain::environment::Environment;
use tollgate_domain::event::EventType;
use tollgate_domain::id::WorkspaceId;
use tollgate_domain::role::Action;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{Change, PeopleWrite, StorageError, Write};

use crate::{Caller, PeopleError, ROUNDS, Service};

/// What the audit trail holds of a workspace that was renamed.
#[derive(Serialize)]
struct Renamed<'a> {
    name: &'a str,
    previous_name: &'a str,
}

impl Service {
    /// Makes a workspace; its environment never changes. `name` keeps to [`tollgate_domain::text::NAME`].
    pub async fn create_workspace(&self, name: String, environment: Environment) -> Result<Workspace, StorageError> {
        let now = self.clock.now();
        let workspace = Workspace {
            id: self.next_id(now),
            name,
            environment,
            created_at: now,
        };
        self.storage
            .commit(Change::silent(Write::CreateWorkspace(workspace.clone())))
            .await?;
        Ok(workspace)
    }

    /// Gives the caller's workspace another name, which keeps to [`tollgate_domain::text::NAME`].
    pub async fn rename_workspace(&self, caller: &Caller, name: String) -> Result<Workspace, PeopleError> {
        caller.require_action(Action::ManageWorkspace)?;
        for _ in 0..ROUNDS {
            let id = caller.workspace().id;
            let workspace = self.storage.workspace(id).await?.ok_or(PeopleError::NotFound)?;
            if workspace.name == name {
                return Ok(workspace);
            }
            let renamed = Renamed {
                name: &name,
                previous_name: &workspace.name,
            };
            let now = self.clock.now();
            let event = self.event(caller.origin(), EventType::WorkspaceRenamed, now, &id, &renamed);
            let write = PeopleWrite::RenameWorkspace {
                workspace: id,
                from: workspace.name.clone(),
                to: name.clone(),
            };
            if self.commit_people(write, vec![event]).await? {
                self.keyring.forget_all(); // their workspaces are kept with them
                return Ok(Workspace { name, ..workspace });
            }
        }
        Err(PeopleError::Contended)
    }

    /// All workspaces, oldest first.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, StorageError> {
        self.storage.workspaces().await
    }

    /// The workspace of this id.
    pub async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StorageError> {
        self.storage.workspace(id).await
    }
}
