//! `tollgate workspace`: tenants, made and listed on the machine that holds the data.

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::WorkspaceId;
use tollgate_domain::text::NAME;
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace;

use super::store_args::StoreArgs;
use super::text;
use crate::compose::Store;
use crate::output::{Output, table};

#[derive(Debug, Subcommand)]
pub(super) enum Workspace {
    /// Make a workspace and print its id.
    #[command(after_help = "Example:\n  tollgate workspace create --data-dir ./data --name Shop --environment live")]
    Create(Create),
    /// List all workspaces, oldest first.
    #[command(after_help = "Example:\n  tollgate workspace list --data-dir ./data")]
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What people call it.
    #[arg(long, value_parser = text(NAME))]
    name: String,
    /// Whether it is for trying out (tokens begin with test_) or for customers (live_). It can't be changed later.
    #[arg(long)]
    environment: EnvironmentArg,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EnvironmentArg {
    Sandbox,
    Live,
}

/// A workspace as `--json` shows it.
#[derive(Serialize)]
struct Shown<'a> {
    id: WorkspaceId,
    name: &'a str,
    environment: &'static str,
    created_at: Timestamp,
}

impl<'a> From<&'a workspace::Workspace> for Shown<'a> {
    fn from(workspace: &'a workspace::Workspace) -> Self {
        Self {
            id: workspace.id,
            name: &workspace.name,
            environment: workspace.environment.name(),
            created_at: workspace.created_at,
        }
    }
}

impl Workspace {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(output).await,
            Self::List(list) => list.run(output).await,
        }
    }
}

impl Create {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let environment = match self.environment {
            EnvironmentArg::Sandbox => Environment::Sandbox,
            EnvironmentArg::Live => Environment::Live,
        };
        let store = Store::open(&self.store.store()?).await?;
        let made = store.service().create_workspace(self.name, environment).await;
        store.close().await;
        let made = made?;
        output.result(&Shown::from(&made), |out| writeln!(out, "{}", made.id))?;
        Ok(())
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let store = Store::open_existing(&self.store.store()?).await?;
        let workspaces = store.service().workspaces().await;
        store.close().await;
        let workspaces = workspaces?;
        let shown: Vec<Shown<'_>> = workspaces.iter().map(Shown::from).collect();
        output.result(&shown, |out| {
            let rows: Vec<_> = workspaces
                .iter()
                .map(|workspace| {
                    [
                        workspace.id.to_string(),
                        workspace.environment.to_string(),
                        workspace.created_at.to_string(),
                        workspace.name.clone(),
                    ]
                })
                .collect();
            let empty = "There is no workspace yet; `tollgate workspace create` makes one.";
            table(out, ["ID", "ENVIRONMENT", "CREATED", "NAME"], &rows, empty)
        })?;
        Ok(())
    }
}

/// The workspace of this id; the error lists the known ones.
pub(super) async fn known(store: &Store, id: &str) -> anyhow::Result<workspace::Workspace> {
    if let Ok(id) = WorkspaceId::parse(id)
        && let Some(workspace) = store.service().workspace(id).await?
    {
        return Ok(workspace);
    }
    let known = store.service().workspaces().await?;
    if known.is_empty() {
        bail!("there is no workspace {id:?}, nor any other: make one with `tollgate workspace create`");
    }
    let lines: Vec<String> = known
        .iter()
        .map(|workspace| format!("\n  {}  {}  {}", workspace.id, workspace.environment, workspace.name))
        .collect();
    bail!("there is no workspace {id:?}; the known ones are:{}", lines.concat())
}
