//! Workspaces: made and listed by the machine's operator.

use tollgate_domain::environment::Environment;
use tollgate_domain::id::WorkspaceId;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{Change, StorageError, Write};

use crate::Service;

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

    /// All workspaces, oldest first.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, StorageError> {
        self.storage.workspaces().await
    }

    /// The workspace of this id.
    pub async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StorageError> {
        self.storage.workspace(id).await
    }
}
