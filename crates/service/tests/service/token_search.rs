//! Finding client tokens by what somebody types or pastes.

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_service::{Caller, ClientTokenPatch, ClientTokenSearch, NewClientToken};

use crate::place::Place;

async fn make(place: &Place, name: &str) -> ClientToken {
    let new = NewClientToken {
        name: name.to_owned(),
        ..NewClientToken::default()
    };
    let made = place.service.create_client_token(&place.operator(), new, None).await;
    made.unwrap().value
}

async fn found(place: &Place, caller: &Caller, text: &str, statuses: &[ClientTokenStatus]) -> Vec<ClientToken> {
    let search = ClientTokenSearch {
        text: text.to_owned(),
        statuses: statuses.to_vec(),
        after: None,
        limit: 10,
    };
    let page = place.service.search_client_tokens(caller, &search).await.unwrap();
    assert_eq!((page.next, page.looked_through), (None, None));
    page.tokens
}

#[tokio::test]
async fn an_id_a_whole_token_and_a_part_of_a_name_find_tokens() {
    let place = Place::fresh().await;
    let operator = place.operator();
    let (shop, kiosk) = (make(&place, "Web shop").await, make(&place, "Kiosk").await);
    let revoke = ClientTokenPatch {
        status: Some(ClientTokenStatus::Revoked),
        ..ClientTokenPatch::default()
    };
    let revoked = place.service.update_client_token(&operator, shop.id, &revoke).await;
    let shop = revoked.unwrap().value;
    let only_shop = std::slice::from_ref(&shop);
    for text in [
        "SHOP",
        &shop.id.to_string(),
        shop.token.as_str(),
        &format!(" {} ", shop.token.as_str()),
    ] {
        assert_eq!(found(&place, &operator, text, &[]).await, only_shop, "{text}");
        assert_eq!(
            found(&place, &operator, text, &[ClientTokenStatus::Revoked]).await,
            only_shop
        );
        assert_eq!(
            found(&place, &operator, text, &[ClientTokenStatus::Active]).await,
            [],
            "{text}"
        );
    }
    assert_eq!(
        found(&place, &operator, "o", &[]).await,
        [kiosk.clone(), shop.clone()],
        "newest first"
    );
    assert_eq!(
        found(&place, &operator, &shop.id.to_string()[..12], &[]).await,
        [],
        "a part of an id is none"
    );
    let elsewhere = Caller::command_line(place.another_workspace(2).await);
    for text in ["Kiosk", &kiosk.id.to_string(), kiosk.token.as_str()] {
        assert_eq!(found(&place, &elsewhere, text, &[]).await, [], "{text}");
    }
}
