//! Naming a workspace.

use tollgate_domain::event::{Actor, EventType};
use tollgate_domain::permission::PermissionSet;
use tollgate_domain::role::Role;
use tollgate_service::{Denied, NewApiKey, PeopleError};

use crate::place::Place;

#[tokio::test]
async fn an_admin_renames_the_workspace_and_the_audit_trail_tells_of_it_once() {
    let place = Place::fresh().await;
    let ada = place.join(&place.workspace, "ada", Role::Admin).await;
    let caller = place.caller("ada").await;
    let key = NewApiKey {
        name: "Key".to_owned(),
        description: None,
        permissions: PermissionSet::NONE,
        expires_at: None,
    };
    let (_, key) = place.service.create_api_key(&caller, key).await.unwrap();
    place.service.authenticate(key.reveal(), None).await.unwrap();
    let before = place.place().await;
    for _ in 0..2 {
        let renamed = place.service.rename_workspace(&caller, "Söhne".to_owned()).await;
        assert_eq!(renamed.unwrap().name, "Söhne");
    }
    let stored = place.service.workspace(place.workspace.id).await.unwrap().unwrap();
    assert_eq!(stored.name, "Söhne");
    let by_key = place.service.authenticate(key.reveal(), None).await.unwrap();
    assert_eq!(by_key.workspace().name, "Söhne");
    let audit = place.audit(place.workspace.id, before).await;
    let [(event, data)] = &audit[..] else {
        panic!("one event: {audit:?}")
    };
    assert_eq!(
        (event.event_type, event.actor),
        (EventType::WorkspaceRenamed, Actor::Person(ada))
    );
    assert_eq!(event.subject, place.workspace.id.to_string());
    assert_eq!(
        (data["name"].as_str(), data["previous_name"].as_str()),
        (Some("Söhne"), Some("Workspace 1"))
    );
}

#[tokio::test]
async fn who_is_no_admin_renames_nothing() {
    let place = Place::fresh().await;
    for role in [Role::Developer, Role::Viewer] {
        place.join(&place.workspace, role.name(), role).await;
        let caller = place.caller(role.name()).await;
        let refused = place.service.rename_workspace(&caller, "Mine".to_owned()).await;
        assert!(matches!(refused, Err(PeopleError::Denied(Denied(None)))), "{role}");
    }
    let stored = place.service.workspace(place.workspace.id).await.unwrap();
    assert_eq!(stored, Some(place.workspace.clone()));
}
