//! `tollgate key`: API keys, managed on the machine that holds the data. Running servers follow within a second.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use tollgate_domain::api_key::{ApiKey, ApiKeySnapshot, ApiKeyStatus};
use tollgate_domain::id::{ApiKeyId, WorkspaceId};
use tollgate_domain::permission::Permission;
use tollgate_domain::text::{API_KEY_DESCRIPTION, NAME};
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_service::{ApiKeyPatch, Caller, NewApiKey};
use tollgate_storage::{ApiKeyPage, Order, Page};

use super::store_args::StoreArgs;
use super::workspaces::known as workspace;
use super::{Usage, text};
use crate::compose::Store;
use crate::output::{Output, facts, remark, table};

/// How many keys are read at a time.
const PAGE: usize = 200;

const PERMISSIONS: &str = "\
Permissions: client_token, notification, notification_setting, notification_simulation and the other resources of \
the API, each with .read or .write; write includes read. An unknown one is refused with the list of all.";

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Make a key and print its secret, which is shown only this once.
    #[command(after_help = format!("{PERMISSIONS}\n\n\
        Example:\n  tollgate key create --data-dir ./data --workspace wsp_… --name Shop \\\n    \
        --permission client_token.read client_token.write --expires-at 2027-01-31"))]
    Create(Create),
    /// List keys, oldest first in each workspace; never their secrets.
    #[command(after_help = "Example:\n  tollgate key list --data-dir ./data")]
    List(List),
    /// Change a key's name, description or permissions; its secret stays the same.
    #[command(after_help = format!("{PERMISSIONS}\n\n\
        Example:\n  tollgate key update apikey_… --data-dir ./data --permission client_token.read"))]
    Update(Update),
    /// End a key for ever. Running servers refuse it within a second.
    #[command(after_help = "Example:\n  tollgate key revoke apikey_… --data-dir ./data")]
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The id of the workspace whose tokens the key opens.
    #[arg(long, value_name = "ID")]
    workspace: String,
    /// What people call it.
    #[arg(long, value_parser = text(NAME))]
    name: String,
    /// What it is for.
    #[arg(long, value_parser = text(API_KEY_DESCRIPTION))]
    description: Option<String>,
    /// What the key may do, and nothing else. May name several, and be repeated.
    #[arg(long = "permission", value_name = "PERMISSION", required = true, num_args = 1.., value_delimiter = ',')]
    permissions: Vec<Permission>,
    /// When the key ends by itself, within a year, such as 2027-01-31 or 2027-01-31T12:00:00Z. Without it, the key
    /// never ends. It can't be changed later.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    expires_at: Option<Timestamp>,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only the keys of this workspace.
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    /// The key, apikey_…
    #[arg(value_parser = ApiKeyId::parse)]
    id: ApiKeyId,
    /// What people shall call it.
    #[arg(long, value_parser = text(NAME))]
    name: Option<String>,
    /// What it is for; an empty text removes the description.
    #[arg(long, value_parser = text_or_nothing)]
    description: Option<String>,
    /// What the key may do from now on, in place of all it could before. May name several, and be repeated.
    #[arg(long = "permission", value_name = "PERMISSION", num_args = 1.., value_delimiter = ',')]
    permissions: Option<Vec<Permission>>,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The key, apikey_…
    #[arg(value_parser = ApiKeyId::parse)]
    id: ApiKeyId,
    #[command(flatten)]
    store: StoreArgs,
}

fn text_or_nothing(given: &str) -> Result<String, tollgate_domain::text::TextError> {
    if given.is_empty() {
        Ok(String::new())
    } else {
        text(API_KEY_DESCRIPTION)(given)
    }
}

/// A key as `--json` shows it.
#[derive(Serialize)]
struct Shown<'a> {
    workspace_id: WorkspaceId,
    /// Only of a key that was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    #[serde(flatten)]
    key: ApiKeySnapshot<'a>,
}

impl<'a> Shown<'a> {
    fn of(key: &'a ApiKey) -> Self {
        Self {
            workspace_id: key.workspace,
            secret: None,
            key: key.snapshot(),
        }
    }
}

impl Key {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let store = match &self {
            Self::Create(Create { store, .. })
            | Self::List(List { store, .. })
            | Self::Update(Update { store, .. })
            | Self::Revoke(Revoke { store, .. }) => store.store()?,
        };
        if let Self::Update(update) = &self {
            update.check()?;
        }
        let store = Store::open_existing(&store).await?;
        let done = match self {
            Self::Create(create) => create.run(&store, output).await,
            Self::List(list) => list.run(&store, output).await,
            Self::Update(update) => update.run(&store, output).await,
            Self::Revoke(revoke) => revoke.run(&store, output).await,
        };
        store.close().await;
        done
    }
}

impl Create {
    async fn run(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let workspace = workspace(store, &self.workspace).await?;
        let new = NewApiKey {
            name: self.name,
            description: self.description,
            permissions: self.permissions.into_iter().collect(),
            expires_at: self.expires_at,
        };
        let caller = Caller::command_line(workspace);
        let (key, secret) = store
            .service()
            .create_api_key(&caller, new)
            .await
            .context("the key wasn't made")?;
        let secret = secret.reveal();
        output.result(
            &Shown {
                secret: Some(secret),
                ..Shown::of(&key)
            },
            |out| writeln!(out, "{secret}"),
        )?;
        remark(format_args!("Made {}. Its secret is shown only this once.", key.id));
        Ok(())
    }
}

impl List {
    async fn run(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let workspaces = match &self.workspace {
            Some(id) => vec![workspace(store, id).await?],
            None => store.service().workspaces().await?,
        };
        let mut keys = Vec::new();
        for workspace in workspaces {
            keys.append(&mut all(store, workspace).await?);
        }
        let shown: Vec<Shown<'_>> = keys.iter().map(Shown::of).collect();
        output.result(&shown, |out| {
            let rows: Vec<_> = keys.iter().map(row).collect();
            let empty = "There is no key yet; `tollgate key create` makes one.";
            table(
                out,
                ["ID", "WORKSPACE", "STATUS", "EXPIRES", "NAME", "PERMISSIONS"],
                &rows,
                empty,
            )
        })?;
        Ok(())
    }
}

fn row(key: &ApiKey) -> [String; 6] {
    [
        key.id.to_string(),
        key.workspace.to_string(),
        key.status.name().to_owned(),
        key.expires_at.map_or("never".to_owned(), |at| at.to_string()),
        key.name.clone(),
        key.permissions.names().join(" "),
    ]
}

impl Update {
    fn check(&self) -> Result<(), Usage> {
        if self.name.is_none() && self.description.is_none() && self.permissions.is_none() {
            return Err(Usage(
                "nothing to change was named: give --name, --description or --permission".to_owned(),
            ));
        }
        Ok(())
    }

    async fn run(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let caller = owner(store, self.id).await?;
        let patch = ApiKeyPatch {
            name: self.name,
            description: self.description.map(|text| Some(text).filter(|text| !text.is_empty())),
            permissions: self.permissions.map(|permissions| permissions.into_iter().collect()),
        };
        let key = store
            .service()
            .update_api_key(&caller, self.id, &patch)
            .await
            .context("the key wasn't changed")?;
        output.result(&Shown::of(&key), |out| {
            let [id, workspace, status, expires_at, name, permissions] = row(&key);
            let description = key.description.as_deref().unwrap_or("-");
            let shown = [
                ("id", id.as_str()),
                ("workspace", &workspace),
                ("name", &name),
                ("description", description),
                ("status", &status),
                ("permissions", &permissions),
                ("expires", &expires_at),
            ];
            facts(out, &shown)
        })?;
        Ok(())
    }
}

impl Revoke {
    async fn run(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let caller = owner(store, self.id).await?;
        let key = store
            .service()
            .revoke_api_key(&caller, self.id)
            .await
            .context("the key wasn't revoked")?;
        output.result(&Shown::of(&key), |out| match key.status {
            ApiKeyStatus::Expired => writeln!(out, "{} had expired before; there was nothing to revoke", key.id),
            _ => writeln!(out, "{} is revoked; running servers refuse it within a second", key.id),
        })?;
        Ok(())
    }
}

/// The operator of the workspace that this key belongs to.
async fn owner(store: &Store, id: ApiKeyId) -> anyhow::Result<Caller> {
    let Some(key) = store.storage().api_key(id).await? else {
        bail!("there is no key {id}: `tollgate key list` shows all")
    };
    let workspace = store.service().workspace(key.workspace).await?;
    workspace
        .map(Caller::command_line)
        .context("the key's workspace is missing from the database")
}

/// All keys of a workspace, page by page.
async fn all(store: &Store, workspace: Workspace) -> anyhow::Result<Vec<ApiKey>> {
    let caller = Caller::command_line(workspace);
    let mut page = Page {
        after: None,
        order: Order::Ascending,
        limit: PAGE,
        count: false,
    };
    let mut keys = Vec::new();
    loop {
        let mut slice = store
            .service()
            .api_keys(&caller, &ApiKeyPage { page, status: None })
            .await?;
        keys.append(&mut slice.items);
        if !slice.has_more {
            return Ok(keys);
        }
        page.after = keys.last().map(|key| key.id);
    }
}
