//! `tollgate token`: client tokens over the HTTP API, with a key from the environment. What the contract has works with
//! any server that speaks this API; the rest, restrictions and usage among it, with Tollgate alone.

mod restrict;
mod revoke;
mod rotate;
mod shown;
mod usage;

use clap::{Args, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::time::Timestamp;

use super::Usage;
use super::api_client::{Answer, ApiArgs, ApiClient, ApiError, Raw};
use crate::output::{Output, facts, remark, table};
use restrict::RestrictionArgs;
use shown::{Shown, read};

const PATH: &str = "/client-tokens";
/// What is ours, unknown to other servers.
const NATIVE_PATH: &str = "/tollgate/client-tokens";
/// The most that the API gives at a time.
const LONGEST_PAGE: &str = "200";

const KEY: &str = "The API key is read from the environment variable TOLLGATE_API_KEY, never from a flag, which other users \
of the machine could see.";

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token and print it.
    #[command(after_help = format!("{KEY}\n\nExamples:\n  tollgate token create --name 'Shop front end'\n  \
        tollgate token create --name 'Shop front end' --allow-origin https://shop.example.com --rate-limit 100/60s"))]
    Create(Box<Create>),
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
    /// Change what a token is narrowed to: which sites, addresses, routes, until when, how often. What isn't named stays.
    /// Only Tollgate itself can do this.
    #[command(after_help = format!("{KEY}\n\nExamples:\n  \
        tollgate token restrict ctkn_… --allow-origin 'https://*.example.com' --report-only allowed_origins\n  \
        tollgate token restrict ctkn_… --enforce\n  \
        tollgate token restrict ctkn_… --remove rate_limit"))]
    Restrict(Box<restrict::Restrict>),
    /// Make a token's successor, with the same name and restrictions, and have the old one revoked later.
    #[command(after_help = format!("{KEY}\n\nExample:\n  tollgate token rotate ctkn_… --revoke-in 7d"))]
    Rotate(rotate::Rotate),
    /// End a token for ever, now or at a time.
    #[command(after_help = format!("{KEY}\n\nExamples:\n  tollgate token revoke ctkn_…\n  \
        tollgate token revoke ctkn_… --at 2027-01-31T12:00:00Z\n  tollgate token revoke ctkn_… --withdraw"))]
    Revoke(revoke::Revoke),
    /// Show how often a token was presented in the last seven days, and from where. Only Tollgate itself knows.
    #[command(after_help = format!("{KEY}\n\nExample:\n  tollgate token usage ctkn_… --hours"))]
    Usage(usage::ShowUsage),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What people call it.
    #[arg(long)]
    name: String,
    /// What it is for.
    #[arg(long)]
    description: Option<String>,
    /// When it is revoked by itself, such as 2027-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    revoke_at: Option<Timestamp>,
    #[command(flatten)]
    restrictions: RestrictionArgs,
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

impl Token {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(output),
            Self::List(list) => list.run(output),
            Self::Get(one) => {
                let path = format!("/{}", one.id);
                let raw = get_either::<Raw>(&one.api.client()?, &path, &[])?.data;
                let token = read(&raw)?;
                output.result(&raw, |out| facts(out, &token.facts()))?;
                Ok(())
            }
            Self::Update(update) => update.run(output),
            Self::Restrict(restrict) => restrict.run(output),
            Self::Rotate(rotate) => rotate.run(output),
            Self::Revoke(revoke) => revoke.run(output),
            Self::Usage(usage) => usage.run(output),
        }
    }
}

/// What stands at this path: as Tollgate shows it, with what is ours, or else as any server does.
fn get_either<T: DeserializeOwned>(
    client: &ApiClient,
    path: &str,
    query: &[(&str, &str)],
) -> Result<Answer<T>, ApiError> {
    match client.get(&format!("{NATIVE_PATH}{path}"), query) {
        Err(error) if error.status() == Some(404) => client.get(&format!("{PATH}{path}"), query),
        answer => answer,
    }
}

impl Create {
    fn run(self, output: Output) -> anyhow::Result<()> {
        let mut body = json!({ "name": self.name });
        if let Some(description) = self.description {
            body["description"] = description.into();
        }
        let mut path = PATH;
        if let Some(restrictions) = self.restrictions.patch() {
            body["restrictions"] = restrictions;
            path = NATIVE_PATH;
        }
        if let Some(revoke_at) = self.revoke_at {
            body["revoke_at"] = json!(revoke_at);
            path = NATIVE_PATH;
        }
        let raw = self.api.client()?.post::<Raw>(path, &body)?.data;
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
        output.result(&raw, |out| facts(out, &token.facts()))?;
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
            let rows: Vec<_> = tokens.iter().map(Shown::row).collect();
            let empty = "There is no such token; `tollgate token create` makes one.";
            table(out, shown::COLUMNS, &rows, empty)
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
    let mut answer = get_either::<Vec<Raw>>(client, "", query)?;
    raws.append(&mut answer.data);
    Ok(answer.meta.pagination.is_some_and(|pagination| pagination.has_more))
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }
}
