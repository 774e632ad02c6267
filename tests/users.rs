//! `tollgate user`: people are invited, listed, moved between roles and let in again, on both stores.

use std::sync::Arc;

use serde_json::Value;
use tollgate_domain::one_time_link::LinkSecret;
use tollgate_domain::user::Password;
use tollgate_service::ambient::{OsEntropy, SystemClock};
use tollgate_service::{NewPerson, Service};
use tollgate_storage::Storage;

use crate::support::{On, Store, run};

#[test]
fn people_are_managed_on_sqlite() {
    journey(On::Sqlite);
}

#[test]
fn people_are_managed_on_postgres() {
    journey(On::Postgres);
}

/// What a server does with the links that it is given.
fn as_a_server<T>(store: &Store, asked: impl AsyncFnOnce(Service) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let storage: Arc<dyn Storage> = store.open().await;
        asked(Service::new(storage, Arc::new(SystemClock), Arc::new(OsEntropy))).await
    })
}

fn secret(path: &str, page: &str) -> LinkSecret {
    let secret = path.strip_prefix(&format!("/dashboard/{page}/")).unwrap();
    LinkSecret::parse(secret).unwrap()
}

/// Ada takes her invitation, and signs in; gives her cookie.
fn first_member(store: &Store, workspace: &str) -> String {
    let invite = |role: &str| {
        let email = "Ada@Example.com";
        let words = [
            "user",
            "invite",
            "--workspace",
            workspace,
            "--email",
            email,
            "--role",
            role,
        ];
        run(&mut store.tollgate(&words))
    };
    let invited = invite("owner");
    assert!(
        invited.err.contains("Ada@example.com") && invited.err.contains("good once"),
        "{invited:?}"
    );
    let link = secret(&invited.success(), "invitation");
    let cookie = as_a_server(store, async |service| {
        let person = || NewPerson {
            name: "Ada".to_owned(),
            password: Some(Password::choose("correct horse battery").unwrap()),
        };
        service.accept_invitation(&link, Some(person()), None).await.unwrap();
        assert!(service.accept_invitation(&link, Some(person()), None).await.is_err());
        let cookie = service
            .sign_in("ada@example.com", "correct horse battery", None)
            .await
            .unwrap();
        cookie.reveal().to_owned()
    });
    let listed = run(&mut store.tollgate(&["user", "list", "--workspace", workspace, "--json"])).json();
    let [ada] = &listed.as_array().unwrap()[..] else {
        panic!("one: {listed}")
    };
    assert_eq!(
        (&ada["email"], &ada["role"], &ada["workspace_id"]),
        (&"Ada@example.com".into(), &"owner".into(), &Value::from(workspace))
    );
    assert!(!listed.to_string().contains("argon2"), "{listed}");
    let error = invite("viewer").failure(1);
    assert!(error.contains("is a member of the workspace already"), "{error}");
    cookie
}

fn journey(on: On) {
    let store = Store::fresh(on);
    let workspace = store.workspace("live");
    let user = |words: &[&str]| run(&mut store.tollgate(&[&["user"], words].concat()));
    assert!(user(&["list"]).err.contains("Nobody is a member yet"));

    let cookie = first_member(&store, &workspace);

    // The last owner stays; a second one may take her place.
    let role = |email: &str, role: &str| user(&["role", "--workspace", &workspace, "--email", email, "--role", role]);
    let remove = |email: &str| user(&["remove", "--workspace", &workspace, "--email", email]);
    for refused in [role("ada@example.com", "viewer"), remove("ada@example.com")] {
        let error = refused.failure(1);
        assert!(error.contains("last owner"), "{error}");
    }
    let bob = user(&[
        "invite",
        "--workspace",
        &workspace,
        "--email",
        "bob@example.com",
        "--role",
        "developer",
        "--json",
    ]);
    let bob = bob.json();
    assert_eq!(bob["email"], "bob@example.com");
    let link = secret(bob["path"].as_str().unwrap(), "invitation");
    as_a_server(&store, async |service| {
        let person = NewPerson {
            name: "Bob".to_owned(),
            password: None,
        };
        service.accept_invitation(&link, Some(person), None).await.unwrap();
    });
    assert!(
        role("bob@example.com", "owner")
            .success()
            .contains("has the role owner")
    );
    assert!(
        role("ada@example.com", "admin")
            .success()
            .contains("has the role admin")
    );

    // Sign-out and reset end her session.
    let live = |cookie: &str| {
        as_a_server(&store, async |service| {
            service.signed_in(cookie).await.unwrap().is_some()
        })
    };
    assert!(live(&cookie));
    assert!(
        store
            .said(&["user", "sign-out", "--email", "ADA@example.com"])
            .contains("have ended")
    );
    assert!(!live(&cookie));
    let link = secret(&store.said(&["user", "reset", "--email", "ada@example.com"]), "reset");
    as_a_server(&store, async |service| {
        let password = Password::choose("a quite new password").unwrap();
        service.reset_password(&link, &password, None).await.unwrap();
        service
            .sign_in("ada@example.com", "a quite new password", None)
            .await
            .unwrap();
        assert!(
            service
                .sign_in("ada@example.com", "correct horse battery", None)
                .await
                .is_err()
        );
    });

    // A link signs her in, once.
    let said = store.said(&["user", "sign-in", "--email", "ada@example.com"]);
    let link = secret(&said, "sign-in-link");
    as_a_server(&store, async |service| {
        service.sign_in_by_link(&link, None).await.unwrap();
        service.sign_in_by_link(&link, None).await.unwrap_err();
    });

    assert!(remove("ada@example.com").success().contains("is no member"));
    let table = store.said(&["user", "list"]);
    assert!(
        table.starts_with("EMAIL ") && table.contains("bob@example.com") && !table.contains("Ada@"),
        "{table}"
    );
    let error = user(&["reset", "--email", "ada@example.com"]).failure(1);
    assert!(error.contains("tollgate user invite"), "{error}");
}

#[test]
fn unknown_people_and_roles_are_refused_with_what_there_is() {
    let store = Store::fresh(On::Sqlite);
    let workspace = store.workspace("sandbox");
    let invite = |workspace: &str, email: &str, role: &str| {
        let words = [
            "user",
            "invite",
            "--workspace",
            workspace,
            "--email",
            email,
            "--role",
            role,
        ];
        run(&mut store.tollgate(&words))
    };
    let error = invite(&workspace, "ada@example.com", "root").failure(2);
    assert!(error.contains("owner, admin, developer, viewer"), "{error}");
    let error = invite(&workspace, "ada", "owner").failure(2);
    assert!(error.contains("somebody@example.com"), "{error}");
    let error = invite("wsp_00000000000000000000000000", "ada@example.com", "owner").failure(1);
    assert!(error.contains(&workspace), "{error}");
    for words in [
        &["reset", "--email", "ada@example.com"][..],
        &["sign-in", "--email", "ada@example.com"],
        &["sign-out", "--email", "ada@example.com"],
        &["remove", "--workspace", &workspace, "--email", "ada@example.com"],
        &[
            "role",
            "--workspace",
            &workspace,
            "--email",
            "ada@example.com",
            "--role",
            "admin",
        ],
    ] {
        let error = run(&mut store.tollgate(&[&["user"], words].concat())).failure(1);
        assert!(error.contains("tollgate user list"), "{error}");
    }
}
