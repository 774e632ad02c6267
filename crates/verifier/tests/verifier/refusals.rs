//! Each reason to refuse, alone, and which one is told when there are several.

use std::str::FromStr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::origin::OriginPattern;
use tollgate_domain::restriction::{RestrictionKind, RestrictionKinds, Restrictions, Scope};
use tollgate_domain::verdict::{Asked, Denial, TokenFacts};
use tollgate_verifier::{ApplyError, Now, Settings, Verifier};

use crate::support::{Desk, Seeded, at, facts, facts_of, restricted};

#[test]
fn a_known_token_is_let_in_and_named() {
    let (live, test) = (facts_of(Environment::Live, 1), facts(2));
    let desk = Desk::with([&live, &test]);
    for facts in [live, test] {
        let admitted = desk.present(&facts).unwrap();
        assert_eq!((admitted.workspace, admitted.id), (facts.workspace, facts.id));
        assert_eq!(admitted.environment, facts.token.environment());
        assert_eq!((admitted.reported, admitted.ends_at), (RestrictionKinds::NONE, None));
    }
}

#[test]
fn what_is_no_token_is_refused_without_a_look_up() {
    let known = facts(1);
    let text = known.token.as_str();
    let mut desk = Desk::with([&known]);
    let cut = &text[..31];
    let mistyped = format!("{}{}", &text[..31], if text.ends_with('x') { 'y' } else { 'x' });
    // Also when the index is too old for anything else.
    for _ in 0..2 {
        assert_eq!(desk.ask("", &Asked::default()), Err(Denial::Missing));
        assert_eq!(desk.ask(cut, &Asked::default()), Err(Denial::Malformed));
        assert_eq!(desk.ask(&mistyped, &Asked::default()), Err(Denial::BadChecksum));
        desk.advance(Duration::from_secs(31));
    }
    assert_eq!(desk.present(&known), Err(Denial::IndexTooOld));
}

#[test]
fn what_was_never_issued_is_unknown() {
    let desk = Desk::with([&facts(1)]);
    assert_eq!(desk.present(&facts(2)), Err(Denial::Unknown));
    let verdict = desk
        .verifier
        .verify(facts(2).token.as_str(), &Asked::default(), desk.now());
    assert_eq!(verdict.decision.unwrap_err().token, None);
}

#[test]
fn a_revoked_token_is_refused_at_once_and_for_ever() {
    let known = facts(1);
    let desk = Desk::with([&known]);
    let revoked = TokenFacts {
        revoked: true,
        version: 2,
        ..known.clone()
    };
    desk.verifier.apply(&revoked).unwrap();
    assert_eq!(desk.present(&known), Err(Denial::Revoked));
    let later = TokenFacts {
        version: 3,
        ..known.clone()
    };
    desk.verifier.apply(&later).unwrap();
    assert_eq!(desk.present(&known), Err(Denial::Revoked));
    let verdict = desk
        .verifier
        .verify(known.token.as_str(), &Asked::default(), desk.now());
    assert_eq!(
        verdict.decision.unwrap_err().token,
        Some((known.workspace, known.id)),
        "whoever operates it is told which"
    );
}

#[test]
fn a_scheduled_revocation_comes_in_its_moment_and_can_be_withdrawn_before() {
    let scheduled = TokenFacts {
        revoke_at: Some(at(10)),
        ..facts(1)
    };
    let mut desk = Desk::with([&scheduled]);
    assert_eq!(desk.present(&scheduled).unwrap().ends_at, Some(at(10)));
    desk.advance(Duration::from_micros(9_999_999));
    assert!(desk.present(&scheduled).is_ok());
    desk.advance(Duration::from_micros(1));
    assert_eq!(desk.present(&scheduled), Err(Denial::Revoked));
    let withdrawn = TokenFacts {
        revoke_at: None,
        version: 2,
        ..scheduled
    };
    desk.verifier.apply(&withdrawn).unwrap();
    assert_eq!(desk.present(&withdrawn).unwrap().ends_at, None);
}

#[test]
fn the_other_environment_is_refused_where_one_is_asked_for() {
    let (live, test) = (facts_of(Environment::Live, 1), facts(2));
    let desk = Desk::with([&live, &test]);
    let asked = Asked {
        environment: Some(Environment::Live),
        ..Asked::default()
    };
    assert!(desk.ask(live.token.as_str(), &asked).is_ok());
    assert_eq!(desk.ask(test.token.as_str(), &asked), Err(Denial::WrongEnvironment));
}

fn origins(pattern: &str) -> Option<Vec<OriginPattern>> {
    OriginPattern::parse(pattern).ok().map(|pattern| vec![pattern])
}

/// Each restriction, with what breaks it and what it then says.
fn broken() -> [(Restrictions, RestrictionKind, Denial); 4] {
    let none = Restrictions::default();
    let network = IpNet::from_str("192.0.2.0/24").ok();
    let scope = Scope::parse("read").ok();
    [
        (
            Restrictions {
                expires_at: Some(at(0)),
                ..none.clone()
            },
            RestrictionKind::ExpiresAt,
            Denial::Expired,
        ),
        (
            Restrictions {
                allowed_origins: origins("https://shop.example"),
                ..none.clone()
            },
            RestrictionKind::AllowedOrigins,
            Denial::OriginNotAllowed,
        ),
        (
            Restrictions {
                allowed_networks: network.map(|network| vec![network]),
                ..none.clone()
            },
            RestrictionKind::AllowedNetworks,
            Denial::NetworkNotAllowed,
        ),
        (
            Restrictions {
                scopes: scope.map(|scope| vec![scope]),
                ..none
            },
            RestrictionKind::Scopes,
            Denial::ScopeNotAllowed,
        ),
    ]
}

/// All of them at once.
fn all_broken() -> Restrictions {
    broken()
        .into_iter()
        .fold(Restrictions::default(), |sum, (one, ..)| Restrictions {
            allowed_origins: sum.allowed_origins.or(one.allowed_origins),
            allowed_networks: sum.allowed_networks.or(one.allowed_networks),
            scopes: sum.scopes.or(one.scopes),
            expires_at: sum.expires_at.or(one.expires_at),
            ..Restrictions::default()
        })
}

const WRONG: Asked<'_> = Asked {
    origin: Some("https://evil.example"),
    referer: Some("https://shop.example/"),
    client_address: None,
    scope: Some("write"),
    environment: None,
};

#[test]
fn each_restriction_refuses_or_only_reports() {
    for (restrictions, kind, denial) in broken() {
        let enforced = restricted(1, restrictions.clone());
        let desk = Desk::with([&enforced]);
        assert_eq!(desk.ask(enforced.token.as_str(), &WRONG), Err(denial));

        let only_reported = Restrictions {
            report_only: RestrictionKinds::NONE.with(kind),
            ..restrictions
        };
        let reported = TokenFacts {
            version: 2,
            ..restricted(1, only_reported)
        };
        desk.verifier.apply(&reported).unwrap();
        let admitted = desk.ask(reported.token.as_str(), &WRONG).unwrap();
        assert_eq!(admitted.reported, RestrictionKinds::NONE.with(kind));
        assert_eq!(admitted.ends_at, None);
    }
}

#[test]
fn restrictions_let_in_what_keeps_them() {
    let everything = Restrictions {
        expires_at: Some(at(60)),
        ..all_broken()
    };
    let facts = TokenFacts {
        revoke_at: Some(at(70)),
        ..restricted(1, everything)
    };
    let desk = Desk::with([&facts]);
    let asked = Asked {
        origin: None,
        referer: Some("https://shop.example/cart?x=1"),
        client_address: Some("::ffff:192.0.2.7".parse().unwrap()),
        scope: Some("read"),
        environment: Some(Environment::Sandbox),
    };
    let admitted = desk.ask(facts.token.as_str(), &asked).unwrap();
    assert_eq!(
        (admitted.reported, admitted.ends_at),
        (RestrictionKinds::NONE, Some(at(60)))
    );
}

#[test]
fn the_first_reason_is_told() {
    let asked = Asked {
        environment: Some(Environment::Live),
        ..WRONG
    };
    let mut version = 0;
    let desk = Desk::with([]);
    let mut told = |change: &dyn Fn(&mut TokenFacts), asked: &Asked<'_>| {
        version += 1;
        let mut facts = TokenFacts {
            version,
            ..restricted(1, all_broken())
        };
        change(&mut facts);
        desk.verifier.apply(&facts).unwrap();
        desk.ask(facts.token.as_str(), asked).unwrap_err()
    };
    assert_eq!(told(&|_| {}, &asked), Denial::WrongEnvironment);
    assert_eq!(told(&|_| {}, &WRONG), Denial::Expired);
    let valid = |facts: &mut TokenFacts| facts.restrictions.as_mut().unwrap().expires_at = None;
    assert_eq!(told(&valid, &WRONG), Denial::OriginNotAllowed);
    let anywhere = |facts: &mut TokenFacts| {
        valid(facts);
        facts.restrictions.as_mut().unwrap().allowed_origins = None;
    };
    assert_eq!(told(&anywhere, &WRONG), Denial::NetworkNotAllowed);
    let anybody = |facts: &mut TokenFacts| {
        anywhere(facts);
        facts.restrictions.as_mut().unwrap().allowed_networks = None;
    };
    assert_eq!(told(&anybody, &WRONG), Denial::ScopeNotAllowed);
    assert_eq!(told(&|facts| facts.revoke_at = Some(at(0)), &asked), Denial::Revoked);
    assert_eq!(told(&|facts| facts.revoked = true, &asked), Denial::Revoked);
}

#[test]
fn an_index_that_nobody_vouches_for_lets_nobody_in() {
    let known = facts(1);
    let mut desk = Desk::with([&known]);
    desk.advance(Duration::from_secs(30));
    assert!(desk.present(&known).is_ok());
    desk.advance(Duration::from_nanos(1));
    assert_eq!(desk.present(&known), Err(Denial::IndexTooOld));
    assert_eq!(
        desk.present(&facts(2)),
        Err(Denial::IndexTooOld),
        "unknown is an answer of the index too"
    );
    desk.verifier.followed(1, desk.now().instant);
    assert!(desk.present(&known).is_ok());

    let never_heard = Verifier::new(Settings::default(), &Seeded::new(1));
    never_heard.apply(&known).unwrap();
    let verdict = never_heard.verify(known.token.as_str(), &Asked::default(), desk.now());
    assert_eq!(verdict.decision.unwrap_err().denial, Denial::IndexTooOld);
    assert_eq!(never_heard.age(desk.now().instant), None);
}

#[test]
fn news_that_were_heard_before_anybody_asked_are_as_old_as_they_are() {
    let known = facts(1);
    let verifier = Verifier::new(Settings::default(), &Seeded::new(1));
    verifier.apply(&known).unwrap();
    let heard = Instant::now();
    let ask = |seconds| {
        let now = Now {
            time: at(0),
            instant: heard + Duration::from_secs(seconds),
        };
        let verdict = verifier.verify(known.token.as_str(), &Asked::default(), now);
        verdict.decision.map_err(|refused| refused.denial)
    };
    assert_eq!(ask(20), Err(Denial::IndexTooOld), "nobody has told yet");
    verifier.followed(1, heard);
    assert!(ask(30).is_ok());
    assert_eq!(ask(31), Err(Denial::IndexTooOld));
}

#[test]
fn an_index_may_be_trusted_for_ever() {
    let known = facts(1);
    let mut desk = Desk::with_settings(Settings { max_age: None }, [&known]);
    desk.advance(Duration::from_secs(1_000_000));
    assert!(desk.present(&known).is_ok());
    assert_eq!(
        desk.verifier.age(desk.now().instant),
        Some(Duration::from_secs(1_000_000))
    );
}

#[test]
fn a_verdict_names_the_sequence_it_was_decided_at_and_that_never_goes_back() {
    let desk = Desk::with([&facts(1)]);
    let sequence = || desk.verifier.verify("", &Asked::default(), desk.now()).sequence;
    assert_eq!(sequence(), 1);
    desk.verifier.followed(9, desk.now().instant);
    assert_eq!(sequence(), 9);
    desk.verifier.followed(8, desk.now().instant);
    assert_eq!((sequence(), desk.verifier.sequence()), (9, 9));
}

#[test]
fn facts_that_no_store_of_ours_holds_are_not_taken_in() {
    let known = facts(1);
    let desk = Desk::with([&known]);
    let foreign = TokenFacts {
        id: ClientTokenId::from_tail("zzzzzzzzzzzzzzzzzzzzzzzzzz").unwrap(),
        ..facts(2)
    };
    assert_eq!(desk.verifier.apply(&foreign), Err(ApplyError::ForeignId(foreign.id)));
    assert_eq!(desk.present(&foreign), Err(Denial::Unknown));
    let twin = TokenFacts {
        id: facts(3).id,
        revoked: true,
        ..known.clone()
    };
    assert_eq!(
        desk.verifier.apply(&twin),
        Err(ApplyError::TokenTwice(twin.id, known.id))
    );
    assert_eq!(desk.present(&known).unwrap().id, known.id);
    assert_eq!(desk.verifier.len(), 1);
}

#[test]
fn a_table_that_grows_keeps_what_it_has() {
    let desk = Desk::with([]);
    for number in 0..5_000 {
        desk.verifier.apply(&facts(number)).unwrap();
        if number % 97 == 0 {
            assert!(
                (0..=number).all(|known| desk.present(&facts(known)).is_ok()),
                "{number}"
            );
        }
    }
    desk.verifier.reserve(20_000);
    assert!((0..5_000).all(|known| desk.present(&facts(known)).is_ok()));
    assert_eq!(desk.verifier.len(), 5_000);
    assert_eq!(desk.present(&facts(5_000)), Err(Denial::Unknown));
}
