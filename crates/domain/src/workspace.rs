//! The tenant: everything else belongs to exactly one workspace.

use crate::environment::Environment;
use crate::id::WorkspaceId;
use crate::time::Timestamp;

/// A tenant with exactly one environment, which never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// `wsp_…`
    pub id: WorkspaceId,
    /// Within [`crate::text::NAME`]; need not be unique.
    pub name: String,
    /// Decides the prefix of its tokens and keys.
    pub environment: Environment,
    /// When it was made.
    pub created_at: Timestamp,
}
