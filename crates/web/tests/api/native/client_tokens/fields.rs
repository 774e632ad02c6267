//! `restrictions` and `revoke_at` in a body: limits, and what is said when they are not kept.

use serde_json::{Value, json};

use super::{LIST, target};
use crate::support::{SURFACES, Store, TestApp, at, document, validator};

const TEXT_FOR_NUMBER: &str = "Invalid type. Expected: string, given: integer";

/// The answer to these restrictions for a new token.
async fn refused(app: &TestApp, restrictions: Value, problems: &[(&str, &str)]) {
    let answer = app
        .post(LIST, &json!({ "name": "Kiosk", "restrictions": restrictions }))
        .await;
    answer.is_bad_request(problems);
}

pub(crate) async fn everything_that_is_wrong_is_told_in_one_answer(store: Store) {
    let app = TestApp::start(store).await;
    let body = json!({
        "name": "",
        "restrictions": {
            "allowed_origins": ["https://shop.example", "null", 1],
            "allowed_networks": ["10.0.0.0/8", "10.0.0.1/8"],
            "scopes": ["READ", "write"],
            "expires_at": "tomorrow",
            "rate_limit": { "requests": 0, "period_seconds": "60" },
            "report_only": ["origin"],
            "referrers": [],
        },
        "revoke_at": "2026-04-01",
        "status": "revoked",
    });
    app.post(LIST, &body).await.is_bad_request(&[
        ("name", "String length must be greater than or equal to 1"),
        (
            "restrictions.allowed_origins.1",
            "'null' can't be allowed: every sandboxed frame and every file has it",
        ),
        ("restrictions.allowed_origins.2", TEXT_FOR_NUMBER),
        (
            "restrictions.allowed_networks.1",
            "Has bits set behind its prefix length: write 10.0.0.0/8 for the whole network, or leave the prefix length out",
        ),
        ("restrictions.scopes.0", "Does not match pattern '^[a-z0-9_.:-]{1,64}$'"),
        ("restrictions.expires_at", "Does not match format 'date-time'"),
        ("restrictions.rate_limit.requests", "Must be greater than or equal to 1"),
        (
            "restrictions.rate_limit.period_seconds",
            "Invalid type. Expected: integer, given: string",
        ),
        (
            "restrictions.report_only.0",
            r#"must be one of the following: "allowed_origins", "allowed_networks", "scopes", "expires_at", "rate_limit""#,
        ),
        ("restrictions", "Additional property referrers is not allowed"),
        ("revoke_at", "Does not match format 'date-time'"),
        ("(root)", "Additional property status is not allowed"),
    ]);
    assert_eq!(app.get(LIST).await.total(), 0);
}

pub(crate) async fn lists_have_their_limits_and_name_the_place(store: Store) {
    let app = TestApp::start(store).await;
    let many = |count: usize, text: &str| -> Vec<String> {
        (0..count)
            .map(|number| text.replace('N', &number.to_string()))
            .collect()
    };
    for (field, text, most) in [
        ("allowed_origins", "https://N.example", 50),
        ("allowed_networks", "10.0.N.0/24", 50),
        ("scopes", "scope:N", 20),
    ] {
        let name = format!("restrictions.{field}");
        let too_many = format!("Array must have at most {most} items");
        refused(&app, json!({ field: many(most + 1, text) }), &[(&name, &too_many)]).await;
        let none = "Array must have at least 1 items, or be null";
        refused(&app, json!({ field: [] }), &[(&name, none)]).await;
        let one = "Invalid type. Expected: array, given: string";
        refused(&app, json!({ field: text }), &[(&name, one)]).await;

        let full = json!({ "name": "Kiosk", "restrictions": { field: many(most, text) } });
        let answer = app.post(LIST, &full).await;
        let shown = &answer.data(201)["restrictions"][field];
        assert_eq!(shown.as_array().map(Vec::len), Some(most));
    }
    let too_long = format!("https://{}.example", "a".repeat(300));
    let of_length = "String length must be less than or equal to 300";
    refused(
        &app,
        json!({ "allowed_origins": [too_long] }),
        &[("restrictions.allowed_origins.0", of_length)],
    )
    .await;
    // What is there twice is kept once, however it is written.
    let twice = json!({ "allowed_origins": ["https://a.example", "HTTPS://A.example:443/", "https://b.example"] });
    let answer = app.post(LIST, &json!({ "name": "Kiosk", "restrictions": twice })).await;
    assert_eq!(
        answer.data(201)["restrictions"]["allowed_origins"],
        json!(["https://a.example", "https://b.example"])
    );
}

pub(crate) async fn origins_are_read_as_browsers_do_and_refused_with_a_hint(store: Store) {
    let app = TestApp::start(store).await;
    let given = json!([
        "https://Shop.Example",
        "https://*.münchen.example/",
        "http://localhost:3000",
        "capacitor://app"
    ]);
    let answer = app
        .post(
            LIST,
            &json!({ "name": "Kiosk", "restrictions": { "allowed_origins": given } }),
        )
        .await;
    assert_eq!(
        answer.data(201)["restrictions"]["allowed_origins"],
        json!([
            "https://shop.example",
            "https://*.xn--mnchen-3ya.example",
            "http://localhost:3000",
            "capacitor://app"
        ])
    );
    let not_an_origin = "Not an origin: write a scheme and a host, perhaps a port, as in https://shop.example.com";
    let star = "A star may only stand for the labels before a domain, as in https://*.example.com";
    for (wrong, message) in [
        ("shop.example", not_an_origin),
        ("https://shop.example/till", not_an_origin),
        ("https://me@shop.example", not_an_origin),
        ("*", not_an_origin),
        ("https://*", star),
        ("https://shop*.example", star),
        (
            "https://*.example",
            "A star needs a domain of two labels or more after it, as in https://*.example.com",
        ),
    ] {
        refused(
            &app,
            json!({ "allowed_origins": [wrong] }),
            &[("restrictions.allowed_origins.0", message)],
        )
        .await;
    }
}

pub(crate) async fn networks_are_refused_with_a_hint(store: Store) {
    let app = TestApp::start(store).await;
    let given = json!(["203.0.113.7", "10.0.0.0/8", "2001:DB8::/32", "::1"]);
    let answer = app
        .post(
            LIST,
            &json!({ "name": "Kiosk", "restrictions": { "allowed_networks": given } }),
        )
        .await;
    assert_eq!(
        answer.data(201)["restrictions"]["allowed_networks"],
        json!(["203.0.113.7/32", "10.0.0.0/8", "2001:db8::/32", "::1/128"])
    );
    let not_a_network =
        "Not a network: write an address, as in 203.0.113.7, or one with a prefix length, as in 10.0.0.0/8";
    for (wrong, message) in [
        ("localhost", not_a_network),
        ("10.0.0.0/33", not_a_network),
        ("::ffff:10.0.0.1", "Stands for IPv4 addresses: write it as these"),
    ] {
        refused(
            &app,
            json!({ "allowed_networks": [wrong] }),
            &[("restrictions.allowed_networks.0", message)],
        )
        .await;
    }
}

pub(crate) async fn rate_limits_have_both_numbers_within_their_limits(store: Store) {
    let app = TestApp::start(store).await;
    let limit =
        |requests: Value, period: Value| json!({ "rate_limit": { "requests": requests, "period_seconds": period } });
    for (requests, period) in [(1, 1), (1_000_000, 86_400)] {
        let restrictions = limit(json!(requests), json!(period));
        let answer = app
            .post(LIST, &json!({ "name": "Kiosk", "restrictions": restrictions }))
            .await;
        assert_eq!(
            answer.data(201)["restrictions"]["rate_limit"],
            restrictions["rate_limit"]
        );
    }
    refused(
        &app,
        limit(json!(1_000_001), json!(86_401)),
        &[
            (
                "restrictions.rate_limit.requests",
                "Must be less than or equal to 1000000",
            ),
            (
                "restrictions.rate_limit.period_seconds",
                "Must be less than or equal to 86400",
            ),
        ],
    )
    .await;
    refused(
        &app,
        json!({ "rate_limit": { "per_minute": 3 } }),
        &[
            ("restrictions.rate_limit", "requests is required"),
            ("restrictions.rate_limit", "period_seconds is required"),
            (
                "restrictions.rate_limit",
                "Additional property per_minute is not allowed",
            ),
        ],
    )
    .await;
}

pub(crate) async fn what_is_no_object_is_named(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    for (wrong, given) in [
        (json!([]), "array"),
        (json!("none"), "string"),
        (json!(false), "boolean"),
    ] {
        let message = format!("Invalid type. Expected: object, given: {given}");
        let problems = [("restrictions", message.as_str())];
        refused(&app, wrong.clone(), &problems).await;
        let answer = app.patch(&target(&token), &json!({ "restrictions": wrong })).await;
        answer.is_bad_request(&problems);
    }
    let answer = app
        .patch(
            &target(&token),
            &json!({ "restrictions": { "rate_limit": 5, "report_only": null } }),
        )
        .await;
    answer.is_bad_request(&[
        (
            "restrictions.rate_limit",
            "Invalid type. Expected: object, given: integer",
        ),
        ("restrictions.report_only", "Invalid type. Expected: array, given: null"),
    ]);
}

/// As far as a schema can say it.
pub(crate) async fn the_description_of_a_body_agrees_with_the_server(store: Store) {
    let app = TestApp::start(store).await;
    let document = document(app.address).await;
    let schema = |name: &str| validator(document, &document["components"]["schemas"][name]);
    let (create, update) = (schema("NativeClientTokenCreate"), schema("NativeClientTokenUpdate"));
    let limits = |requests: i64, period: i64| json!({ "requests": requests, "period_seconds": period });
    let restrictions = [
        json!(null),
        json!({}),
        json!([]),
        json!({ "allowed_origins": null, "rate_limit": null }),
        json!({ "allowed_origins": ["https://shop.example"] }),
        json!({ "allowed_origins": [] }),
        json!({ "allowed_networks": ["10.0.0.0/8"] }),
        json!({ "allowed_networks": [1] }),
        json!({ "scopes": ["read"] }),
        json!({ "scopes": ["Read"] }),
        json!({ "scopes": vec!["read"; 21] }),
        json!({ "expires_at": "2027-01-01T00:00:00Z" }),
        json!({ "expires_at": 1 }),
        json!({ "rate_limit": limits(1, 1) }),
        json!({ "rate_limit": limits(0, 1) }),
        json!({ "rate_limit": limits(1, 86_401) }),
        json!({ "rate_limit": { "requests": 1 } }),
        json!({ "report_only": [] }),
        json!({ "report_only": null }),
        json!({ "report_only": ["origins"] }),
        json!({ "x": 1 }),
    ];
    let moments = [json!(null), json!("2027-01-01T00:00:00Z"), json!("soon"), json!(1)];
    let mut bodies: Vec<Value> = restrictions.map(|given| json!({ "restrictions": given })).into();
    bodies.extend(moments.map(|given| json!({ "revoke_at": given })));
    for body in bodies {
        let token = app.token("Kiosk").await;
        let answer = app.patch(&target(&token), &body).await;
        assert_eq!(update.is_valid(&body), answer.status == 200, "update {body}");
        let mut new = body.clone();
        new["name"] = json!("Kiosk");
        let answer = app.post(LIST, &new).await;
        assert_eq!(create.is_valid(&new), answer.status == 201, "create {new}");
    }
}

pub(crate) async fn the_compatible_surface_knows_nothing_of_it(store: Store) {
    let app = TestApp::start(store).await;
    let restrictions = json!({ "scopes": ["read"] });
    let made = app
        .post(
            LIST,
            &json!({ "name": "Kiosk", "restrictions": restrictions, "revoke_at": "2027-01-01T00:00:00Z" }),
        )
        .await;
    let id = at(made.data(201), "id");
    for body in [
        json!({ "restrictions": restrictions }),
        json!({ "revoke_at": "2027-01-01T00:00:00Z" }),
    ] {
        let name = body
            .as_object()
            .and_then(|body| body.keys().next())
            .expect("one")
            .clone();
        let unknown = format!("Additional property {name} is not allowed");
        let mut new = body.clone();
        new["name"] = json!("Kiosk");
        app.post("/client-tokens", &new)
            .await
            .is_bad_request(&[("(root)", &unknown)]);
        let mut revoke = body.clone();
        revoke["status"] = json!("revoked");
        let answer = app.patch(&format!("/client-tokens/{id}"), &revoke).await;
        answer.is_bad_request(&[("(root)", &unknown)]);
    }
    let fields = [
        "created_at",
        "description",
        "id",
        "name",
        "revoked_at",
        "status",
        "token",
        "updated_at",
    ];
    let names = |token: &Value| {
        let mut names: Vec<String> = token.as_object().expect("an object").keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(app.get(&format!("/client-tokens/{id}")).await.data(200)), fields);
    assert_eq!(names(&app.get("/client-tokens").await.items()[0]), fields);
    let events = app
        .get("/events?event_type=client_token.created,client_token.updated")
        .await;
    assert_eq!(events.items().len(), 1);
    assert_eq!(names(&events.items()[0]["data"]), fields);
    let ours = ["last_used_at", "restrictions", "revoke_at"];
    for surface in SURFACES {
        let shown = app.get(&format!("{surface}/client-tokens/{id}")).await;
        for name in ours {
            assert_eq!(
                shown.data(200).get(name).is_some(),
                !surface.is_empty(),
                "{surface} {name}"
            );
        }
    }
}
