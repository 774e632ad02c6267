//! Managing API keys.

use std::time::Duration;

use tollgate_domain::api_key::ApiKeyStatus;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::role::Role;
use tollgate_service::{ApiKeyError, Denied, NewApiKey};

use crate::place::Place;

fn new_key() -> NewApiKey {
    NewApiKey {
        name: "Nightly export".to_owned(),
        description: Some("Runs at two".to_owned()),
        permissions: PermissionSet::from_iter([Permission::CLIENT_TOKEN_READ]),
        expires_at: None,
    }
}

#[tokio::test]
async fn a_rotated_key_has_a_successor_that_may_do_the_same_and_goes_on_until_it_is_revoked() {
    let place = Place::fresh().await;
    let (service, operator) = (&place.service, place.operator());
    let (old, old_secret) = service.create_api_key(&operator, new_key()).await.unwrap();
    place.clock.advance(Duration::from_secs(5));
    let later = place.service.now().plus(Duration::from_hours(24));
    let (new, secret) = service.rotate_api_key(&operator, old.id, Some(later)).await.unwrap();
    assert_ne!((new.id, secret.reveal()), (old.id, old_secret.reveal()));
    assert_eq!(
        (&new.name, &new.description, new.permissions, new.expires_at),
        (&old.name, &old.description, old.permissions, Some(later))
    );
    for text in [old_secret.reveal(), secret.reveal()] {
        let caller = service.authenticate(text, None).await.unwrap();
        assert_eq!(caller.permissions(), old.permissions);
    }
    let revoked = service.revoke_api_key(&operator, old.id).await.unwrap();
    assert_eq!(revoked.status, ApiKeyStatus::Revoked);
    assert!(service.authenticate(old_secret.reveal(), None).await.is_err());
    assert!(service.authenticate(secret.reveal(), None).await.is_ok());
}

#[tokio::test]
async fn a_key_that_ended_has_no_successor() {
    let place = Place::fresh().await;
    let (service, operator) = (&place.service, place.operator());
    let hour = Duration::from_hours(1);
    let expiring = NewApiKey {
        expires_at: Some(service.now().plus(hour)),
        ..new_key()
    };
    let (expired, _) = service.create_api_key(&operator, expiring).await.unwrap();
    let (revoked, _) = service.create_api_key(&operator, new_key()).await.unwrap();
    service.revoke_api_key(&operator, revoked.id).await.unwrap();
    place.clock.advance(hour);
    for (id, status) in [(expired.id, ApiKeyStatus::Expired), (revoked.id, ApiKeyStatus::Revoked)] {
        let refused = service.rotate_api_key(&operator, id, None).await;
        assert!(
            matches!(refused, Err(ApiKeyError::Ended(told)) if told == status),
            "{status:?}"
        );
    }
}

#[tokio::test]
async fn only_those_who_manage_keys_rotate_and_only_their_own() {
    let place = Place::fresh().await;
    let service = &place.service;
    let (key, secret) = service.create_api_key(&place.operator(), new_key()).await.unwrap();
    for role in Role::ALL {
        place.join(&place.workspace, role.name(), role).await;
        let caller = place.caller(role.name()).await;
        let rotated = service.rotate_api_key(&caller, key.id, None).await;
        assert_eq!(rotated.is_ok(), role >= Role::Admin, "{role}");
    }
    let itself = service.authenticate(secret.reveal(), None).await.unwrap();
    let refused = service.rotate_api_key(&itself, key.id, None).await;
    assert!(matches!(refused, Err(ApiKeyError::Denied(Denied(None)))));
    let elsewhere = tollgate_service::Caller::command_line(place.another_workspace(2).await);
    let hidden = service.rotate_api_key(&elsewhere, key.id, None).await;
    assert!(matches!(hidden, Err(ApiKeyError::NotFound)));
}
