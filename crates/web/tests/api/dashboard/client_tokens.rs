//! `/dashboard/client-tokens`: the list, a token's own page, its forms, and the ways to end it.

use serde_json::{Value, json};
use tollgate_domain::ambient::Clock;
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::role::Role;
use tollgate_domain::usage::{Hour, UsageCounts, UsageDelta};
use tollgate_storage::Write;

use crate::support::{DAY, HOUR, Person, Store, TestApp, at};

const LIST: &str = "/dashboard/client-tokens";

fn page_of(token: &Value) -> String {
    format!("{LIST}/{}", at(token, "id"))
}

/// The page's text; it must be there.
async fn shown(app: &TestApp, person: &Person, target: &str) -> String {
    let page = app.visit(person.page(target)).await;
    assert_eq!(page.status, 200, "{target}: {}", page.body_text());
    page.body_text().to_owned()
}

/// Where a page's link of this relation leads.
fn link(page: &str, rel: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!("\" rel=\"{rel}\""))?;
    let (_, href) = before.rsplit_once("href=\"")?;
    Some(format!("{LIST}{}", href.replace("&#38;", "&")))
}

/// Sends a form, and gives the address that it leads to.
async fn done(app: &TestApp, person: &Person, target: &str, fields: &str) -> String {
    let answer = app.visit(person.form(target, fields)).await;
    assert_eq!(answer.status, 303, "{target}: {}", answer.body_text());
    answer.header("location").expect("somewhere").to_owned()
}

/// Sends a form that can't be done, and gives the page that says why.
async fn refused(app: &TestApp, person: &Person, target: &str, fields: &str) -> String {
    let answer = app.visit(person.form(target, fields)).await;
    assert_eq!(answer.status, 422, "{target}: {}", answer.body_text());
    answer.body_text().to_owned()
}

/// The token as the native surface shows it.
async fn native(app: &TestApp, id: &str) -> Value {
    let answer = app.get(&format!("/tollgate/client-tokens/{id}")).await;
    answer.data(200).clone()
}

async fn used(app: &TestApp, token: &Value, allowed: u64, origins: &[&str]) {
    let now = app.clock.now();
    let delta = UsageDelta {
        workspace: app.home.workspace.id,
        id: ClientTokenId::parse(at(token, "id")).expect("an id"),
        hour: Hour::of(now),
        counts: UsageCounts {
            allowed,
            refused: 3,
            reported: [2, 0, 0, 0, 0],
        },
        last_used_at: Some(now),
        origins: origins.iter().map(|origin| ((*origin).to_owned(), 5)).collect(),
    };
    app.commit(Write::RecordUsage(vec![delta])).await;
}

pub(crate) async fn an_empty_list_says_what_to_do_first(store: Store) {
    let app = TestApp::start(store).await;
    let developer = app.person(Role::Developer).await;
    let page = shown(&app, &developer, LIST).await;
    assert!(page.contains("No client-side tokens yet") && page.contains("Create the first token"));
    let filtered = shown(&app, &developer, &format!("{LIST}?status=revoked")).await;
    assert!(filtered.contains("No token fits") && !filtered.contains("Create the first token"));
    let viewer = app.person(Role::Viewer).await;
    let page = shown(&app, &viewer, LIST).await;
    assert!(page.contains("No client-side tokens yet") && !page.contains(&format!("{LIST}/new")));
}

pub(crate) async fn pages_of_the_list_lead_to_one_another_and_keep_the_filter(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Viewer).await;
    for number in 0..60 {
        app.token(&format!("Kiosk {number:02}")).await;
    }
    let first = shown(&app, &person, &format!("{LIST}?status=active")).await;
    assert!(first.contains("Kiosk 59") && first.contains("Kiosk 35") && !first.contains("Kiosk 34"));
    assert_eq!(link(&first, "prev"), None);
    let older = link(&first, "next").expect("older ones");
    assert!(older.contains("status=active"));
    let second = shown(&app, &person, &older).await;
    assert!(second.contains("Kiosk 34") && second.contains("Kiosk 10") && !second.contains("Kiosk 35"));
    let last = shown(&app, &person, &link(&second, "next").expect("older ones")).await;
    assert!(last.contains("Kiosk 09") && last.contains("Kiosk 00"));
    assert_eq!(link(&last, "next"), None);
    let back = shown(&app, &person, &link(&last, "prev").expect("newer ones")).await;
    assert!(back.contains("Kiosk 34") && back.contains("Kiosk 10") && !back.contains("Kiosk 09"));
    let front = shown(&app, &person, &link(&back, "prev").expect("newer ones")).await;
    assert!(front.contains("Kiosk 59") && front.contains("Kiosk 35"));
    assert_eq!(link(&front, "prev"), None);
}

pub(crate) async fn a_search_finds_tokens_by_name_by_id_and_by_the_token(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Viewer).await;
    let kiosk = app.token("Kiosk & <b>Bar</b>").await;
    app.token("Web shop").await;
    for text in ["kiosk+%26+%3Cb%3E", at(&kiosk, "id"), at(&kiosk, "token")] {
        let page = shown(&app, &person, &format!("{LIST}?search={text}")).await;
        assert!(
            page.contains("Kiosk &#38; &#60;b&#62;") && !page.contains("Web shop"),
            "{text}"
        );
    }
    let none = shown(&app, &person, &format!("{LIST}?search=kiosk&status=revoked")).await;
    assert!(none.contains("No token fits") && none.contains("value=\"kiosk\""));
    for number in 0..30 {
        app.token(&format!("Pop-up {number:02}")).await;
    }
    let first = shown(&app, &person, &format!("{LIST}?search=POP-UP")).await;
    assert!(first.contains("Pop-up 29") && first.contains("Pop-up 05") && !first.contains("Pop-up 04"));
    let older = link(&first, "next").expect("older ones");
    let second = shown(&app, &person, &older).await;
    assert!(second.contains("Pop-up 04") && second.contains("Pop-up 00") && !second.contains("Pop-up 05"));
    assert_eq!(link(&second, "next"), None);
    assert_eq!(link(&second, "prev"), Some(format!("{LIST}?search=POP-UP")));
}

pub(crate) async fn a_token_is_made_by_the_form_with_what_it_is_narrowed_to(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Developer).await;
    let fields = "name=Till&description=One%0D%0ATwo&allowed_origins=https%3A%2F%2Fshop.example%0D%0A&scopes=cart%0D%0Aread\
                  &expires_at=2099-01-31T12%3A00&requests=100&period_seconds=60&report_only=scopes";
    let to = done(&app, &person, &format!("{LIST}/new"), fields).await;
    let id = to
        .trim_start_matches(LIST)
        .trim_start_matches('/')
        .trim_end_matches("?done=created");
    let token = native(&app, id).await;
    assert_eq!(token["name"], "Till");
    assert_eq!(token["description"], "One\nTwo");
    assert_eq!(
        token["restrictions"],
        json!({
            "allowed_origins": ["https://shop.example"],
            "allowed_networks": null,
            "scopes": ["cart", "read"],
            "expires_at": "2099-01-31T12:00:00.000000Z",
            "rate_limit": { "requests": 100, "period_seconds": 60 },
            "report_only": ["scopes"],
        })
    );
    let page = shown(&app, &person, &to).await;
    assert!(page.contains("The token is made.") && page.contains("only reported"));
    assert!(page.contains("/js/v1/tollgate.js") && page.contains("/paddle/v2/paddle.js"));

    let edit = format!("{LIST}/{id}/edit");
    let form = shown(&app, &person, &edit).await;
    assert!(form.contains("value=\"2099-01-31T12:00:00\"") && form.contains("https://shop.example</textarea>"));
    let fields = "version=1&name=Till+2&scopes=cart";
    assert_eq!(
        done(&app, &person, &edit, fields).await,
        format!("{LIST}/{id}?done=saved")
    );
    let token = native(&app, id).await;
    assert_eq!(
        (token["name"].as_str(), &token["description"]),
        (Some("Till 2"), &Value::Null)
    );
    assert_eq!(token["restrictions"]["scopes"], json!(["cart"]));
    assert_eq!(token["restrictions"]["allowed_origins"], Value::Null);
    assert_eq!(token["restrictions"]["report_only"], json!([]));

    let outdated = refused(&app, &person, &edit, "version=1&name=Lost").await;
    assert!(outdated.contains("Somebody changed this token") && outdated.contains("value=\"Lost\""));
    assert_eq!(native(&app, id).await["name"], "Till 2");
}

pub(crate) async fn a_form_that_cannot_be_done_says_why_and_keeps_what_was_typed(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Developer).await;
    let fields =
        "name=%3Cscript%3E&allowed_origins=https%3A%2F%2Fshop.example%0D%0Anowhere&requests=many&report_only=scopes";
    let page = refused(&app, &person, &format!("{LIST}/new"), fields).await;
    assert!(page.contains("Nothing was changed"));
    assert!(page.contains("nowhere</textarea>") && page.contains("value=\"many\""));
    assert!(!page.contains("<script>"), "what was typed is text");
    for field in ["allowed_origins", "requests", "period_seconds"] {
        assert!(page.contains(&format!("id=\"{field}-error\"")), "{field}");
    }
    let page = refused(&app, &person, &format!("{LIST}/new"), "name=Till&report_only=scopes").await;
    assert!(page.contains("id=\"report-scopes-error\""));
    assert_eq!(app.get("/client-tokens").await.data(200), &json!([]));
}

pub(crate) async fn before_a_revocation_the_page_says_who_still_has_the_token(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let revoke = format!("{}/revoke", page_of(&token));
    // Days pass, and sessions with them.
    let says = async |text: &str| {
        let person = app.person_again(Role::Developer).await;
        let page = shown(&app, &person, &revoke).await;
        assert!(page.contains(text), "{text}: {page}");
    };
    app.clock.advance(2 * DAY);
    says("Never used since it was created 2 days ago.").await;
    used(&app, &token, 1_204, &["https://a.example", "https://b.example"]).await;
    says("Used 1,204 times in the last hour from 2 origins.").await;
    says("Refused 3 times in the last hour.").await;
    let person = app.person_again(Role::Developer).await;
    let detail = shown(&app, &person, &page_of(&token)).await;
    assert!(detail.contains("https://a.example") && detail.contains("Used 1,204 times in the last hour"));
    let list = shown(&app, &person, LIST).await;
    assert!(list.contains("Used 1,204 times in seven days"));
    app.clock.advance(3 * HOUR);
    says("Last used 3 hours ago, 1,204 times in the last 24 hours.").await;
    app.clock.advance(12 * DAY);
    says("Not used for 12 days.").await;
}

pub(crate) async fn a_token_is_revoked_now_or_later_or_kept(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Developer).await;
    let token = app.token("Kiosk").await;
    let (page, id) = (page_of(&token), at(&token, "id").to_owned());
    let revoke = format!("{page}/revoke");
    for (when, hours) in [("hour", 1), ("day", 24), ("week", 7 * 24)] {
        let to = done(&app, &person, &revoke, &format!("when={when}")).await;
        assert_eq!(to, format!("{page}?done=scheduled"));
        let expected = app.clock.now().plus(HOUR * hours).to_string();
        assert_eq!(native(&app, &id).await["revoke_at"], expected.as_str());
    }
    assert!(shown(&app, &person, LIST).await.contains("revokes in 7 days"));
    assert!(shown(&app, &person, &page).await.contains("Keep the token"));
    let to = done(&app, &person, &format!("{page}/keep"), "").await;
    assert_eq!(to, format!("{page}?done=kept"));
    assert_eq!(native(&app, &id).await["revoke_at"], Value::Null);

    for past in ["1999-01-01T00%3A00", "soon", ""] {
        let told = refused(&app, &person, &revoke, &format!("when=at&revoke_at={past}")).await;
        assert!(told.contains("id=\"revoke_at-error\""), "{past}");
    }
    done(&app, &person, &revoke, "when=at&revoke_at=2099-03-02+09%3A15").await;
    assert_eq!(native(&app, &id).await["revoke_at"], "2099-03-02T09:15:00.000000Z");

    let to = done(&app, &person, &revoke, "when=now").await;
    assert_eq!(to, format!("{page}?done=revoked"));
    let told = shown(&app, &person, &page).await;
    assert!(told.contains("Ada &#60;developer@example.com&#62;"), "by whom: {told}");
    assert!(!told.contains(&revoke), "it is over");
    let again = app.visit(person.page(&revoke)).await;
    assert_eq!((again.status, again.header("location")), (303, Some(page.as_str())));
    assert_eq!(
        app.visit(person.form(format!("{page}/rotate"), "when=day"))
            .await
            .status,
        400
    );
}

pub(crate) async fn a_successor_takes_over_and_the_old_token_ends_later(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Developer).await;
    let token = app.token("Kiosk").await;
    let to = done(&app, &person, &format!("{}/rotate", page_of(&token)), "when=day").await;
    let page = shown(&app, &person, &to).await;
    assert!(page.contains(at(&token, "token")), "the old one: {page}");
    assert!(page.contains("revokes in 1 day"));
    let old = native(&app, at(&token, "id")).await;
    let expected = app.clock.now().plus(DAY).to_string();
    assert_eq!(old["revoke_at"], expected.as_str());
    assert_eq!(
        app.get("/client-tokens").await.data(200).as_array().map(Vec::len),
        Some(2)
    );
}

pub(crate) async fn what_was_only_reported_is_enforced_by_one_click(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Developer).await;
    let fields = "name=Till&allowed_origins=https%3A%2F%2Fshop.example&scopes=cart&report_only=allowed_origins\
                  &report_only=scopes";
    let to = done(&app, &person, &format!("{LIST}/new"), fields).await;
    let id = to[LIST.len() + 1..].trim_end_matches("?done=created").to_owned();
    let token = native(&app, &id).await;
    used(&app, &token, 9, &[]).await;
    let page = shown(&app, &person, &page_of(&token)).await;
    assert!(page.contains("would have refused 2 requests in seven days"));
    assert!(page.contains("would have refused nothing in seven days"));
    let to = done(&app, &person, &format!("{LIST}/{id}/enforce"), "kind=allowed_origins").await;
    assert_eq!(to, format!("{LIST}/{id}?done=enforced"));
    assert_eq!(
        native(&app, &id).await["restrictions"]["report_only"],
        json!(["scopes"])
    );
}

pub(crate) async fn a_viewer_sees_tokens_and_is_offered_nothing(store: Store) {
    let app = TestApp::start(store).await;
    let viewer = app.person(Role::Viewer).await;
    let token = app.token("Kiosk").await;
    let page = shown(&app, &viewer, &page_of(&token)).await;
    assert!(page.contains(at(&token, "token")));
    for action in ["/edit", "/revoke", "/keep", "/enforce"] {
        assert!(!page.contains(&format!("{}{action}", page_of(&token))), "{action}");
    }
}
