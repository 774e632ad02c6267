//! Ways to sign in that are switched on and off.

use tollgate_domain::role::Role;
use tollgate_domain::user::EmailAddress;
use tollgate_service::SignInMethods;

use super::entrance::{fill, kept};
use super::openid;
use crate::support::{Store, TestApp, get};

async fn with(store: Store, methods: SignInMethods) -> TestApp {
    let provider = methods.openid.is_some().then(openid::provider);
    TestApp::with_sign_in(store, methods, provider, |settings| {
        settings.public_url = Some("http://localhost:8787".to_owned());
    })
    .await
}

fn off() -> SignInMethods {
    SignInMethods {
        passwords: false,
        passkeys: false,
        openid: None,
    }
}

async fn invitation(app: &TestApp) -> String {
    let email = EmailAddress::parse("ada@example.com").expect("an address");
    let invited = app.service.invite(&app.home.operator, email, Role::Developer).await;
    invited.expect("an invitation").path()
}

pub(crate) async fn what_is_switched_off_is_neither_offered_nor_done(store: Store) {
    let app = with(store, off()).await;
    let page = app.visit(get("/dashboard/sign-in")).await;
    for offer in ["type=\"password\"", "data-passkey", "/sign-in/openid"] {
        assert!(!page.body_text().contains(offer), "{offer} in {}", page.body_text());
    }
    for path in ["/dashboard/sign-in/openid", "/dashboard/sign-in/openid/return"] {
        assert_eq!(app.visit(get(path)).await.status, 404, "{path}");
    }
    let person = app.person(Role::Viewer).await;
    let asked = app
        .visit(person.form("/dashboard/account/passkeys/challenge", "name=Phone"))
        .await;
    assert_eq!(asked.status, 422);
    assert_eq!(asked.json()["problem"], "Passkeys are switched off.");
    let account = app.visit(person.page("/dashboard/account")).await;
    for offer in ["type=\"password\"", "data-passkey", "Passkeys"] {
        assert!(
            !account.body_text().contains(offer),
            "{offer} in {}",
            account.body_text()
        );
    }
    let reset = app.service.issue_reset(&app.home.operator, person.id).await;
    let reset = reset.expect("a link").path();
    let page = app.visit(get(&*reset)).await;
    assert_eq!(page.status, 409);
    assert!(
        page.body_text().contains("Passwords are switched off"),
        "{}",
        page.body_text()
    );
}

pub(crate) async fn an_invitation_names_the_provider(store: Store) {
    let app = openid::app(store).await;
    let page = app.visit(get(invitation(&app).await)).await;
    let text = page.body_text();
    assert!(text.contains("Or sign in with Example ID as"), "{text}");
    assert!(
        text.contains("href=\"/dashboard/sign-in/openid?next=%2Fdashboard\""),
        "{text}"
    );
    assert!(text.contains("type=\"password\""), "{text}");
}

pub(crate) async fn where_only_the_provider_signs_in_an_invitation_has_no_form(store: Store) {
    let methods = SignInMethods {
        openid: Some("Example ID".to_owned()),
        ..off()
    };
    let app = with(store, methods).await;
    let invitation = invitation(&app).await;
    let page = app.visit(get(&*invitation)).await;
    assert_eq!(page.status, 200);
    let text = page.body_text();
    assert!(
        text.contains("Sign in with Example ID as") && !text.contains("<form"),
        "{text}"
    );
    // Whoever sends one all the same isn't a member by it.
    let email = EmailAddress::parse("ada@example.com").expect("an address");
    let sign_in = app.visit(get("/dashboard/sign-in/openid")).await;
    let visitor = kept(&sign_in, "tollgate-visitor").expect("a cookie").to_owned();
    let secret = tollgate_domain::session::SessionSecret::parse(&visitor).expect("a secret");
    let form = crate::support::post(&*invitation).header("Cookie", format!("tollgate-visitor={visitor}"));
    let refused = app
        .visit(form.form(format!("proof={}&name=Ada", secret.form_proof())))
        .await;
    assert_eq!(refused.status, 422, "{}", refused.body_text());
    let known = app.storage().user_by_email(&email).await.expect("the store answers");
    assert_eq!(known, None);
}

pub(crate) async fn whoever_joins_by_name_alone_is_signed_in_once(store: Store) {
    let methods = SignInMethods {
        passkeys: true,
        ..off()
    };
    let app = with(store, methods).await;
    let invitation = invitation(&app).await;
    let refused = fill(&app, &invitation, "name=").await;
    assert_eq!((refused.status, kept(&refused, "tollgate-session")), (422, None));
    let joined = fill(&app, &invitation, "name=Ada").await;
    assert_eq!(joined.header("location"), Some("/dashboard/account?done=joined"));
    let session = kept(&joined, "tollgate-session").expect("a session").to_owned();
    let account = get("/dashboard/account").header("Cookie", format!("tollgate-session={session}"));
    let account = app.visit(account).await;
    assert!(
        account.body_text().contains("ada@example.com"),
        "{}",
        account.body_text()
    );
    assert_eq!(app.visit(get(&*invitation)).await.status, 410, "used up");

    // Whoever has an account is nobody's to be by a link.
    let email = EmailAddress::parse("ada@example.com").expect("an address");
    let elsewhere = app
        .workspace("Another shop", tollgate_domain::environment::Environment::Live)
        .await;
    let again = app.service.invite(&elsewhere.operator, email, Role::Owner).await;
    let again = fill(&app, &again.expect("an invitation").path(), "name=Eve").await;
    assert_eq!(again.header("location"), Some("/dashboard/sign-in?done=joined"));
    assert_eq!(kept(&again, "tollgate-session"), None);
}
