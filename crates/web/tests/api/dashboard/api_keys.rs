//! API keys at the dashboard.

use tollgate_domain::id::ApiKeyId;
use tollgate_domain::role::Role;
use tollgate_storage::Write;

use crate::support::{Answer, DAY, HOUR, Person, Store, TestApp};

const NEW: &str = "/dashboard/api-keys/new";

/// Makes a key by the form; the answer, and the secret on it.
async fn made(app: &TestApp, person: &Person, fields: &str) -> (Answer, String) {
    let answer = app.visit(person.form(NEW, fields)).await;
    assert_eq!(answer.status, 200, "{}", answer.body_text());
    let secret = secret_on(&answer);
    (answer, secret)
}

fn secret_on(answer: &Answer) -> String {
    let (_, rest) = answer
        .body_text()
        .split_once(r#"<p class="secret">"#)
        .expect("a secret");
    rest.split_once("</p>").expect("its end").0.to_owned()
}

/// `apikey_…`, of which the secret has the tail.
fn id_of(secret: &str) -> ApiKeyId {
    let tail = secret.split('_').nth(3).expect("a tail");
    ApiKeyId::parse(&format!("apikey_{tail}")).expect("an id")
}

pub(crate) async fn the_secret_is_shown_once_and_opens_what_was_ticked_only(store: Store) {
    let app = TestApp::start(store).await;
    let owner = app.person(Role::Owner).await;
    let fields = "name=Till&permission=client_token.read&permission=nothing&expiry=30";
    let (answer, secret) = made(&app, &owner, fields).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let key = app.service.authenticate(&secret, None).await.expect("a key");
    assert_eq!(key.permissions().names(), ["client_token.read"]);
    let stored = app
        .storage()
        .api_key(id_of(&secret))
        .await
        .expect("an answer")
        .expect("a key");
    assert_eq!(stored.expires_at, Some(stored.created_at.plus(DAY * 30)));
    for page in [
        "/dashboard/api-keys".to_owned(),
        format!("/dashboard/api-keys/{}", stored.id),
    ] {
        let shown = app.visit(owner.page(page)).await;
        assert!(shown.body_text().contains("Till") && !shown.body_text().contains(&secret));
    }
}

pub(crate) async fn a_form_that_is_wrong_makes_nothing_and_keeps_what_was_typed(store: Store) {
    let app = TestApp::start(store).await;
    let owner = app.person(Role::Owner).await;
    let before = app.stored_events().await.len();
    for (fields, told) in [
        ("name=&permission=client_token.read&expiry=never", "name-error"),
        ("name=%20&permission=client_token.read&expiry=never", "name-error"),
        ("name=Till&expiry=never", "permissions-error"),
        ("name=Till&permission=client_token.read", "expires_at-error"),
        (
            "name=Till&permission=client_token.read&expiry=day&day=2020-01-01",
            "expires_at-error",
        ),
        (
            "name=Till&permission=client_token.read&expiry=day&day=9000-01-01",
            "expires_at-error",
        ),
    ] {
        let answer = app.visit(owner.form(NEW, fields)).await;
        assert_eq!(answer.status, 422, "{fields}");
        assert!(answer.body_text().contains(&format!(r#"id="{told}""#)), "{fields}");
        assert!(!answer.body_text().contains("class=\"secret\""));
    }
    assert_eq!(app.stored_events().await.len(), before);
    let hostile = "name=%3Cscript%3E%22%3E%E2%80%AE&description=kept&expiry=never";
    let answer = app.visit(owner.form(NEW, hostile)).await;
    let page = answer.body_text();
    assert!(
        page.contains("&#60;script&#62;&#34;&#62;\u{202e}") && !page.contains("<script>\""),
        "{page}"
    );
    assert!(page.contains(">kept</textarea>"));
}

pub(crate) async fn presets_tick_boxes_and_nothing_is_ticked_without_one(store: Store) {
    let app = TestApp::start(store).await;
    let admin = app.person(Role::Admin).await;
    for (preset, ticked) in [
        ("", 0),
        ("?preset=integration", 2),
        ("?preset=read-only", 5),
        ("?preset=x", 0),
    ] {
        let page = app.visit(admin.page(format!("{NEW}{preset}"))).await;
        let boxes = page.body_text().split("<input type=\"checkbox\"").skip(1);
        let found = boxes.filter(|text| text.split('>').next().is_some_and(|tag| tag.contains(" checked")));
        assert_eq!(found.count(), ticked, "{preset}");
    }
}

pub(crate) async fn a_key_is_edited_rotated_and_revoked_and_the_history_says_who_did_it(store: Store) {
    let app = TestApp::start(store).await;
    let admin = app.person(Role::Admin).await;
    let (_, secret) = made(&app, &admin, "name=Till&permission=client_token.read&expiry=never").await;
    let page = format!("/dashboard/api-keys/{}", id_of(&secret));
    let edited = admin.form(format!("{page}/edit"), "name=Kiosk&permission=notification.read");
    let answer = app.visit(edited).await;
    assert_eq!(answer.header("location"), Some(&*format!("{page}?done=changed")));
    let key = app.service.authenticate(&secret, None).await.expect("a key");
    assert_eq!(key.permissions().names(), ["notification.read"]);

    let rotated = app.visit(admin.form(format!("{page}/rotate"), "expiry=90")).await;
    let successor = secret_on(&rotated);
    assert!(rotated.body_text().contains(&format!("{page}/revoke")));
    let new = app.service.authenticate(&successor, None).await.expect("a key");
    assert_eq!(new.permissions().names(), ["notification.read"]);
    assert!(
        app.service.authenticate(&secret, None).await.is_ok(),
        "the old one goes on"
    );

    let (id, used_at) = (id_of(&secret), app.service.now());
    app.commit(Write::TouchApiKey { id, used_at }).await;
    let confirmed = app.visit(admin.page(format!("{page}/revoke"))).await;
    assert!(confirmed.body_text().contains("Last used within the last hour."));
    let revoked = app.visit(admin.form(format!("{page}/revoke"), "")).await;
    assert_eq!(revoked.header("location"), Some(&*format!("{page}?done=revoked")));
    assert!(app.service.authenticate(&secret, None).await.is_err());
    let again = app.visit(admin.page(format!("{page}/revoke"))).await;
    assert_eq!(again.status, 303, "nothing is left to confirm");

    let shown = app.visit(admin.page(page)).await;
    let (_, history) = shown.body_text().split_once("id=\"history\"").expect("a history");
    for (what, times) in [
        ("API key created", 1),
        ("API key updated", 1),
        ("API key revoked", 1),
        ("admin@example.com", 3),
    ] {
        let found = history.matches(what).count();
        assert!(found >= times, "{what}: {found}");
    }
}

pub(crate) async fn keys_are_listed_by_status_and_page_by_page(store: Store) {
    let app = TestApp::start(store).await;
    let viewer = app.person(Role::Viewer).await;
    let expired = app.home.key_for(&app, HOUR).await;
    app.clock.advance(HOUR);
    for _ in 0..60 {
        app.home.key(&[]).await;
    }
    let page = app.visit(viewer.page("/dashboard/api-keys")).await;
    let rows = |answer: &Answer| answer.body_text().matches("data-label=\"May do\"").count();
    assert_eq!(rows(&page), 50);
    assert!(
        !page.body_text().contains("/dashboard/api-keys/new"),
        "a viewer makes none"
    );
    let (_, rest) = page.body_text().split_once("after=").expect("an older page");
    let after = rest.split('"').next().expect("its cursor");
    let older = app
        .visit(viewer.page(format!("/dashboard/api-keys?after={after}")))
        .await;
    assert!(older.body_text().contains(&expired.id.to_string()));
    assert!(
        older.body_text().contains("badge expired"),
        "though the clock didn't write it down yet"
    );
    assert_eq!(rows(&older), 60 + 2 - 50, "with the one that the workspace began with");
    let none = app.visit(viewer.page("/dashboard/api-keys?status=revoked")).await;
    assert_eq!(rows(&none), 0);
    assert!(none.body_text().contains("No keys here"));
}
