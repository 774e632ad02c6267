//! The verifier against a plain model: a map of the newest facts, and the rules themselves.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tollgate_domain::environment::Environment;
use tollgate_domain::origin::OriginPattern;
use tollgate_domain::restriction::{RestrictionKind, RestrictionKinds, Restrictions, Scope};
use tollgate_domain::verdict::{Asked, Denial, TokenFacts, restrictions_allow};
use tollgate_verifier::{Now, Settings, Verifier};

use crate::support::{Seeded, at, facts_of};

const TOKENS: usize = 6;
const ADDRESSES: [Option<&str>; 3] = [None, Some("192.0.2.1"), Some("198.51.100.1")];

/// What the store says of its tokens: of each the version that counts, and whether it was ever said to be revoked.
#[derive(Default)]
struct Model(HashMap<u64, (TokenFacts, bool)>);

impl Model {
    fn apply(&mut self, number: u64, facts: &TokenFacts) {
        let (newest, revoked) = self.0.entry(number).or_insert_with(|| (facts.clone(), false));
        *revoked |= facts.revoked;
        if facts.version > newest.version {
            *newest = facts.clone();
        }
    }

    fn answer(&self, number: u64, asked: &Asked<'_>, now: Now) -> Result<RestrictionKinds, Denial> {
        let (facts, revoked) = self.0.get(&number).ok_or(Denial::Unknown)?;
        if *revoked || facts.revoke_at.is_some_and(|at| at <= now.time) {
            return Err(Denial::Revoked);
        }
        if asked
            .environment
            .is_some_and(|wanted| wanted != facts.token.environment())
        {
            return Err(Denial::WrongEnvironment);
        }
        facts
            .restrictions
            .as_ref()
            .map_or(Ok(RestrictionKinds::NONE), |narrowed| {
                restrictions_allow(narrowed, asked, now.time)
            })
    }
}

fn token(number: u64) -> TokenFacts {
    let environment = Environment::ALL[usize::from(number % 2 == 1)];
    facts_of(environment, number)
}

fn restrictions() -> impl Strategy<Value = Option<Box<Restrictions>>> {
    let one = (
        prop::option::of(prop::sample::select(vec![
            "https://shop.example",
            "https://*.shop.example",
        ])),
        prop::option::of(Just("192.0.2.0/24")),
        prop::option::of(prop::sample::select(vec!["read", "write"])),
        prop::option::of(0_u64..100),
        prop::collection::vec(prop::sample::select(RestrictionKind::ALL.to_vec()), 0..4),
    );
    let narrowed = one.prop_map(|(origin, network, scope, expires, report_only)| {
        Box::new(Restrictions {
            allowed_origins: origin.map(|origin| vec![OriginPattern::parse(origin).expect("an origin")]),
            allowed_networks: network.map(|network| vec![network.parse().expect("a network")]),
            scopes: scope.map(|scope| vec![Scope::parse(scope).expect("a scope")]),
            expires_at: expires.map(at),
            rate_limit: None,
            report_only: report_only.into_iter().collect(),
        })
    });
    prop::option::of(narrowed)
}

/// Two sayings of one version are the same saying: what the version says is drawn once for each.
fn histories() -> impl Strategy<Value = Vec<Vec<TokenFacts>>> {
    let version = (
        prop_oneof![9 => 1_i64..=4, 1 => 14_i64..20],
        prop::option::weighted(0.3, 0_u64..100),
        restrictions(),
        prop::bool::weighted(0.1),
    );
    let history = prop::collection::vec(version, 1..6).prop_map(|steps| {
        let mut count = 0;
        steps
            .into_iter()
            .map(|(step, revoke_at, restrictions, revoked)| {
                count += step;
                (count, revoke_at.map(at), restrictions, revoked)
            })
            .collect::<Vec<_>>()
    });
    prop::collection::vec(history, TOKENS).prop_map(|histories| {
        let said = |(number, history): (u64, Vec<_>)| {
            history
                .into_iter()
                .map(|(version, revoke_at, restrictions, revoked)| TokenFacts {
                    version,
                    revoke_at,
                    restrictions,
                    revoked,
                    ..token(number)
                })
                .collect()
        };
        (0..).zip(histories).map(said).collect()
    })
}

proptest! {
    #[test]
    fn the_verifier_agrees_with_a_plain_model(
        histories in histories(),
        // Any token's any version, in any order, more than once.
        order in prop::collection::vec((0..TOKENS as u64, any::<prop::sample::Index>()), 0..60),
        asked in prop::collection::vec((
            0..TOKENS as u64,
            0_u64..110,
            prop::sample::select(vec![
                None, Some("https://shop.example"), Some("https://eu.shop.example"), Some("https://evil.example"), Some("null"),
            ]),
            prop::sample::select(ADDRESSES.to_vec()),
            prop::sample::select(vec![None, Some("read"), Some("write")]),
            prop::sample::select(vec![None, Some(Environment::Sandbox), Some(Environment::Live)]),
        ), 1..40),
        ask_each in 1_usize..8,
    ) {
        let began = Instant::now();
        let verifier = Verifier::new(Settings { max_age: None }, &Seeded::new(5));
        let mut model = Model::default();
        let mut asked = asked.into_iter().cycle();
        for (turn, (number, version)) in order.into_iter().enumerate() {
            let facts = version.get(&histories[usize::try_from(number).unwrap()]);
            verifier.apply(facts).unwrap();
            model.apply(number, facts);
            let count = model.0.len();
            prop_assert_eq!(verifier.len(), count);
            if turn % ask_each != 0 {
                continue;
            }
            for (number, second, origin, address, scope, environment) in asked.by_ref().take(6) {
                let asked = Asked {
                    origin,
                    referer: None,
                    client_address: address.map(|address| address.parse().unwrap()),
                    scope,
                    environment,
                };
                let now = Now { time: at(second), instant: began + Duration::from_secs(second) };
                let verdict = verifier.verify(token(number).token.as_str(), &asked, now);
                let expected = model.answer(number, &asked, now);
                let told = verdict.decision.map(|admitted| admitted.reported).map_err(|refused| refused.denial);
                prop_assert_eq!(told, expected, "token {} at {}", number, second);
                if let Ok(admitted) = verdict.decision {
                    prop_assert_eq!(admitted.id, token(number).id);
                }
            }
        }
    }
}
