//! `tollgate dev`: a server to develop against. It has a workspace, a key with all permissions and a client token from
//! the start, and prints what to paste. Starting again keeps all of it.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::json;
use tollgate_delivery::Guard;
use tollgate_domain::api_key::ApiKeySecret;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::environment::Environment;
use tollgate_domain::permission::PermissionSet;
use tollgate_domain::role::Role;
use tollgate_domain::user::EmailAddress;
use tollgate_domain::workspace::Workspace;
use tollgate_service::{AuthenticationError, Caller, NewApiKey, NewClientToken, NewPerson, Service};
use tollgate_storage::{ClientTokenPage, Order, Page};

use super::dev_key;
use super::serve::listen;
use crate::compose::{self, Background, Loaded, Store};
use crate::config::{self, StoreAt};
use crate::output::{Output, remark};
use crate::{logging, signals};

/// The workspace that `dev` makes, and finds again by this name when its key is lost.
const WORKSPACE: &str = "Development";
/// The account of whoever develops; nothing is mailed there.
const EMAIL: &str = "developer@localhost";

#[derive(Debug, Args)]
#[command(after_help = "\
The first start makes a sandbox workspace, an API key with all permissions and a client token; later starts keep \
them. The key is kept in DIR/dev-key, readable only by you. Delete DIR to begin anew. There is no rate limit.

Webhooks may be sent to this machine as well as to public addresses; --allow-network opens more.

The settings of `tollgate serve` don't apply here, except TOLLGATE_LOG, TOLLGATE_SMTP_URL and TOLLGATE_SMTP_FROM.

Example:
  tollgate dev --listen 127.0.0.1:9000")]
pub(super) struct Dev {
    /// The address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: String,
    /// The directory to keep the data in; it is made when it is missing.
    #[arg(long, value_name = "DIR", default_value = ".tollgate")]
    data_dir: PathBuf,
    /// A private network that webhooks may be sent into, beside this machine. May be repeated.
    #[arg(long, value_name = "CIDR")]
    allow_network: Vec<String>,
    /// The mail server for email destinations, such as smtp://localhost:1025. [env: TOLLGATE_SMTP_URL] [default: no mail]
    #[arg(long, value_name = "URL")]
    smtp_url: Option<String>,
    /// The address that mail comes from; needed with --smtp-url. [env: TOLLGATE_SMTP_FROM]
    #[arg(long, value_name = "ADDRESS")]
    smtp_from: Option<String>,
}

/// What a developer needs.
struct Ready {
    workspace: Workspace,
    key: ApiKeySecret,
    token: ClientToken,
    /// Of the one-time link that signs the developer in.
    sign_in_path: String,
}

impl Ready {
    /// By the name of this machine, since browsers have no passkeys at an IP address.
    fn dashboard(&self, url: &str) -> String {
        format!("{}{}", url.replace("//127.0.0.1:", "//localhost:"), self.sign_in_path)
    }
}

impl Dev {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let address = config::listen_flag(&self.listen)?;
        let networks = config::allow_network_flags(&self.allow_network)?;
        let mailer = config::mailer_from_flags(self.smtp_url.as_ref(), self.smtp_from.as_ref())?;
        logging::short(&config::log_filter(logging::DEV)?);
        let stop = signals::stop_requested()?;
        // Before anything is made: a second start beside the first shall change nothing.
        let listener = listen(address, "tollgate dev --listen").await?;
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            remark(format_args!(
                "warning: {address} can be reached from the network, and `dev` isn't made for that: it has no rate limit, \
                 and its key may do everything. For others to use, there is `tollgate serve`."
            ));
        }
        let store = Store::open(&StoreAt::DataDir(self.data_dir.clone())).await?;
        ignored_by_git(&self.data_dir).with_context(|| format!("can't write into {}", self.data_dir.display()))?;
        let ready = prepare(store.service(), &self.data_dir).await?;
        let loaded = Loaded::load(store, tollgate_verifier::Settings::default()).await?;
        let url = base_url(address);
        let shown = json!({
            "url": url,
            "workspace_id": ready.workspace.id,
            "api_key": ready.key.reveal(),
            "client_token": ready.token.token,
            "dashboard": ready.dashboard(&url),
            "data_dir": self.data_dir,
        });
        output.result(&shown, |out| greet(out, &url, &ready, &self.data_dir))?;
        let settings = tollgate_web::Settings {
            requests_per_minute: 0,
            root_environment: Environment::Sandbox,
            guard: Guard::new(networks),
            mailer: mailer.clone(),
            ..tollgate_web::Settings::default()
        };
        let background = Background {
            mailer,
            ..Background::default()
        };
        compose::serve(listener, loaded, settings, background, stop).await
    }
}

/// The address as a client on this machine reaches it.
fn base_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// Keeps what is in `dir`, secrets among it, out of repositories.
pub(super) fn ignored_by_git(dir: &Path) -> io::Result<()> {
    match std::fs::File::create_new(dir.join(".gitignore")) {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Finds what the last start left, and makes what is missing.
async fn prepare(service: &Service, dir: &Path) -> anyhow::Result<Ready> {
    let (workspace, key) = key(service, dir).await?;
    let caller = Caller::command_line(workspace.clone());
    let page = ClientTokenPage {
        page: Page {
            after: None,
            order: Order::Ascending,
            limit: 1,
            count: false,
        },
        statuses: vec![ClientTokenStatus::Active],
    };
    let token = if let Some(first) = service.client_tokens(&caller, &page).await?.items.pop() {
        first
    } else {
        let new = NewClientToken {
            name: "First token".to_owned(),
            ..NewClientToken::default()
        };
        service.create_client_token(&caller, new, None).await?.value
    };
    let sign_in_path = sign_in_path(service, &caller).await?;
    Ok(Ready {
        workspace,
        key,
        token,
        sign_in_path,
    })
}

/// A new link for the workspace's first owner, who is made when there is none.
async fn sign_in_path(service: &Service, caller: &Caller) -> anyhow::Result<String> {
    let members = service.members(caller).await?;
    let owner = if let Some(owner) = members.into_iter().find(|member| member.role == Role::Owner) {
        owner
    } else {
        let invitation = service.invite(caller, EmailAddress::parse(EMAIL)?, Role::Owner).await?;
        let person = NewPerson {
            name: "Developer".to_owned(),
            password: None,
        };
        service
            .accept_invitation(&invitation.secret, Some(person), None)
            .await?
    };
    Ok(service.issue_sign_in(caller, owner.user).await?.path())
}

/// The key in the file if it still works, else a new one, and its workspace.
async fn key(service: &Service, dir: &Path) -> anyhow::Result<(Workspace, ApiKeySecret)> {
    loop {
        let unreadable = || format!("can't read the key in {}", dev_key::path(dir).display());
        if let Some(text) = dev_key::read(dir).with_context(unreadable)? {
            match (service.authenticate(&text, None).await, ApiKeySecret::parse(&text)) {
                (Ok(caller), Ok(key)) => return Ok((caller.workspace().clone(), key)),
                (Err(AuthenticationError::Storage(error)), _) => return Err(error.into()),
                _ => {
                    remark(format_args!(
                        "The key in {} doesn't work any more; a new one takes its place.",
                        dev_key::path(dir).display()
                    ));
                    dev_key::remove(dir)?;
                }
            }
        }
        let workspace = workspace(service).await?;
        let caller = Caller::command_line(workspace.clone());
        let new = NewApiKey {
            name: WORKSPACE.to_owned(),
            description: Some("Made by `tollgate dev`".to_owned()),
            permissions: PermissionSet::all(),
            expires_at: None,
        };
        let (made, key) = service.create_api_key(&caller, new).await?;
        if dev_key::create(dir, &key).context("can't keep the new key")? {
            return Ok((workspace, key));
        }
        // Another start was quicker: its key is the one to use.
        service.revoke_api_key(&caller, made.id).await?;
    }
}

async fn workspace(service: &Service) -> anyhow::Result<Workspace> {
    let known = service.workspaces().await?;
    let ours = |workspace: &Workspace| workspace.name == WORKSPACE && workspace.environment == Environment::Sandbox;
    match known.into_iter().find(ours) {
        Some(workspace) => Ok(workspace),
        None => Ok(service
            .create_workspace(WORKSPACE.to_owned(), Environment::Sandbox)
            .await?),
    }
}

fn greet(out: &mut dyn Write, url: &str, ready: &Ready, dir: &Path) -> io::Result<()> {
    let (key, token, dir) = (ready.key.reveal(), ready.token.token.as_str(), dir.display());
    let link = ready.dashboard(url);
    write!(
        out,
        "\
Tollgate {version} is running.

  Base URL      {url}
  API key       {key}
  Client token  {token}
  Dashboard     {link}

The link to the dashboard signs you in once, within 15 minutes; each start makes a new one.

The key may do everything in this sandbox workspace: keep it on your server. The token is public, for your front end.

With curl:

  curl -H 'Authorization: Bearer {key}' {url}/client-tokens

With the Node SDK (npm install @paddle/paddle-node-sdk), in a file whose name ends in .mjs:

  import {{ Paddle }} from '@paddle/paddle-node-sdk';
  const paddle = new Paddle('{key}', {{ environment: '{url}' }});
  for await (const token of paddle.clientTokens.list()) console.log(token.name, token.token);

With the Python SDK (pip install paddle-python-sdk):

  from types import SimpleNamespace
  from paddle_billing import Client, Options
  paddle = Client('{key}', options=Options(environment=SimpleNamespace(base_url='{url}')))
  for token in paddle.client_tokens.list(): print(token.name, token.token)

In a web page, the token is checked and goes along with requests:

  <script type=\"module\">
    import {{ Tollgate }} from '{url}/js/v1/tollgate.js';
    const client = await Tollgate.initialize({{ token: '{token}', baseUrl: '{url}' }});
  </script>

Whether a token is good, as a proxy asks for it:

  curl -i -H 'Tollgate-Client-Token: {token}' {url}/tollgate/authorize

Events as webhooks, to your own server on this machine:

  TOLLGATE_API_KEY={key} TOLLGATE_API_URL={url} tollgate listen --forward-to http://localhost:3000/webhooks

The data is in {dir}, and starting again keeps it. Stop with Ctrl-C. Each request is a line below.

",
        version = env!("CARGO_PKG_VERSION"),
    )
}
