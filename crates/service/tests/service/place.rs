//! What the cases stand on: a service over a store of its own, and people in it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tollgate_domain::ambient::{Clock, Entropy};
use tollgate_domain::environment::Environment;
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{UserId, WorkspaceId};
use tollgate_domain::one_time_link::LinkSecret;
use tollgate_domain::role::Role;
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Password};
use tollgate_domain::workspace::Workspace;
use tollgate_service::{Caller, IssuedLink, NewPerson, Service, SignInError, SignedIn};
use tollgate_storage::{Change, Storage, Write};
use tollgate_storage_sql::sqlite::{SqliteOptions, SqliteStore};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Stands still until it is advanced.
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap();
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Other bytes each time, the same in each run.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let mut mixed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A service over a store of its own, with one workspace.
pub(crate) struct Place {
    pub(crate) service: Service,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) workspace: Workspace,
    _dir: TempDir,
}

impl Place {
    pub(crate) async fn fresh() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let storage: Arc<dyn Storage> = Arc::new(SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap());
        let clock = Arc::new(ManualClock(AtomicI64::new(1_767_225_600_000_000)));
        let service = Service::new(
            Arc::clone(&storage),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(Counting(AtomicU64::new(1))),
        );
        let mut place = Self {
            service,
            storage,
            clock,
            workspace: workspace(1),
            _dir: dir,
        };
        place.workspace = place.another_workspace(1).await;
        place
    }

    pub(crate) async fn another_workspace(&self, number: u128) -> Workspace {
        let workspace = workspace(number);
        let create = Change::silent(Write::CreateWorkspace(workspace.clone()));
        self.storage.commit(create).await.unwrap();
        workspace
    }

    /// The machine's operator, in the first workspace.
    pub(crate) fn operator(&self) -> Caller {
        Caller::command_line(self.workspace.clone())
    }

    /// A new person with [`PASSWORD`] and this role in a workspace.
    pub(crate) async fn join(&self, workspace: &Workspace, name: &str, role: Role) -> UserId {
        let operator = Caller::command_line(workspace.clone());
        let link = self.service.invite(&operator, email(name), role).await.unwrap();
        let joined = self.service.accept_invitation(&link.secret, Some(person(name)), None);
        joined.await.unwrap().user
    }

    /// Signs in with [`PASSWORD`]; gives the cookie.
    pub(crate) async fn sign_in(&self, name: &str) -> String {
        self.try_password(name, PASSWORD).await.unwrap()
    }

    pub(crate) async fn try_password(&self, name: &str, password: &str) -> Result<String, SignInError> {
        let email = email(name);
        let signed_in = self.service.sign_in(email.as_str(), password, Some(address(1)));
        signed_in.await.map(|secret| secret.reveal().to_owned())
    }

    /// Whoever this cookie is of.
    pub(crate) async fn who(&self, cookie: &str) -> Option<SignedIn> {
        self.service.signed_in(cookie).await.unwrap()
    }

    /// A member who signed in, as a caller in the first workspace.
    pub(crate) async fn caller(&self, name: &str) -> Caller {
        let signed_in = self.who(&self.sign_in(name).await).await.unwrap();
        signed_in.caller_in(&self.workspace, Some(address(7))).unwrap()
    }

    /// What the audit trail holds of a workspace since a place of the sequence.
    pub(crate) async fn audit(&self, workspace: WorkspaceId, after: u64) -> Vec<(Event, Value)> {
        let upto = self.storage.sequence().await.unwrap();
        let events = self.storage.events_between(after, upto, &EventType::AUDIT_ONLY);
        let events = events.await.unwrap().into_iter().map(|(_, event)| event);
        let read = events.filter(|event| event.workspace == workspace).map(|event| {
            let data = serde_json::from_str(&event.data).unwrap();
            (event, data)
        });
        read.collect()
    }

    pub(crate) async fn place(&self) -> u64 {
        self.storage.sequence().await.unwrap()
    }
}

fn workspace(number: u128) -> Workspace {
    Workspace {
        id: WorkspaceId::from_bits(number),
        name: format!("Workspace {number}"),
        environment: Environment::Sandbox,
        created_at: Timestamp::from_micros(0).unwrap(),
    }
}

pub(crate) fn email(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.com")).unwrap()
}

pub(crate) fn person(name: &str) -> NewPerson {
    NewPerson {
        name: name.to_owned(),
        password: Some(password(PASSWORD)),
    }
}

pub(crate) fn password(text: &str) -> Password {
    Password::choose(text).unwrap()
}

pub(crate) fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

/// The secret as somebody reads it off the link's path.
pub(crate) fn secret_of(link: &IssuedLink) -> LinkSecret {
    let path = link.path();
    LinkSecret::parse(path.rsplit('/').next().unwrap()).unwrap()
}
