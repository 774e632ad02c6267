//! Two workspaces of a shop, one for each environment, the people who work there, a server, and the scripts that drive a
//! browser against it.

use std::process::Command;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tollgate_domain::environment::Environment;
use tollgate_domain::permission::Permission;
use tollgate_domain::permission::PermissionSet;
use tollgate_domain::role::Role;
use tollgate_domain::user::EmailAddress;
use tollgate_domain::workspace::Workspace;
use tollgate_service::ambient::{OsEntropy, SystemClock};
use tollgate_service::{Caller, NewApiKey, Service};
use tollgate_storage::Storage;

use super::{hostile, people, sample};
use crate::sdk::prepared;
use crate::support::{On, Server, Store, repository, run};

/// What is there at the beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Things {
    /// Two workspaces and their people.
    None,
    /// Also the past of a shop, in the sandbox workspace.
    PaperAndInk,
    /// Names that mean harm, there and everywhere.
    Hostile,
}

pub(super) struct Stage {
    on: On,
    told: Value,
    server: Server,
    _store: Store,
}

impl Drop for Stage {
    /// The server goes before its store.
    fn drop(&mut self) {
        self.server.kill();
    }
}

impl Stage {
    pub(super) fn set(on: On, things: Things) -> Self {
        Self::with(on, things, &[])
    }

    /// The same with other settings of the server, as flags.
    pub(super) fn with(on: On, things: Things, flags: &[&str]) -> Self {
        let store = Store::fresh(on);
        store.workspace("sandbox"); // whichever command comes first makes the store
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut told = runtime.block_on(async { prepare(store.open().await, things).await });
        drop(runtime);
        let server = store.serve(&[&["--allow-network", "127.0.0.0/8"], flags].concat());
        told["url"] = server.url.clone().into();
        told["table"] = tollgate_web::dashboard::table()
            .iter()
            .map(|row| json!({ "method": row.method.as_str(), "path": row.path }))
            .collect();
        Self {
            on,
            told,
            server,
            _store: store,
        }
    }

    /// Tells the scripts one thing more.
    pub(super) fn tell(&mut self, name: &str, value: impl Into<Value>) {
        self.told[name] = value.into();
    }

    /// People open it by the name of this machine: browsers have passkeys there, and none at an IP address.
    pub(super) fn by_name(mut self) -> Self {
        let url = self.server.url.replace("127.0.0.1", "localhost");
        self.tell("url", url);
        self
    }

    /// What the server has logged so far.
    pub(super) fn log(&self) -> String {
        self.server.log()
    }

    /// Has a script walk.
    pub(super) fn walk(&self, name: &str) {
        println!("on {:?}", self.on);
        script(name, &self.told);
    }
}

/// Runs a script on a stage; it prints `ok …` for each of its cases.
pub(super) fn script(name: &str, stage: &Value) {
    let modules = "TOLLGATE_TEST_BROWSER_MODULES";
    let walked = run(Command::new("node")
        .arg(repository().join(format!("tests/dashboard/{name}.mjs")))
        .env("TOLLGATE_STAGE", stage.to_string())
        .env(modules, prepared(modules))
        .env("TOLLGATE_TEST_CHROMIUM", prepared("TOLLGATE_TEST_CHROMIUM")));
    println!("{}{}", walked.out, walked.err);
    assert_eq!(walked.code, Some(0), "{name}");
    assert!(walked.out.lines().any(|line| line.starts_with("ok ")), "it walked");
}

/// Fills the store; gives what the scripts have to know of it.
async fn prepare(storage: Arc<dyn Storage>, things: Things) -> Value {
    let service = Service::new(Arc::clone(&storage), Arc::new(SystemClock), Arc::new(OsEntropy));
    let (sandbox, live) = match things {
        Things::None => workspaces(&service, "Paper and Ink").await,
        Things::PaperAndInk => sample::paper_and_ink(&storage).await,
        Things::Hostile => workspaces(&service, &hostile::texts()[0]).await,
    };
    let mut everybody = Map::new();
    for (email, role, name) in sample::PEOPLE {
        let both = [(&sandbox, role), (&live, role)];
        let places = if role == Role::Owner { &both[..] } else { &both[..1] };
        let user = match member(&service, &sandbox, email).await {
            Some(user) => user,
            None => people::join(&service, places, email, name).await.user,
        };
        let session = people::session(&service, &sandbox, user).await;
        everybody.insert(role.name().to_owned(), people::described(email, &session));
    }
    if things == Things::Hostile {
        hostile::fill(&service, &sandbox, sample::PEOPLE[0].0).await;
    }
    everybody.insert("nobody".to_owned(), nobody(&service, &sandbox).await);

    let operator = Caller::command_line(sandbox.clone());
    let owner = member(&service, &sandbox, sample::PEOPLE[0].0).await.unwrap();
    if things == Things::PaperAndInk {
        people::put_passkey(&*storage, owner, service.now()).await;
    }
    let invite = async |email: &str| {
        let email = EmailAddress::parse(email).unwrap();
        service.invite(&operator, email, Role::Admin).await.unwrap().path()
    };
    let sign_in = service.issue_sign_in(&operator, owner).await.unwrap();
    let viewer = member(&service, &sandbox, sample::PEOPLE[3].0).await.unwrap();
    let reset = service.issue_reset(&operator, viewer).await.unwrap();
    json!({
        "workspaces": { "sandbox": described(&service, &sandbox).await, "live": described(&service, &live).await },
        "people": everybody,
        "texts": hostile::texts(),
        "links": {
            "invitation": invite("packing@example.com").await,
            "second_invitation": invite("printing@example.com").await,
            "reset": reset.path(),
            "sign_in": sign_in.path(),
        },
    })
}

async fn workspaces(service: &Service, name: &str) -> (Workspace, Workspace) {
    let create = async |environment| service.create_workspace(name.to_owned(), environment).await.unwrap();
    (create(Environment::Sandbox).await, create(Environment::Live).await)
}

/// The member of a workspace who has this address.
async fn member(service: &Service, workspace: &Workspace, email: &str) -> Option<tollgate_domain::id::UserId> {
    let operator = Caller::command_line(workspace.clone());
    let members = service.members(&operator).await.unwrap();
    let found = members.into_iter().find(|member| member.email.as_str() == email);
    found.map(|member| member.user)
}

/// Somebody who was a member, and is signed in still.
async fn nobody(service: &Service, workspace: &Workspace) -> Value {
    let email = "formerly@example.com";
    let member = people::join(service, &[(workspace, Role::Viewer)], email, "Formerly").await;
    let session = people::session(service, workspace, member.user).await;
    let operator = Caller::command_line(workspace.clone());
    service.remove_member(&operator, member.user).await.unwrap();
    people::described(email, &session)
}

/// A workspace, with a key to everything in it.
async fn described(service: &Service, workspace: &Workspace) -> Value {
    let new = NewApiKey {
        name: "Shop's back end".to_owned(),
        description: None,
        permissions: Permission::all().collect::<PermissionSet>(),
        expires_at: None,
    };
    let operator = Caller::command_line(workspace.clone());
    let (_, key) = service.create_api_key(&operator, new).await.unwrap();
    json!({ "id": workspace.id.to_string(), "name": workspace.name, "key": key.reveal() })
}
