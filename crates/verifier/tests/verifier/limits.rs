//! Rate limits: how often, from where, and when again.

use std::num::NonZeroU32;
use std::time::Duration;

use tollgate_domain::restriction::{RateLimit, RestrictionKind, RestrictionKinds, Restrictions};
use tollgate_domain::verdict::{Asked, Denial, TokenFacts};
use tollgate_verifier::Settings;

use crate::support::{Desk, facts, restricted};

fn limited(requests: u32, period_seconds: u32) -> Restrictions {
    Restrictions {
        rate_limit: NonZeroU32::new(requests)
            .zip(NonZeroU32::new(period_seconds))
            .map(|(requests, period_seconds)| RateLimit {
                requests,
                period_seconds,
            }),
        ..Restrictions::default()
    }
}

fn from(address: &str) -> Asked<'static> {
    Asked {
        client_address: address.parse().ok(),
        ..Asked::default()
    }
}

fn too_often(retry_after_seconds: u32) -> Denial {
    Denial::RateLimited { retry_after_seconds }
}

/// Its index never grows too old.
fn trusting(facts: &TokenFacts) -> Desk {
    Desk::with_settings(Settings { max_age: None }, [facts])
}

/// How many of `times` are let in.
fn let_in(desk: &Desk, facts: &TokenFacts, asked: &Asked<'_>, times: usize) -> usize {
    (0..times)
        .filter(|_| desk.ask(facts.token.as_str(), asked).is_ok())
        .count()
}

#[test]
fn so_many_are_let_in_at_once_and_then_one_at_a_time() {
    let facts = restricted(1, limited(6, 60));
    let mut desk = trusting(&facts);
    assert_eq!(let_in(&desk, &facts, &Asked::default(), 6), 6);
    assert_eq!(desk.present(&facts), Err(too_often(10)));
    desk.advance(Duration::from_millis(9_999));
    assert_eq!(desk.present(&facts), Err(too_often(1)));
    desk.advance(Duration::from_millis(1));
    assert!(desk.present(&facts).is_ok(), "what was refused has taken nothing");
    assert_eq!(desk.present(&facts), Err(too_often(10)));
    desk.advance(Duration::from_secs(59));
    assert_eq!(let_in(&desk, &facts, &Asked::default(), 10), 5);
    desk.advance(Duration::from_mins(2));
    assert_eq!(
        let_in(&desk, &facts, &Asked::default(), 10),
        6,
        "whole again, and no more than that"
    );
}

#[test]
fn whoever_waits_as_long_as_told_is_let_in() {
    for (requests, period) in [(1, 1), (1, 86_400), (3, 10), (7, 1), (100_000, 86_400), (999, 86_399)] {
        let facts = restricted(1, limited(requests, period));
        let mut desk = trusting(&facts);
        assert_eq!(
            let_in(&desk, &facts, &Asked::default(), requests as usize),
            requests as usize
        );
        for _ in 0..3 {
            let Err(Denial::RateLimited { retry_after_seconds }) = desk.present(&facts) else {
                // Within a second, a quick limit lets in more than one.
                assert!(requests > period);
                continue;
            };
            assert!((1..=period).contains(&retry_after_seconds));
            desk.advance(Duration::from_secs(retry_after_seconds.into()));
            assert!(desk.present(&facts).is_ok(), "{requests} in {period} s");
        }
    }
}

#[test]
fn each_address_has_a_limit_of_its_own_and_each_token() {
    let (one, other) = (restricted(1, limited(1, 60)), restricted(2, limited(1, 60)));
    let desk = Desk::with([&one, &other]);
    for asked in [
        from("192.0.2.1"),
        from("192.0.2.2"),
        from("2001:db8::1"),
        from("2001:db8:0:1::1"),
        from(""),
    ] {
        for facts in [&one, &other] {
            assert_eq!(let_in(&desk, facts, &asked, 3), 1, "{asked:?}");
        }
    }
    for same in ["::ffff:192.0.2.1", "2001:db8::ffff:1:2:3"] {
        assert_eq!(let_in(&desk, &one, &from(same), 1), 0, "{same} is the same client");
    }
}

#[test]
fn a_changed_limit_counts_at_once() {
    let day = restricted(1, limited(1, 86_400));
    let desk = Desk::with([&day]);
    assert_eq!(let_in(&desk, &day, &Asked::default(), 2), 1);
    let wider = TokenFacts {
        version: 2,
        ..restricted(1, limited(5, 1))
    };
    desk.verifier.apply(&wider).unwrap();
    assert_eq!(let_in(&desk, &wider, &Asked::default(), 9), 5);
    let none = TokenFacts { version: 3, ..facts(1) };
    desk.verifier.apply(&none).unwrap();
    assert_eq!(let_in(&desk, &none, &Asked::default(), 9), 9);
}

#[test]
fn a_limit_that_is_only_reported_refuses_nobody() {
    let facts = restricted(
        1,
        Restrictions {
            report_only: RestrictionKinds::NONE.with(RestrictionKind::RateLimit),
            ..limited(2, 10)
        },
    );
    let mut desk = Desk::with([&facts]);
    let reported = |desk: &Desk| !desk.present(&facts).unwrap().reported.is_empty();
    assert_eq!([(); 4].map(|()| reported(&desk)), [false, false, true, true]);
    desk.advance(Duration::from_secs(5));
    assert_eq!([(); 2].map(|()| reported(&desk)), [false, true]);
}

#[test]
fn what_another_restriction_refuses_takes_nothing() {
    let facts = restricted(
        1,
        Restrictions {
            allowed_networks: "192.0.2.0/24".parse().ok().map(|network| vec![network]),
            ..limited(1, 60)
        },
    );
    let desk = Desk::with([&facts]);
    let elsewhere = from("198.51.100.1");
    assert_eq!(
        desk.ask(facts.token.as_str(), &elsewhere),
        Err(Denial::NetworkNotAllowed)
    );
    assert_eq!(let_in(&desk, &facts, &from("192.0.2.1"), 2), 1);
}
