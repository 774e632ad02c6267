//! Real threads on one verifier.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tollgate_domain::verdict::{Denial, TokenFacts};

use crate::support::{Desk, at, facts};

const TOKENS: u64 = 3_000;

#[test]
fn what_was_applied_is_seen_by_every_thread_at_once() {
    let desk = Desk::with([]);
    let all: Vec<_> = (0..TOKENS).map(facts).collect();
    let (created, revoked) = (AtomicU64::new(0), AtomicU64::new(0));
    let asked = AtomicU64::new(0);
    thread::scope(|scope| {
        for reader in 0..2 {
            let (desk, all, created, revoked, asked) = (&desk, &all, &created, &revoked, &asked);
            scope.spawn(move || {
                while revoked.load(Ordering::Relaxed) < TOKENS {
                    let gone = revoked.load(Ordering::Acquire);
                    let here = created.load(Ordering::Acquire);
                    // The latest on both sides, and one in between.
                    for number in [gone.wrapping_sub(1), gone + reader, here / 2, here.wrapping_sub(1)] {
                        let Some(facts) = usize::try_from(number).ok().and_then(|place| all.get(place)) else {
                            continue;
                        };
                        let answer = desk.present(facts);
                        match answer {
                            Ok(admitted) => {
                                assert_eq!(admitted.id, facts.id);
                                assert!(number >= gone, "{number} was revoked before it was asked for");
                            }
                            Err(denial) => assert!(
                                denial == Denial::Revoked || (denial == Denial::Unknown && number >= here),
                                "{number}: {denial:?} with {here} created, {gone} revoked"
                            ),
                        }
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        for (number, facts) in (0..).zip(&all) {
            desk.verifier.apply(facts).unwrap();
            created.store(number + 1, Ordering::Release);
            if let Some(old) = (number / 2).checked_sub(1).filter(|_| number % 2 == 0) {
                revoke(&desk, &all, old, &revoked);
            }
        }
        for old in revoked.load(Ordering::Relaxed)..TOKENS {
            revoke(&desk, &all, old, &revoked);
        }
    });
    let counted: u64 = desk
        .verifier
        .take_usage()
        .iter()
        .map(|delta| delta.counts.allowed + delta.counts.refused)
        .sum();
    let unknown = asked.load(Ordering::Relaxed) - counted - desk.verifier.lost_usage().requests;
    assert!(
        unknown <= asked.load(Ordering::Relaxed) / 2,
        "{unknown} of {asked:?} were unknown"
    );
}

fn revoke(desk: &Desk, all: &[TokenFacts], number: u64, revoked: &AtomicU64) {
    let place = usize::try_from(number).expect("few");
    let facts = TokenFacts {
        revoked: true,
        revoke_at: Some(at(0).minus(Duration::from_secs(1))),
        version: 2,
        ..all[place].clone()
    };
    desk.verifier.apply(&facts).expect("there is room");
    revoked.store(number + 1, Ordering::Release);
}
