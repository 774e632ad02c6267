//! A store with a workspace and a key in it, a server over it, and what clients send there.

use std::time::Duration;

use anyhow::Context;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::WorkspaceId;
use tollgate_domain::permission::PermissionSet;
use tollgate_service::{Caller, NewApiKey, Service};

use crate::load::Load;
use crate::machine::processor_time;
use crate::rounds::Round;
use crate::seed::{DESCRIPTION, NAME};
use crate::server::{Server, ServerArgs};

/// Clients of the benchmarks of writes.
pub(crate) const CLIENTS: usize = 64;

/// Who may ask.
pub(crate) struct Tenant {
    pub(crate) workspace: WorkspaceId,
    key: String,
}

impl Tenant {
    /// Makes a workspace, and a key with every permission in it; makes the store, too, when it is missing.
    pub(crate) fn create(args: &ServerArgs) -> anyhow::Result<Self> {
        runtime()?.block_on(async {
            let store = args.open().await?;
            let (tenant, _) = Self::create_in(store.service()).await?;
            store.close().await;
            Ok(tenant)
        })
    }

    /// The same, in a store that is open; and who may do everything there.
    pub(crate) async fn create_in(service: &Service) -> anyhow::Result<(Self, Caller)> {
        let workspace = service
            .create_workspace("Benchmark".to_owned(), Environment::Sandbox)
            .await?;
        let id = workspace.id;
        let operator = Caller::command_line(workspace);
        let new = NewApiKey {
            name: "Benchmark".to_owned(),
            description: None,
            permissions: PermissionSet::all(),
            expires_at: None,
        };
        let (_, secret) = service.create_api_key(&operator, new).await?;
        let tenant = Self {
            workspace: id,
            key: secret.reveal().to_owned(),
        };
        Ok((tenant, operator))
    }

    /// The bytes of a request that creates a client token.
    pub(crate) fn create_request(&self) -> Vec<u8> {
        let body = format!(r#"{{"name":"{NAME}","description":"{DESCRIPTION}"}}"#);
        format!(
            "POST /client-tokens HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: \
             application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        )
        .into_bytes()
    }

    /// The bytes of a request that revokes a client token.
    pub(crate) fn revoke_request(&self, id: &str) -> Vec<u8> {
        let body = r#"{"status":"revoked"}"#;
        format!(
            "PATCH /client-tokens/{id} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: \
             application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        )
        .into_bytes()
    }

    /// The bytes of a request for a page of client tokens.
    pub(crate) fn page_request(&self, query: &str) -> Vec<u8> {
        format!(
            "GET /client-tokens?per_page=50{query} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
            self.key
        )
        .into_bytes()
    }
}

/// A runtime for what the bench itself asks of a store or a database.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().context("can't make a runtime")
}

/// Clients that send one kind of request to a server.
pub(crate) struct Site {
    server: u32,
    load: Load,
    /// Ends with the site, where it isn't shared.
    _own: Option<Server>,
}

impl Site {
    /// Connects clients that ask for pages to a server that others may share.
    pub(crate) fn of_pages(server: &Server, clients: usize, requests: Vec<Vec<u8>>) -> anyhow::Result<Self> {
        Ok(Self {
            server: server.pid(),
            load: Load::connect(server.address, clients, requests, b"HTTP/1.1 200")?,
            _own: None,
        })
    }

    /// Clients of any server, in any language; the processor time is that process's.
    pub(crate) const fn of(server: u32, load: Load) -> Self {
        Self {
            server,
            load,
            _own: None,
        }
    }

    /// Starts a server and connects clients that create client tokens.
    pub(crate) fn of_creates(args: &ServerArgs, tenant: &Tenant) -> anyhow::Result<Self> {
        Self::of_creates_at(Server::start(args)?, tenant)
    }

    /// Connects clients that create client tokens to a server that runs.
    pub(crate) fn of_creates_at(server: Server, tenant: &Tenant) -> anyhow::Result<Self> {
        let load = Load::connect(server.address, CLIENTS, vec![tenant.create_request()], b"HTTP/1.1 201")?;
        Ok(Self {
            server: server.pid(),
            load,
            _own: Some(server),
        })
    }

    /// A round of requests; the processor time is the server's.
    pub(crate) fn round(&mut self, length: Duration) -> anyhow::Result<Round> {
        let before = processor_time(self.server)?;
        let round = self.load.run(length)?;
        let processor = Some(processor_time(self.server)? - before);
        Ok(Round { processor, ..round })
    }
}
