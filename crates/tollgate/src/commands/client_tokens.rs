//! `tollgate token`: client tokens over the HTTP API, with a key from the environment. All but `update` use the
//! compatible surface, so they work with any server that speaks this API.

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tollgate_domain::id::ClientTokenId;

use super::Usage;
use super::api_client::{ApiArgs, ApiClient, Raw};
use crate::output::{Output, facts, remark, table};

const PATH: &str = "/client-tokens";
/// Where names and descriptions can be changed: ours, unknown to other servers.
const NATIVE_PATH: &str = "/tollgate/client-tokens";
/// The most that the API gives at a time.
const LONGEST_PAGE: &str = "200";

const KEY: &str = "The API key is read from the environment variable TOLLGATE_API_KEY, never from a flag, which other users \
of the machine could see.";

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token and print it.
    #[command(after_help = format!("{KEY}\n\nExample:\n  tollgate token create --name 'Shop front end'"))]
    Create(Create),
    /// List tokens, newest first.
    #[command(after_help = format!("{KEY}\n\nExamples:\n  tollgate token list\n  \
        tollgate token list --all --status active,revoked --json"))]
    List(List),
    /// Show one token.
    #[command(after_help = format!("{KEY}\n\nExample:\n  tollgate token get ctkn_…"))]
    Get(One),
    /// Change a token's name or description. Only Tollgate itself can do this, not every server of this API.
    #[command(after_help = format!("{KEY}\n\nExample:\n  tollgate token update ctkn_… --name 'New front end'"))]
    Update(Update),
    /// End a token for ever.
    #[command(after_help = format!("{KEY}\n\nExample:\n  tollgate token revoke ctkn_…"))]
    Revoke(One),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What people call it.
    #[arg(long)]
    name: String,
    /// What it is for.
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only tokens with this status; both may be named. [default: active]
    #[arg(long, value_delimiter = ',')]
    status: Vec<Status>,
    /// Every token, however many there are, instead of the first page.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    Active,
    Revoked,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The token's id, ctkn_… (not the token itself)
    #[arg(value_parser = ClientTokenId::parse)]
    id: ClientTokenId,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    /// The token's id, ctkn_… (not the token itself)
    #[arg(value_parser = ClientTokenId::parse)]
    id: ClientTokenId,
    /// What people shall call it.
    #[arg(long)]
    name: Option<String>,
    /// What it is for; an empty text removes the description.
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    api: ApiArgs,
}

/// A token as the API shows it.
#[derive(Deserialize)]
struct Shown {
    id: String,
    token: String,
    name: String,
    description: Option<String>,
    status: String,
    created_at: String,
    updated_at: String,
    revoked_at: Option<String>,
}

impl Token {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(output),
            Self::List(list) => list.run(output),
            Self::Get(one) => {
                let raw = one.api.client()?.get::<Raw>(&format!("{PATH}/{}", one.id), &[])?.data;
                let token = read(&raw)?;
                output.result(&raw, |out| facts(out, &of(&token)))?;
                Ok(())
            }
            Self::Update(update) => update.run(output),
            Self::Revoke(one) => {
                let body = json!({ "status": "revoked" });
                let raw = one
                    .api
                    .client()?
                    .patch::<Raw>(&format!("{PATH}/{}", one.id), &body)?
                    .data;
                let token = read(&raw)?;
                let since = token.revoked_at.unwrap_or_default();
                output.result(&raw, |out| writeln!(out, "{} is revoked since {since}", token.id))?;
                Ok(())
            }
        }
    }
}

impl Create {
    fn run(self, output: Output) -> anyhow::Result<()> {
        let mut body = json!({ "name": self.name });
        if let Some(description) = self.description {
            body["description"] = description.into();
        }
        let raw = self.api.client()?.post::<Raw>(PATH, &body)?.data;
        let token = read(&raw)?;
        output.result(&raw, |out| writeln!(out, "{}", token.token))?;
        remark(format_args!("Made {}.", token.id));
        Ok(())
    }
}

impl Update {
    fn run(self, output: Output) -> anyhow::Result<()> {
        let mut body = Map::new();
        if let Some(name) = self.name {
            body.insert("name".to_owned(), name.into());
        }
        if let Some(description) = self.description {
            let description = if description.is_empty() {
                Value::Null
            } else {
                description.into()
            };
            body.insert("description".to_owned(), description);
        }
        if body.is_empty() {
            return Err(Usage("nothing to change was named: give --name or --description".to_owned()).into());
        }
        let path = format!("{NATIVE_PATH}/{}", self.id);
        let raw = self.api.client()?.patch::<Raw>(&path, &Value::Object(body))?.data;
        let token = read(&raw)?;
        output.result(&raw, |out| facts(out, &of(&token)))?;
        Ok(())
    }
}

impl List {
    fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.api.client()?;
        let statuses: Vec<&str> = self.status.iter().map(|status| status.name()).collect();
        let statuses = statuses.join(",");
        let mut query = Vec::new();
        if !statuses.is_empty() {
            query.push(("status", statuses.as_str()));
        }
        let mut answers = Vec::new();
        let has_more = if self.all {
            query.push(("per_page", LONGEST_PAGE));
            follow(&client, &query, &mut answers)?;
            false
        } else {
            page(&client, &query, &mut answers)?
        };
        let tokens: Vec<Shown> = answers.iter().map(read).collect::<Result<_, _>>()?;
        output.result(&answers, |out| {
            let rows: Vec<_> = tokens.iter().map(row).collect();
            let empty = "There is no such token; `tollgate token create` makes one.";
            table(out, ["ID", "TOKEN", "STATUS", "CREATED", "NAME"], &rows, empty)
        })?;
        if has_more {
            remark(format_args!(
                "These are the first {}; --all lists every one.",
                tokens.len()
            ));
        }
        Ok(())
    }
}

/// Reads all pages, one after the other.
fn follow(client: &ApiClient, query: &[(&str, &str)], raws: &mut Vec<Raw>) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let before = raws.len();
        let query: Vec<(&str, &str)> = query
            .iter()
            .copied()
            .chain(after.as_deref().map(|after| ("after", after)))
            .collect();
        let has_more = page(client, &query, raws)?;
        // An empty page ends it whatever it says, or a server's mistake would keep us here for ever.
        if !has_more || raws.len() == before {
            return Ok(());
        }
        after = raws.last().map(read).transpose()?.map(|token| token.id);
    }
}

/// Reads one page; whether more follow.
fn page(client: &ApiClient, query: &[(&str, &str)], raws: &mut Vec<Raw>) -> anyhow::Result<bool> {
    let mut answer = client.get::<Vec<Raw>>(PATH, query)?;
    raws.append(&mut answer.data);
    Ok(answer.meta.pagination.is_some_and(|pagination| pagination.has_more))
}

fn read(raw: &Raw) -> anyhow::Result<Shown> {
    serde_json::from_str(raw.get()).context("the server's answer isn't a client token")
}

fn row(token: &Shown) -> [String; 5] {
    [&token.id, &token.token, &token.status, &token.created_at, &token.name].map(Clone::clone)
}

fn of(token: &Shown) -> [(&'static str, &str); 8] {
    [
        ("id", &token.id),
        ("token", &token.token),
        ("name", &token.name),
        ("description", token.description.as_deref().unwrap_or("-")),
        ("status", &token.status),
        ("created_at", &token.created_at),
        ("updated_at", &token.updated_at),
        ("revoked_at", token.revoked_at.as_deref().unwrap_or("-")),
    ]
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }
}
