//! `GET /client-tokens`: which, how many, in which order.

use serde_json::{Value, json};

use crate::support::{SURFACES, Store, TestApp, at, get, shown_on};

const ORDERS: &str = r#"must be one of the following: "id[ASC]", "id[DESC]""#;
const NOT_AN_INTEGER: &str = "Invalid type. Expected: integer, given: string";

pub(crate) async fn active_tokens_are_listed_newest_first(store: Store) {
    let app = TestApp::start(store).await;
    let first = app.token("First").await;
    app.revoked_token("Second").await;
    let third = app.token("Third").await;
    for surface in SURFACES {
        let answer = app.get(&format!("{surface}/client-tokens")).await;
        assert_eq!(
            answer.data(200),
            &json!([shown_on(surface, &third), shown_on(surface, &first)])
        );
        let next = format!("{}{surface}/client-tokens?after={}", app.base(), at(&first, "id"));
        let expected = format!(
            r#","meta":{{"request_id":"{}","pagination":{{"per_page":50,"next":"{next}","has_more":false,"estimated_total":2}}}}}}"#,
            answer.request_id()
        );
        assert!(answer.body_text().ends_with(&expected), "{}", answer.body_text());
    }
}

pub(crate) async fn an_item_of_a_list_has_the_bytes_that_the_token_alone_has(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let alone = app.get(&format!("/client-tokens/{}", at(&token, "id"))).await;
    let bytes = alone.body_text().strip_prefix("{\"data\":").expect("an envelope");
    let bytes = bytes.split_once(",\"meta\"").expect("an envelope").0.to_owned();
    let list = app.get("/client-tokens").await;
    assert!(list.body_text().starts_with(&format!("{{\"data\":[{bytes}],")));
}

pub(crate) async fn statuses_are_filtered_by_a_comma_list(store: Store) {
    let app = TestApp::start(store).await;
    let active = app.token("Active").await;
    let revoked = app.revoked_token("Revoked").await;
    let (active, revoked) = (at(&active, "id"), at(&revoked, "id"));
    for (query, expected) in [
        ("", vec![active]),
        ("?", vec![active]),
        ("?status=active", vec![active]),
        ("?status=revoked", vec![revoked]),
        ("?status=active%2Crevoked", vec![revoked, active]),
        ("?status=active,revoked", vec![revoked, active]),
        ("?status=revoked%2cactive", vec![revoked, active]),
        ("?status=,revoked,,", vec![revoked]),
        ("?status=revoked,revoked", vec![revoked]),
        ("?status=", vec![active]),
        ("?status=,", vec![active]),
        ("?%73tatus=revoked", vec![revoked]),
    ] {
        let answer = app.get(&format!("/client-tokens{query}")).await;
        assert_eq!(answer.column("id"), expected, "{query}");
        assert_eq!(answer.total(), i64::try_from(expected.len()).expect("few"), "{query}");
    }
}

pub(crate) async fn an_unknown_status_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    for value in [
        "archived",
        "Active",
        "ACTIVE",
        "active%2Cpaused",
        "active%20",
        "active;revoked",
        "%00",
        "%ff",
    ] {
        let answer = app.get(&format!("/client-tokens?status={value}")).await;
        answer.is_bad_request(&[("status", r#"must be one of the following: "active", "revoked""#)]);
    }
}

pub(crate) async fn unknown_parameters_are_ignored(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    for query in [
        "?id=ctkn_1&search=x",
        "?Status=archived",
        "?=&&a",
        "?per_page[LTE]=x",
        "?%ff=%fe",
    ] {
        let answer = app.get(&format!("/client-tokens{query}")).await;
        assert_eq!(answer.data(200), &json!([token]), "{query}");
    }
}

pub(crate) async fn a_page_holds_50_by_default_and_200_at_most(store: Store) {
    let app = TestApp::start(store).await;
    for (query, per_page) in [
        ("", 50),
        ("?per_page=1", 1),
        ("?per_page=050", 50),
        ("?per_page=199", 199),
        ("?per_page=200", 200),
        ("?per_page=201", 200),
        ("?per_page=1000000", 200),
        ("?per_page=18446744073709551616", 200),
        ("?per_page=170141183460469231731687303715884105728", 200),
    ] {
        let answer = app.get(&format!("/client-tokens{query}")).await;
        assert_eq!(answer.pagination()["per_page"], per_page, "{query}");
    }
}

pub(crate) async fn a_page_length_that_is_no_positive_integer_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    for value in ["0", "-1", "-99999999999999999999999999999999999999999999", "00"] {
        let answer = app.get(&format!("/client-tokens?per_page={value}")).await;
        answer.is_bad_request(&[("per_page", "Must be greater than or equal to 1")]);
    }
    for value in ["", "ten", "1.5", "1e2", "0x10", "%20", "5%20", "%00", "%D9%A3", "1,2"] {
        let answer = app.get(&format!("/client-tokens?per_page={value}")).await;
        answer.is_bad_request(&[("per_page", NOT_AN_INTEGER)]);
    }
}

pub(crate) async fn a_list_runs_either_way_whatever_the_case(store: Store) {
    let app = TestApp::start(store).await;
    let (first, second) = (app.token("First").await, app.token("Second").await);
    let rising = vec![at(&first, "id"), at(&second, "id")];
    let falling = vec![at(&second, "id"), at(&first, "id")];
    for (order, expected) in [
        ("id%5BASC%5D", &rising),
        ("id[asc]", &rising),
        ("id%5basc%5d", &rising),
        ("id[aSc]", &rising),
        ("id%5BDESC%5D", &falling),
        ("id[desc]", &falling),
    ] {
        let answer = app.get(&format!("/client-tokens?order_by={order}")).await;
        assert_eq!(&answer.column("id"), expected, "{order}");
    }
}

pub(crate) async fn another_order_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    for order in [
        "",
        "id",
        "id[]",
        "id[UP]",
        "id[ASC",
        "idASC]",
        "[ASC]",
        "name[ASC]",
        "ID[ASC]",
        "id[ASC]x",
        "id[ASC],id[DESC]",
        "id.ASC",
        "-id",
        "created_at[DESC]",
        "id%00[ASC]",
        "event_id[ASC]",
    ] {
        let answer = app.get(&format!("/client-tokens?order_by={order}")).await;
        answer.is_bad_request(&[("order_by", ORDERS)]);
    }
}

pub(crate) async fn a_cursor_must_be_an_id_of_a_client_token(store: Store) {
    let app = TestApp::start(store).await;
    for after in [
        "",
        "1",
        "ctkn_",
        "evt_01kjpx8smt1jx21jct317jay33",
        "CTKN_01kjpx8smt1jx21jct317jay33",
        "%00",
        "%ff",
    ] {
        let answer = app.get(&format!("/client-tokens?after={after}")).await;
        answer.is_bad_request(&[("after", r"Does not match pattern '^ctkn_[a-z\d]{26}$'")]);
    }
}

pub(crate) async fn a_parameter_that_is_given_twice_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    for (name, value) in [
        ("after", "ctkn_01kjpx8smt1jx21jct317jay33"),
        ("per_page", "1"),
        ("order_by", "id[ASC]"),
        ("status", "active"),
    ] {
        let answer = app.get(&format!("/client-tokens?{name}={value}&{name}={value}")).await;
        answer.is_bad_request(&[(name, "Must be given once")]);
    }
}

pub(crate) async fn every_parameter_that_is_wrong_is_told_in_one_answer(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let query = "?status=gone&order_by=name&per_page=x&after=y";
        let answer = app.get(&format!("{surface}/client-tokens{query}")).await;
        answer.is_bad_request(&[
            ("after", r"Does not match pattern '^ctkn_[a-z\d]{26}$'"),
            ("per_page", NOT_AN_INTEGER),
            ("order_by", ORDERS),
            ("status", r#"must be one of the following: "active", "revoked""#),
        ]);
    }
}

pub(crate) async fn the_total_follows_the_filter_and_each_change(store: Store) {
    let app = TestApp::start(store).await;
    let total = async |query: &str| app.get(&format!("/client-tokens{query}")).await.total();
    assert_eq!(total("").await, 0);
    let mut tokens: Vec<Value> = Vec::new();
    for number in 0..5 {
        tokens.push(app.token(&format!("Kiosk {number}")).await);
    }
    assert_eq!(total("?per_page=2").await, 5);
    let after = at(&tokens[1], "id");
    assert_eq!(total(&format!("?after={after}")).await, 5, "whatever the cursor");
    app.patch(&format!("/client-tokens/{after}"), &json!({ "status": "revoked" }))
        .await
        .data(200);
    assert_eq!(total("").await, 4);
    assert_eq!(total("?status=revoked").await, 1);
    assert_eq!(total("?status=active,revoked").await, 5);
    // A second revocation changes nothing, so it counts nothing.
    app.patch(&format!("/client-tokens/{after}"), &json!({ "status": "revoked" }))
        .await
        .data(200);
    assert_eq!(total("?status=revoked").await, 1);
}

pub(crate) async fn the_total_can_be_skipped(store: Store) {
    let app = TestApp::start(store).await;
    app.token("Kiosk").await;
    for (value, total) in [("true", -1), ("TRUE", -1), ("false", 1), ("", 1), ("1", 1)] {
        let list = get("/client-tokens").by(&app.key).header("Skip-Count", value);
        let answer = app.send(list).await;
        assert_eq!(answer.total(), total, "{value:?}");
        assert_eq!(answer.items().len(), 1);
    }
}

pub(crate) async fn a_list_holds_nothing_of_another_workspace(store: Store) {
    let app = TestApp::start(store).await;
    app.token("Kiosk").await;
    let another = app.workspace("Another shop", app.home.workspace.environment).await;
    let stranger = another.full_key().await;
    let own = app.token_by(&stranger, "Stall").await;
    let answer = app.send(get("/client-tokens").by(&stranger)).await;
    assert_eq!(answer.data(200), &json!([own]));
    assert_eq!(answer.total(), 1);
}
