//! What holds for every form.

use tollgate_domain::role::Role;

use crate::support::{Store, TestApp};

pub(crate) async fn a_form_must_come_from_a_page_of_this_host_if_the_browser_says_from_where(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Owner).await;
    let switch = || person.form("/dashboard/workspace", "");
    let host = app.base();
    for origin in ["null", "https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1"] {
        assert_eq!(
            app.visit(switch().header("Origin", origin)).await.status,
            403,
            "{origin}"
        );
    }
    for (name, value, status) in [
        ("Origin", host.as_str(), 303),
        ("Sec-Fetch-Site", "same-origin", 303),
        ("Sec-Fetch-Site", "none", 303),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
    ] {
        assert_eq!(
            app.visit(switch().header(name, value)).await.status,
            status,
            "{name}: {value}"
        );
    }
}

pub(crate) async fn a_body_that_is_no_form_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Owner).await;
    let json = crate::support::post("/dashboard/workspace").header("Cookie", person.cookie());
    assert_eq!(app.visit(json.text("{}")).await.status, 415);
    let huge = person.form("/dashboard/workspace", &"a".repeat(2 * 1024 * 1024));
    assert_eq!(app.visit(huge).await.status, 413);
}
