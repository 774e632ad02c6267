//! What a person types: one file for each noun, by its name on the other floors.
#![expect(
    clippy::doc_markdown,
    reason = "the comments on commands and flags are what `--help` prints, as they stand"
)]

mod api_client;
mod api_keys;
mod client_tokens;
mod dev;
mod dev_key;
mod explain_signature;
mod listen;
mod mail_args;
mod migrate;
mod openapi;
mod serve;
mod span;
mod store_args;
mod trigger;
mod users;
mod workspaces;

use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Invalid};
use crate::logging;
use crate::output::{Output, remark};

/// Client-side tokens, API keys and events, on a server of your own. Programs that speak version 1 of the Paddle
/// Billing API can use it as it is.
#[derive(Debug, Parser)]
#[command(
    name = "tollgate",
    version,
    arg_required_else_help = true,
    after_help = "To try it out, run `tollgate dev`: it starts a server and prints a key, a token and lines to paste."
)]
struct Cli {
    /// Print the result as one JSON value.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server to develop against, ready to use.
    Dev(dev::Dev),
    /// Start a server for production.
    Serve(Box<serve::Serve>),
    /// Make and list workspaces; tokens and keys belong to one.
    #[command(subcommand)]
    Workspace(workspaces::Workspace),
    /// Make, list, change and revoke API keys.
    #[command(subcommand)]
    Key(api_keys::Key),
    /// Invite, list and remove people, change their roles, and let them in again.
    #[command(subcommand)]
    User(users::User),
    /// Make, list, show, change, restrict, rotate and revoke client tokens, over the HTTP API of a running server.
    #[command(subcommand)]
    Token(client_tokens::Token),
    /// Send a workspace's events to a server on your machine, as webhooks, while you develop.
    Listen(listen::Listen),
    /// Have an event sent that didn't happen, to see how its destinations take it.
    Trigger(trigger::Trigger),
    /// Say which check a webhook's signature fails, and why.
    ExplainSignature(explain_signature::ExplainSignature),
    /// Bring a database to this version of Tollgate; servers do so themselves when they start.
    Migrate(migrate::Migrate),
    /// Print the description of the HTTP API, an OpenAPI 3.1 document.
    Openapi(openapi::Openapi),
}

/// The words of the command make no sense together: exit code 2, as for those that clap refuses.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The command has printed its result, and that is a failure: exit code 1, without another word.
#[derive(Debug)]
struct Told;

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it has been told")
    }
}

impl std::error::Error for Told {}

/// Runs the program: 0, 1 for a failure, 2 for words or settings that can't be used.
pub fn main() -> ExitCode {
    let Cli { json, command } = Cli::parse();
    match run(command, Output { json }) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<Told>() => ExitCode::FAILURE,
        Err(error) => {
            remark(format_args!("error: {}", told(&error)));
            ExitCode::from(if error.is::<Usage>() || error.is::<Invalid>() {
                2
            } else {
                1
            })
        }
    }
}

fn run(command: Command, output: Output) -> anyhow::Result<()> {
    match command {
        // These two decide for themselves what is logged.
        Command::Dev(dev) => return runtime()?.block_on(dev.run(output)),
        Command::Serve(serve) => return serve.run(output),
        _ => logging::short(&config::log_filter(logging::QUIET)?),
    }
    match command {
        Command::Dev(_) | Command::Serve(_) => Ok(()),
        Command::Workspace(workspace) => runtime()?.block_on(workspace.run(output)),
        Command::Key(key) => runtime()?.block_on(key.run(output)),
        Command::User(user) => runtime()?.block_on(user.run(output)),
        Command::Token(token) => token.run(output),
        Command::Listen(listen) => listen.run(output),
        Command::Trigger(trigger) => trigger.run(output),
        Command::ExplainSignature(explain) => explain.run(output),
        Command::Migrate(migrate) => runtime()?.block_on(migrate.run(output)),
        Command::Openapi(openapi) => openapi.run(),
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// The error with its causes, but for those that it has told already.
fn told(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |told, cause| {
        let cause = cause.to_string();
        if told.contains(&cause) {
            told
        } else {
            format!("{told}: {cause}")
        }
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

/// What is in a file; `-` is standard input.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut content = Vec::new();
        io::stdin().lock().read_to_end(&mut content)?;
        return Ok(content);
    }
    std::fs::read(file)
}

/// Checks a text against its rule while the command line is read.
fn text(
    rule: tollgate_domain::text::TextRule,
) -> impl Fn(&str) -> Result<String, tollgate_domain::text::TextError> + Clone {
    move |text| rule.check(text).map(|()| text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cause_is_told_once() {
        let refused = || io::Error::other("connection refused");
        let error = anyhow::Error::new(refused())
            .context("no answer: connection refused")
            .context("can't open");
        assert_eq!(told(&error), "can't open: no answer: connection refused");
        assert_eq!(told(&refused().into()), "connection refused");
    }
}
