//! What is counted, and what is told of it.

use std::time::Duration;

use tollgate_domain::environment::Environment;
use tollgate_domain::restriction::{RestrictionKind, RestrictionKinds, Restrictions};
use tollgate_domain::usage::{Hour, MOST_ORIGINS_A_DAY, UsageDelta};
use tollgate_domain::verdict::{Asked, TokenFacts};
use tollgate_verifier::{Lost, Settings};

use crate::support::{Desk, at, facts, restricted};

fn from<'a>(origin: Option<&'a str>, referer: Option<&'a str>) -> Asked<'a> {
    Asked {
        origin,
        referer,
        ..Asked::default()
    }
}

fn only(mut deltas: Vec<UsageDelta>) -> UsageDelta {
    assert_eq!(deltas.len(), 1, "{deltas:?}");
    deltas.remove(0)
}

#[test]
fn what_was_let_in_and_what_was_refused_is_counted_for_known_tokens() {
    let (used, revoked) = (
        facts(1),
        TokenFacts {
            revoked: true,
            ..facts(2)
        },
    );
    let mut desk = Desk::with([&used, &revoked]);
    for _ in 0..3 {
        desk.present(&used).unwrap();
        desk.advance(Duration::from_secs(1));
    }
    let live = Asked {
        environment: Some(Environment::Live),
        ..Asked::default()
    };
    desk.ask(used.token.as_str(), &live).unwrap_err();
    desk.present(&revoked).unwrap_err();
    desk.present(&facts(3)).unwrap_err();
    desk.ask("nonsense", &Asked::default()).unwrap_err();
    let deltas = desk.verifier.take_usage();
    let [one, other] = deltas.as_slice() else {
        panic!("{deltas:?}")
    };
    assert_eq!(
        (one.workspace, one.id, one.hour),
        (used.workspace, used.id, Hour::of(at(0)))
    );
    assert_eq!((one.counts.allowed, one.counts.refused), (3, 1));
    assert_eq!(one.last_used_at, Some(at(2)), "being refused is no use");
    assert_eq!(other.id, revoked.id);
    assert_eq!(
        (other.counts.allowed, other.counts.refused, other.last_used_at),
        (0, 1, None)
    );
    assert!(one.origins.is_empty() && other.origins.is_empty());
    assert_eq!(desk.verifier.take_usage(), [], "it was told");
}

#[test]
fn each_hour_is_told_apart() {
    let facts = facts(1);
    let mut desk = Desk::with_settings(Settings { max_age: None }, [&facts]);
    desk.advance(Duration::from_secs(3_599));
    desk.present(&facts).unwrap();
    desk.verifier.gather_usage();
    desk.advance(Duration::from_secs(1));
    desk.present(&facts).unwrap();
    desk.present(&facts).unwrap();
    let told: Vec<_> = desk
        .verifier
        .take_usage()
        .into_iter()
        .map(|delta| (delta.hour, delta.counts.allowed))
        .collect();
    assert_eq!(told, [(Hour::of(at(0)), 1), (Hour::of(at(3_600)), 2)]);
}

#[test]
fn what_is_only_reported_is_counted_by_kind() {
    let facts = restricted(
        1,
        Restrictions {
            expires_at: Some(at(0)),
            allowed_networks: "192.0.2.0/24".parse().ok().map(|network| vec![network]),
            report_only: [RestrictionKind::ExpiresAt, RestrictionKind::AllowedNetworks]
                .into_iter()
                .collect::<RestrictionKinds>(),
            ..Restrictions::default()
        },
    );
    let desk = Desk::with([&facts]);
    desk.present(&facts).unwrap();
    let inside = Asked {
        client_address: "192.0.2.1".parse().ok(),
        ..Asked::default()
    };
    desk.ask(facts.token.as_str(), &inside).unwrap();
    let told = only(desk.verifier.take_usage());
    assert_eq!(told.counts.allowed, 2);
    assert_eq!(told.counts.reported, [0, 1, 0, 2, 0]);
}

#[test]
fn sites_are_counted_as_a_browser_means_them() {
    let facts = facts(1);
    let desk = Desk::with([&facts]);
    for (origin, referer) in [
        (Some("https://shop.example"), None),
        (Some("https://shop.example"), Some("https://other.example/")),
        (Some("https://SHOP.example:443"), None),
        (None, Some("https://shop.example/cart?x=1#top")),
        (None, Some("https://shop.example?y")),
        (Some("capacitor://localhost"), None),
        (Some("null"), None),
        (Some(""), None),
        (Some("not a site"), None),
        (None, Some("about:blank")),
        (None, None),
    ] {
        desk.ask(facts.token.as_str(), &from(origin, referer)).unwrap();
    }
    let long = format!("https://{}", "a.".repeat(200));
    desk.ask(facts.token.as_str(), &from(Some(&long), None)).unwrap();
    let told = only(desk.verifier.take_usage());
    assert_eq!(told.counts.allowed, 12);
    assert_eq!(
        told.origins,
        [
            ("https://shop.example".to_owned(), 5),
            ("capacitor://localhost".to_owned(), 1)
        ]
    );
}

#[test]
fn sites_that_were_refused_do_not_count() {
    let facts = TokenFacts {
        revoked: true,
        ..facts(1)
    };
    let desk = Desk::with([&facts]);
    desk.ask(facts.token.as_str(), &from(Some("https://shop.example"), None))
        .unwrap_err();
    assert!(only(desk.verifier.take_usage()).origins.is_empty());
}

#[test]
fn whoever_comes_often_is_told_however_many_others_come_once() {
    let facts = facts(1);
    let desk = Desk::with([&facts]);
    for number in 0..600 {
        for often in ["https://shop.example", "https://blog.example"] {
            desk.ask(facts.token.as_str(), &from(Some(often), None)).unwrap();
        }
        let once = format!("https://{number}.example");
        desk.ask(facts.token.as_str(), &from(Some(&once), None)).unwrap();
        if number % 100 == 99 {
            desk.verifier.gather_usage();
        }
    }
    let told = only(desk.verifier.take_usage());
    assert_eq!(told.origins.len(), MOST_ORIGINS_A_DAY);
    assert_eq!(told.origins[0], ("https://shop.example".to_owned(), 600));
    assert_eq!(told.origins[1], ("https://blog.example".to_owned(), 600));
    assert_eq!(desk.verifier.lost_usage(), Lost::default());
}
