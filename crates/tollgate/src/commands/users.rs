//! `tollgate user`: the people who may enter workspaces, managed on the machine that holds the data. A running server
//! follows at once.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use tollgate_delivery::Letter;
use tollgate_domain::id::{UserId, WorkspaceId};
use tollgate_domain::role::Role;
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::EmailAddress;
use tollgate_service::{Caller, IssuedLink, Member};

use super::mail_args::MailArgs;
use super::store_args::StoreArgs;
use super::workspaces::known as workspace;
use crate::compose::Store;
use crate::output::{Output, remark, table, visible};

const ROLES: &str = "\
Roles: a viewer looks and changes nothing; a developer works with client tokens, destinations and simulations; an admin \
also manages API keys and people, but no owners; an owner may do everything. A workspace always keeps an owner.";

const LINK: &str = "\
The link is a path on your server: put the address that people reach it by in front. Whoever has the link can use it, \
once: send it by a way that only its receiver reads.";

const MAIL: &str = "\
With --mail the link is mailed, too. That takes --public-url, --smtp-url and --smtp-from, or TOLLGATE_PUBLIC_URL, \
TOLLGATE_SMTP_URL and TOLLGATE_SMTP_FROM.";

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Print a link that makes its receiver a member of a workspace, within a week.
    #[command(after_help = format!("{ROLES}\n\n{LINK}\n\n{MAIL}\n\n\
        Example:\n  tollgate user invite --data-dir ./data --workspace wsp_… --email ada@example.com --role owner"))]
    Invite(Invite),
    /// List the members of each workspace.
    #[command(after_help = "Example:\n  tollgate user list --data-dir ./data")]
    List(List),
    /// Give a member another role.
    #[command(after_help = format!("{ROLES}\n\n\
        Example:\n  tollgate user role --data-dir ./data --workspace wsp_… --email ada@example.com --role admin"))]
    Role(ChangeRole),
    /// Take a member out of a workspace. The account stays, as it may be a member of others.
    #[command(
        after_help = "Example:\n  tollgate user remove --data-dir ./data --workspace wsp_… --email ada@example.com"
    )]
    Remove(Remove),
    /// Print a link that lets somebody choose a new password, within an hour. It ends their sessions when it is used, and
    /// removes their passkeys.
    #[command(after_help = format!("{LINK}\n\n{MAIL}\n\n\
        Example:\n  tollgate user reset --data-dir ./data --email ada@example.com"))]
    Reset(Reset),
    /// Print a link that signs somebody in, within a quarter of an hour. It works whatever else is switched off.
    #[command(after_help = format!("{LINK}\n\n\
        Example:\n  tollgate user sign-in --data-dir ./data --email ada@example.com"))]
    SignIn(Account),
    /// End all sessions of somebody, in all workspaces.
    #[command(after_help = "Example:\n  tollgate user sign-out --data-dir ./data --email ada@example.com")]
    SignOut(Account),
}

#[derive(Debug, Args)]
pub(super) struct Invite {
    /// The id of the workspace.
    #[arg(long, value_name = "ID")]
    workspace: String,
    /// Whom the invitation is for.
    #[arg(long, value_parser = EmailAddress::parse)]
    email: EmailAddress,
    /// As what: owner, admin, developer or viewer.
    #[arg(long)]
    role: Role,
    #[command(flatten)]
    mail: MailArgs,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only the members of this workspace.
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct ChangeRole {
    /// The id of the workspace.
    #[arg(long, value_name = "ID")]
    workspace: String,
    /// Whose role.
    #[arg(long, value_parser = EmailAddress::parse)]
    email: EmailAddress,
    /// From now on: owner, admin, developer or viewer.
    #[arg(long)]
    role: Role,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// The id of the workspace.
    #[arg(long, value_name = "ID")]
    workspace: String,
    /// Whom.
    #[arg(long, value_parser = EmailAddress::parse)]
    email: EmailAddress,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct Account {
    /// Whose.
    #[arg(long, value_parser = EmailAddress::parse)]
    email: EmailAddress,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct Reset {
    #[command(flatten)]
    account: Account,
    #[command(flatten)]
    mail: MailArgs,
}

/// A member as `--json` shows it.
#[derive(Serialize)]
struct Shown<'a> {
    workspace_id: WorkspaceId,
    user_id: UserId,
    email: &'a str,
    name: &'a str,
    role: &'static str,
    created_at: Timestamp,
}

impl<'a> Shown<'a> {
    fn of(workspace_id: WorkspaceId, member: &'a Member) -> Self {
        Self {
            workspace_id,
            user_id: member.user,
            email: member.email.as_str(),
            name: &member.name,
            role: member.role.name(),
            created_at: member.since,
        }
    }
}

/// A link as `--json` shows it.
#[derive(Serialize)]
struct ShownLink<'a> {
    email: &'a str,
    path: &'a str,
    expires_at: Timestamp,
}

impl User {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let store = match &self {
            Self::Invite(Invite { store, .. })
            | Self::List(List { store, .. })
            | Self::Role(ChangeRole { store, .. })
            | Self::Remove(Remove { store, .. })
            | Self::Reset(Reset {
                account: Account { store, .. },
                ..
            })
            | Self::SignIn(Account { store, .. })
            | Self::SignOut(Account { store, .. }) => store.store()?,
        };
        let store = Store::open_existing(&store).await?;
        let done = match self {
            Self::Invite(invite) => invite.run(&store, output).await,
            Self::List(list) => list.run(&store, output).await,
            Self::Role(role) => role.run(&store, output).await,
            Self::Remove(remove) => remove.run(&store, output).await,
            Self::Reset(reset) => reset.run(&store, output).await,
            Self::SignIn(account) => account.sign_in(&store, output).await,
            Self::SignOut(account) => account.sign_out(&store, output).await,
        };
        store.close().await;
        done
    }
}

impl Invite {
    async fn run(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let postman = self.mail.postman()?;
        let caller = Caller::command_line(workspace(store, &self.workspace).await?);
        let link = store
            .service()
            .invite(&caller, self.email.clone(), self.role)
            .await
            .context("nobody was invited")?;
        show_link(&self.email, &link, output)?;
        if let Some(postman) = postman {
            let (to, role, until) = (&caller.workspace().name, self.role.name(), link.link.expires_at);
            let letter = Letter::invitation(to, role, None, &postman.full(&link), until);
            postman.send(&self.email, &letter).await;
        }
        Ok(())
    }
}

impl List {
    async fn run(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let workspaces = match &self.workspace {
            Some(id) => vec![workspace(store, id).await?],
            None => store.service().workspaces().await?,
        };
        let mut members = Vec::new();
        for workspace in workspaces {
            let id = workspace.id;
            let all = store.service().members(&Caller::command_line(workspace)).await?;
            members.extend(all.into_iter().map(|member| (id, member)));
        }
        let shown: Vec<Shown<'_>> = members.iter().map(|(id, member)| Shown::of(*id, member)).collect();
        output.result(&shown, |out| {
            let rows: Vec<[String; 5]> = shown.iter().map(row).collect();
            let empty = "Nobody is a member yet; `tollgate user invite` prints a link for the first one.";
            table(out, ["EMAIL", "WORKSPACE", "ROLE", "NAME", "ID"], &rows, empty)
        })?;
        Ok(())
    }
}

fn row(shown: &Shown<'_>) -> [String; 5] {
    [
        shown.email.to_owned(),
        shown.workspace_id.to_string(),
        shown.role.to_owned(),
        shown.name.to_owned(),
        shown.user_id.to_string(),
    ]
}

impl ChangeRole {
    async fn run(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let (caller, member) = member(store, &self.workspace, &self.email).await?;
        let changed = store
            .service()
            .change_role(&caller, member.user, self.role)
            .await
            .context("the role wasn't changed")?;
        output.result(&Shown::of(caller.workspace().id, &changed), |out| {
            let workspace = visible(&caller.workspace().name);
            writeln!(out, "{} has the role {} in {workspace}", changed.email, changed.role)
        })?;
        Ok(())
    }
}

impl Remove {
    async fn run(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let (caller, member) = member(store, &self.workspace, &self.email).await?;
        let removed = store
            .service()
            .remove_member(&caller, member.user)
            .await
            .context("nobody was removed")?;
        output.result(&Shown::of(caller.workspace().id, &removed), |out| {
            let workspace = visible(&caller.workspace().name);
            writeln!(out, "{} is no member of {workspace} any more", removed.email)
        })?;
        Ok(())
    }
}

impl Reset {
    async fn run(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let postman = self.mail.postman()?;
        let (caller, user) = self.account.account(store).await?;
        let link = store
            .service()
            .issue_reset(&caller, user)
            .await
            .context("no link was made")?;
        let email = &self.account.email;
        show_link(email, &link, output)?;
        if let Some(postman) = postman {
            let letter = Letter::reset(&postman.full(&link), link.link.expires_at);
            postman.send(email, &letter).await;
        }
        Ok(())
    }
}

impl Account {
    async fn sign_in(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let (caller, user) = self.account(store).await?;
        let link = store
            .service()
            .issue_sign_in(&caller, user)
            .await
            .context("no link was made")?;
        show_link(&self.email, &link, output)
    }

    async fn sign_out(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let (caller, user) = self.account(store).await?;
        let member = store
            .service()
            .sign_member_out(&caller, user)
            .await
            .context("nobody was signed out")?;
        output.result(&Shown::of(caller.workspace().id, &member), |out| {
            writeln!(out, "All sessions of {} have ended", member.email)
        })?;
        Ok(())
    }

    /// The account, and the operator of one of the workspaces that it is a member of.
    async fn account(&self, store: &Store) -> anyhow::Result<(Caller, UserId)> {
        let Some(user) = store.storage().user_by_email(&self.email).await? else {
            bail!("there is no account for {}: `tollgate user list` shows all", self.email)
        };
        let Some(membership) = store.storage().memberships(user.id).await?.first().copied() else {
            bail!(
                "{} isn't a member of any workspace: `tollgate user invite` invites them",
                self.email
            )
        };
        let workspace = store.service().workspace(membership.workspace).await?;
        let workspace = workspace.context("a workspace is missing from the database")?;
        Ok((Caller::command_line(workspace), user.id))
    }
}

/// The operator of a workspace, and the member with this address; the error says how to see who there is.
async fn member(store: &Store, id: &str, email: &EmailAddress) -> anyhow::Result<(Caller, Member)> {
    let caller = Caller::command_line(workspace(store, id).await?);
    let members = store.service().members(&caller).await?;
    match members.into_iter().find(|member| member.email == *email) {
        Some(member) => Ok((caller, member)),
        None => bail!("{email} isn't a member of {id}: `tollgate user list` shows who is"),
    }
}

fn show_link(email: &EmailAddress, link: &IssuedLink, output: Output) -> anyhow::Result<()> {
    let path = link.path();
    let shown = ShownLink {
        email: email.as_str(),
        path: &path,
        expires_at: link.link.expires_at,
    };
    output.result(&shown, |out| writeln!(out, "{path}"))?;
    remark(format_args!(
        "A link for {email}, good once until {}. It is shown only this once.",
        link.link.expires_at
    ));
    Ok(())
}
