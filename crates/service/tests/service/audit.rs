//! The audit trail: who reads it, whom it names, the history of one entity, the export.

use tollgate_domain::event::{Actor, EventType};
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::role::Role;
use tollgate_service::{AuditError, AuditTrail, Caller, HistoryOf, NewApiKey, NewClientToken, audit_csv};
use tollgate_storage::{AuditPage, Change, Write};

use crate::place::{Place, address};

/// An API key that was made by the operator and is used from `address(5)`.
async fn key(place: &Place, name: &str, permissions: PermissionSet) -> Caller {
    let new = NewApiKey {
        name: name.to_owned(),
        description: None,
        permissions,
        expires_at: None,
    };
    let (_, secret) = place.service.create_api_key(&place.operator(), new).await.unwrap();
    let key = place.service.authenticate(secret.reveal(), Some(address(5)));
    key.await.unwrap()
}

fn token_permissions() -> PermissionSet {
    PermissionSet::from_iter([Permission::CLIENT_TOKEN_READ, Permission::CLIENT_TOKEN_WRITE])
}

async fn trail(place: &Place, page: &AuditPage) -> AuditTrail {
    place.service.audit_trail(&place.operator(), page).await.unwrap()
}

async fn make_token(place: &Place, caller: &Caller) -> HistoryOf {
    let new = NewClientToken {
        name: "Kiosk".to_owned(),
        ..NewClientToken::default()
    };
    let made = place.service.create_client_token(caller, new, None).await.unwrap();
    HistoryOf::ClientToken(made.value.id)
}

#[tokio::test]
async fn entries_say_who_by_name_and_from_where() {
    let place = Place::fresh().await;
    let ada = place.join(&place.workspace, "ada", Role::Developer).await;
    let integration = key(&place, "Integration", token_permissions()).await;
    make_token(&place, &integration).await;
    let ada_calls = place.caller("ada").await;
    make_token(&place, &ada_calls).await;

    let told: Vec<_> = trail(&place, &AuditPage::newest(50))
        .await
        .entries
        .into_iter()
        .map(|entry| (entry.event.event_type, entry.actor_name, entry.event.address))
        .collect();
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(
        told,
        [
            (
                EventType::ClientTokenCreated,
                named("ada <ada@example.com>"),
                Some(address(7))
            ),
            (EventType::SignedIn, named("ada <ada@example.com>"), Some(address(1))),
            (EventType::ClientTokenCreated, named("Integration"), Some(address(5))),
            (EventType::ApiKeyCreated, None, None),
            (EventType::MemberJoined, named("ada <ada@example.com>"), None),
            (EventType::MemberInvited, None, None),
        ]
    );
    let hers = AuditPage {
        actor: Some(Actor::Person(ada)),
        types: vec![EventType::ClientTokenCreated],
        ..AuditPage::newest(50)
    };
    let hers = trail(&place, &hers).await;
    assert_eq!((hers.entries.len(), hers.next, hers.cut_short), (1, None, false));
}

#[tokio::test]
async fn all_but_viewers_read_the_trail_and_no_key_does() {
    let place = Place::fresh().await;
    let everything = key(&place, "All", PermissionSet::all()).await;
    place.join(&place.workspace, "owner", Role::Owner).await;
    let newest = AuditPage::newest(5);
    for role in Role::ALL {
        let name = format!("some-{role}");
        place.join(&place.workspace, &name, role).await;
        let caller = place.caller(&name).await;
        let refused = place.service.audit_trail(&caller, &newest).await;
        let refused = matches!(refused, Err(AuditError::Denied(_)));
        assert_eq!(refused, role == Role::Viewer, "{role}");
        let exported = place.service.audit_export(&caller, newest.clone());
        assert_eq!(exported.is_err(), refused, "{role}");
    }
    let refused = place.service.audit_trail(&everything, &newest).await;
    assert!(matches!(refused, Err(AuditError::Denied(_))), "{refused:?}");
}

#[tokio::test]
async fn a_history_is_for_readers_of_the_entity_and_its_addresses_for_readers_of_the_trail() {
    let place = Place::fresh().await;
    let integration = key(&place, "Integration", token_permissions()).await;
    let token = make_token(&place, &integration).await;
    make_token(&place, &integration).await;
    for (role, shown) in [(Role::Viewer, None), (Role::Developer, Some(address(5)))] {
        let name = format!("some-{role}");
        place.join(&place.workspace, &name, role).await;
        let caller = place.caller(&name).await;
        let history = place.service.history(&caller, token, None, 10).await.unwrap();
        let [entry] = &history.entries[..] else {
            panic!("one event: {history:?}")
        };
        let expected = (EventType::ClientTokenCreated, Some("Integration"), shown);
        assert_eq!(
            (entry.event.event_type, entry.actor_name.as_deref(), entry.event.address),
            expected
        );
    }
    let id = integration.api_key_id().unwrap();
    let of_key = HistoryOf::ApiKey(id);
    let of_key = place.service.history(&place.operator(), of_key, None, 10).await;
    assert_eq!(of_key.unwrap().entries.len(), 1);
    let refused = place
        .service
        .history(&integration, HistoryOf::ApiKey(id), None, 10)
        .await;
    assert!(matches!(refused, Err(AuditError::Denied(_))), "{refused:?}");
    let elsewhere = Caller::command_line(place.another_workspace(2).await);
    let foreign = place.service.history(&elsewhere, token, None, 10).await.unwrap();
    assert_eq!(foreign.entries, [], "another workspace sees nothing of it");
}

#[tokio::test]
async fn an_export_holds_every_event_once_however_many_pieces_it_has() {
    let place = Place::fresh().await;
    let integration = key(&place, "=1+1", token_permissions()).await;
    let history = make_token(&place, &integration).await;
    let HistoryOf::ClientToken(id) = history else {
        panic!("a token was made")
    };
    let newest = trail(&place, &AuditPage::newest(1)).await.entries.remove(0).event;
    let many = (0..2_400_u128).map(|number| {
        let mut event = newest.clone();
        event.id = tollgate_domain::id::EventId::from_bits(number);
        event
    });
    let change = Change {
        events: many.collect(),
        ..Change::silent(Write::TouchApiKey {
            id: integration.api_key_id().unwrap(),
            used_at: newest.occurred_at,
        })
    };
    place.storage.commit(change).await.unwrap();
    let filter = AuditPage {
        subject: Some(id.to_string()),
        ..AuditPage::newest(1)
    };
    let mut export = place.service.audit_export(&place.operator(), filter).unwrap();
    let (mut pieces, mut text) = (0, String::new());
    while let Some(piece) = export.next().await.unwrap() {
        pieces += 1;
        text.push_str(&piece);
    }
    assert!(!export.was_cut());
    assert_eq!(pieces, 3);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 2_402);
    assert_eq!(rows[0], audit_csv::header().trim_end());
    assert!(rows[1].contains(",\"'=1+1\","), "{}", rows[1]);
    let ids: std::collections::BTreeSet<&str> = rows[1..].iter().map(|row| row.split(',').nth(1).unwrap()).collect();
    assert_eq!(ids.len(), 2_401, "each once");
}
