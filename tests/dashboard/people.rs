//! People as they are at the dashboard: members with a role, a password, and a session that a browser can go on with.

use serde_json::{Value, json};
use tollgate_domain::id::{PasskeyId, UserId};
use tollgate_domain::passkey::{Ceremony, CeremonySecret, Passkey};
use tollgate_domain::role::Role;
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Password};
use tollgate_domain::workspace::Workspace;
use tollgate_service::ambient::OsEntropy;
use tollgate_service::{Caller, Member, NewPerson, Service};
use tollgate_storage::{Change, Outcome, PeopleWrite, Storage, Write};

/// What everybody's password is.
pub(super) const PASSWORD: &str = "paper, ink and patience";

/// A member of each of these workspaces, with an account of this name.
pub(super) async fn join(service: &Service, places: &[(&Workspace, Role)], email: &str, name: &str) -> Member {
    let mut person = Some(NewPerson {
        name: name.to_owned(),
        password: Some(Password::choose(PASSWORD).unwrap()),
    });
    let mut joined = None;
    for (workspace, role) in places {
        let operator = Caller::command_line((*workspace).clone());
        let email = EmailAddress::parse(email).unwrap();
        let invitation = service.invite(&operator, email, *role).await.unwrap();
        let member = service.accept_invitation(&invitation.secret, person.take(), None).await;
        joined = Some(member.unwrap());
    }
    joined.unwrap()
}

/// The secret of a new session.
pub(super) async fn session(service: &Service, workspace: &Workspace, user: UserId) -> String {
    let operator = Caller::command_line(workspace.clone());
    let link = service.issue_sign_in(&operator, user).await.unwrap();
    let session = service.sign_in_by_link(&link.secret, None).await.unwrap();
    session.reveal().to_owned()
}

/// A passkey of theirs, which no device has.
pub(super) async fn put_passkey(storage: &dyn Storage, user: UserId, now: Timestamp) {
    let secret = CeremonySecret::generate(&OsEntropy);
    let begin = PeopleWrite::BeginCeremony(Ceremony::begin(&secret, Some(user), Vec::new(), now));
    let add = PeopleWrite::AddPasskey {
        ceremony: secret.digest(),
        now,
        passkey: Passkey {
            id: PasskeyId::parse("psk_01khqw72q437v2n2wtbrraawbn").unwrap(),
            user,
            credential: vec![1; 16],
            key: vec![1],
            state: vec![1],
            name: "Laptop at the counter".to_owned(),
            created_at: now,
            last_used_at: None,
        },
    };
    for write in [begin, add] {
        let outcome = storage.commit(Change::silent(Write::People(write))).await.unwrap();
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    }
}

/// As the scripts have them.
pub(super) fn described(email: &str, session: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "session": session })
}
