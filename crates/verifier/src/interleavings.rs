//! The index under thousands of interleavings of its threads: compiled a second time, with atomics and a lock at each of
//! which another thread may go on, and with sizes that make it grow early.
//!
//! What is modelled is the order of steps, each seen by all; that `Release` and `Acquire` suffice is argued in `index`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;
use tollgate_domain::ambient::Entropy;
use tollgate_domain::client_token::TokenText;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::restriction::Restrictions;
use tollgate_domain::time::Timestamp;
use tollgate_domain::verdict::TokenFacts;

use self::index::{Found, Index};
use crate::error::{self, ApplyError};

#[expect(clippy::duplicate_mod, unreachable_pub, reason = "the same code with other atomics")]
#[path = "index/mod.rs"]
mod index;

mod sync {
    pub(crate) use shuttle::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    pub(crate) const FIRST_SLOTS: usize = 16;
    pub(crate) const MOVED_AT_ONCE: u32 = 8;
    pub(crate) const PREPARED_AT_ONCE: usize = 32;
    pub(crate) const MOST_ROWS: u32 = 17;
    pub(crate) const MOST_NUMBERS: u32 = 8;
    pub(crate) const IN_GROUP: usize = 2;
    pub(crate) const IN_SEGMENT: usize = 4;

    /// With the lock's interface that the index uses.
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
            self.0.lock().expect("no test panics with it")
        }
    }
}

/// Threads that read while one or two write.
const READERS: u64 = 2;
/// Interleavings of each test.
const SCHEDULES: usize = 400;
/// Tokens that a test has at hand.
const TOKENS: u64 = 20;

struct Numbered(std::sync::atomic::AtomicU64);

impl Entropy for Numbered {
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            let z = self
                .0
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = (z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes()[0];
        }
    }
}

fn facts(number: u64) -> TokenFacts {
    static ALL: OnceLock<Vec<TokenFacts>> = OnceLock::new();
    let all = ALL.get_or_init(|| (0..TOKENS).map(make_facts).collect());
    all[usize::try_from(number).unwrap()].clone()
}

fn make_facts(number: u64) -> TokenFacts {
    TokenFacts {
        workspace: WorkspaceId::from_bits((number % 3).into()),
        id: ClientTokenId::from_bits(number.into()),
        token: TokenText::generate(Environment::Live, &Numbered((number * 1_000).into())),
        revoked: false,
        revoke_at: None,
        restrictions: None,
        version: 1,
    }
}

/// In these facts the two times and the version say the same.
fn in_step(number: u64, version: u32) -> TokenFacts {
    let at = Timestamp::LAST.minus(Duration::from_secs(version.into()));
    let is_plain = version.is_multiple_of(4);
    TokenFacts {
        version: version.into(),
        revoke_at: (!is_plain).then_some(at),
        restrictions: (!is_plain).then(|| {
            Box::new(Restrictions {
                expires_at: Some(at),
                ..Restrictions::default()
            })
        }),
        ..facts(number)
    }
}

/// The two times, when there are any.
fn times(found: &Found<'_>) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let (revoke_at, restrictions) = (found.revoke_at(), found.restrictions());
    if revoke_at.is_none() && restrictions.is_none() {
        return None;
    }
    Some((revoke_at, restrictions.and_then(|narrowed| narrowed.expires_at)))
}

fn index_of(numbers: std::ops::Range<u64>) -> Arc<Index> {
    let index = Index::new(&[7; 16]);
    let all: Vec<_> = numbers.map(facts).collect();
    index.apply_all(&all).unwrap();
    Arc::new(index)
}

fn join(threads: Vec<thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Both ways of drawing an order: evenly, and with few changes of thread at the worst places.
fn check(test: impl Fn() + Send + Sync + Copy + 'static) {
    shuttle::check_random(test, SCHEDULES);
    shuttle::check_pct(test, SCHEDULES, 3);
}

#[test]
fn what_was_inserted_is_found_while_the_table_grows() {
    check(|| {
        let index = index_of(0..11);
        let inserted = Arc::new(AtomicU64::new(11));
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                let (index, inserted) = (Arc::clone(&index), Arc::clone(&inserted));
                thread::spawn(move || {
                    for step in 0..4 {
                        let end = inserted.load(Ordering::SeqCst);
                        let number = end - 1 - step;
                        let found = index.find(&facts(number).token).expect("it was inserted");
                        assert_eq!(
                            (found.id(), found.workspace),
                            (facts(number).id, facts(number).workspace)
                        );
                        assert!(index.find(&facts(TOKENS - 1).token).is_none());
                    }
                })
            })
            .collect();
        for number in 11..17 {
            index.apply(&facts(number)).unwrap();
            inserted.store(number + 1, Ordering::SeqCst);
        }
        join(readers);
        assert_eq!(index.len(), 17);
        for number in 0..17 {
            let found = index.find(&facts(number).token).expect("it was inserted");
            let expected = Some((facts(number).workspace, facts(number).id));
            assert_eq!(index.identity(found.number), expected);
        }
    });
}

#[test]
fn a_revocation_that_returned_is_seen_also_while_the_table_grows() {
    check(|| {
        let index = index_of(0..12);
        let revoked = Arc::new(AtomicU64::new(0));
        let readers: Vec<_> = (0..READERS)
            .map(|reader| {
                let (index, revoked) = (Arc::clone(&index), Arc::clone(&revoked));
                thread::spawn(move || {
                    for _ in 0..3 {
                        let must = revoked.load(Ordering::SeqCst) > reader;
                        let found = index.find(&facts(reader).token).expect("it was inserted");
                        assert!(found.is_revoked || !must, "revoked before it was asked for");
                    }
                })
            })
            .collect();
        let grower = {
            let index = Arc::clone(&index);
            thread::spawn(move || {
                for number in 12..16 {
                    index.apply(&facts(number)).unwrap();
                }
                index.reserve(40);
            })
        };
        for number in 0..READERS {
            let facts = TokenFacts {
                revoked: true,
                ..in_step(number, 2)
            };
            index.apply(&facts).unwrap();
            revoked.store(number + 1, Ordering::SeqCst);
        }
        join(readers);
        grower.join().unwrap();
        assert_eq!(index.len(), 16);
        assert!(index.memory().table >= 40 * 4);
    });
}

#[test]
fn facts_are_seen_from_before_a_change_or_after_it_and_never_go_back() {
    check(|| {
        let index = index_of(0..1);
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                let index = Arc::clone(&index);
                thread::spawn(move || {
                    let mut last = Timestamp::LAST;
                    for _ in 0..4 {
                        let found = index.find(&facts(0).token).expect("it was inserted");
                        if let Some((revoke_at, expires_at)) = times(&found) {
                            assert_eq!(revoke_at, expires_at, "of the same version");
                            let at = revoke_at.unwrap_or(last);
                            assert!(at <= last, "versions lower the times");
                            last = at;
                        }
                    }
                })
            })
            .collect();
        // Two that apply the same changes, each in its own order.
        let other = {
            let index = Arc::clone(&index);
            thread::spawn(move || {
                for version in [2, 5, 4, 3] {
                    index.apply(&in_step(0, version)).unwrap();
                }
            })
        };
        for version in [3, 2, 6, 5] {
            index.apply(&in_step(0, version)).unwrap();
        }
        other.join().unwrap();
        join(readers);
        let found = index.find(&facts(0).token).expect("it was inserted");
        let last = in_step(0, 6).revoke_at;
        assert_eq!(times(&found), Some((last, last)), "the highest version stands");
    });
}

#[test]
fn a_full_index_says_so_and_keeps_what_it_has() {
    shuttle::check_random(
        || {
            let index = index_of(0..16);
            for number in 0..8 {
                index.apply(&in_step(number, 2)).unwrap();
            }
            assert_eq!(index.apply(&in_step(8, 2)), Err(ApplyError::TooManyFurther));
            assert!(times(&index.find(&facts(8).token).unwrap()).is_none());
            index.apply(&facts(16)).unwrap();
            assert_eq!(index.apply(&facts(17)), Err(ApplyError::TooManyTokens));
            assert!(index.find(&facts(17).token).is_none());
            assert_eq!(index.len(), 17);

            let workspaces = index_of(0..0);
            let of_own = |number: u64| TokenFacts {
                workspace: WorkspaceId::from_bits(number.into()),
                ..facts(number)
            };
            for number in 0..8 {
                workspaces.apply(&of_own(number)).unwrap();
            }
            assert_eq!(workspaces.apply(&of_own(8)), Err(ApplyError::TooManyWorkspaces));
            assert_eq!(workspaces.len(), 8);
        },
        1,
    );
}
