//! The decision: what is presented, looked up and held against what the token is narrowed to.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tollgate_domain::ambient::Entropy;
use tollgate_domain::client_token::{TokenText, TokenTextError};
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::restriction::{RestrictionKind, RestrictionKinds, Restrictions, Scope};
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::UsageDelta;
use tollgate_domain::verdict::{Asked, Denial, TokenFacts, restrictions_allow};

use crate::error::ApplyError;
use crate::index::{Found, Index, IndexMemory};
use crate::rate::Limits;
use crate::usage::{Counters, Happened, Lost};

const DAY: Duration = Duration::from_hours(24);

/// How a verifier is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For how long what is known is trusted after the store was last heard of; past it, every look-up is refused with
    /// [`Denial::IndexTooOld`]. `None`: for ever.
    pub max_age: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_age: Some(Duration::from_secs(30)),
        }
    }
}

/// The current time, told twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For what people set: expiry, revocation at a time.
    pub time: Timestamp,
    /// For what must not jump when the machine's clock is set: the index's age, rate limits.
    pub instant: Instant,
}

/// Whether a token lets somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Everything up to this place in the store's sequence was known when it was decided, perhaps more.
    pub sequence: u64,
    /// The answer.
    pub decision: Result<Admitted, Refused>,
}

/// The token lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Whose token.
    pub workspace: WorkspaceId,
    /// Which token.
    pub id: ClientTokenId,
    /// Of which environment.
    pub environment: Environment,
    /// What would have refused, if it were not only reported.
    pub reported: RestrictionKinds,
    /// From when on it won't let in any more, as things stand: the sooner of an enforced expiry and a scheduled
    /// revocation.
    pub ends_at: Option<Timestamp>,
}

/// What is known of a token that lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// As a verdict would tell it.
    pub admitted: Admitted,
    /// What it is good for; `None`: it isn't limited to some.
    pub scopes: Option<Vec<Scope>>,
}

/// The token doesn't let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub denial: Denial,
    /// The token, where it is known.
    pub token: Option<(WorkspaceId, ClientTokenId)>,
}

/// Bytes that a verifier holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// For the tokens.
    pub index: IndexMemory,
    /// For rate limits, at most 16 MiB.
    pub limits: usize,
}

/// Decides on client tokens from memory, from any number of threads; the crate's head tells what it promises.
pub struct Verifier {
    max_age: Option<Duration>,
    index: Index,
    limits: Limits,
    counters: Counters,
    /// Up to where everything has been applied.
    sequence: AtomicU64,
    /// Nanoseconds from the epoch to when the store was last heard of, plus one; 0 = never.
    heard: AtomicU64,
    /// What instants are counted from.
    epoch: OnceLock<Instant>,
}

impl Verifier {
    /// Knows nothing yet, and with a `max_age` refuses everything until it is told that it [followed](Self::followed).
    /// The digests of tokens are keyed with `entropy`.
    pub fn new(settings: Settings, entropy: &dyn Entropy) -> Self {
        let key = || {
            let mut key = [0; 16];
            entropy.fill(&mut key);
            key
        };
        Self {
            max_age: settings.max_age,
            index: Index::new(&key()),
            limits: Limits::new(&key()),
            counters: Counters::new(&key()),
            sequence: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            epoch: OnceLock::new(),
        }
    }

    /// Makes room for so many more tokens at once: quicker than growing while they come.
    pub fn reserve(&self, tokens: usize) {
        self.index.reserve(tokens);
    }

    /// Takes in what is said of a token; of two sayings the one with the higher version stands, whichever comes first. That a
    /// token is revoked stands for ever. Seen by every [`verify`](Self::verify) that begins after this returned.
    pub fn apply(&self, facts: &TokenFacts) -> Result<(), ApplyError> {
        self.index.apply(facts)
    }

    /// The same for many; stops at the first that can't be taken in.
    pub fn apply_all<'a>(&self, facts: impl IntoIterator<Item = &'a TokenFacts>) -> Result<(), ApplyError> {
        self.index.apply_all(facts)
    }

    /// Everything up to `sequence` has been applied, and at `heard_at` the store said that there was no more, or not
    /// enough to matter. Neither ever goes back.
    pub fn followed(&self, sequence: u64, heard_at: Instant) {
        let heard = nanos(self.since_epoch(heard_at)).saturating_add(1);
        // Release, with Acquire in `verify`: whoever sees the sequence sees what was applied before.
        self.sequence.fetch_max(sequence, Ordering::Release);
        self.heard.fetch_max(heard, Ordering::Release);
    }

    /// Up to where in the store's sequence everything has been applied.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// For how long the store hasn't been heard of; `None` when it never was.
    pub fn age(&self, now: Instant) -> Option<Duration> {
        let heard = self.heard.load(Ordering::Acquire).checked_sub(1)?;
        Some(self.since_epoch(now).saturating_sub(Duration::from_nanos(heard)))
    }

    /// Tokens that are known, revoked ones too.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether no token is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that are held; waits for a writer.
    pub fn memory(&self) -> Memory {
        Memory {
            index: self.index.memory(),
            limits: self.limits.bytes(),
        }
    }

    /// Decides, and counts it.
    ///
    /// The first of these that applies refuses: nothing presented, not the shape of a token, a wrong checksum (so far nothing
    /// was looked up), an index too old, unknown, revoked, the other environment, expired, an origin, a network, a scope,
    /// the rate limit.
    pub fn verify(&self, presented: &str, asked: &Asked<'_>, now: Now) -> Verdict {
        // Before the look-up, so that nothing up to it is missed.
        let sequence = self.sequence();
        Verdict {
            sequence,
            decision: self.decide(presented, asked, now),
        }
    }

    /// Moves what was counted since from where requests put it to where [`take_usage`](Self::take_usage) adds it up. Call it
    /// about once a second: there is room for half a million requests in between, and past it they go uncounted.
    pub fn gather_usage(&self) {
        self.counters.gather();
    }

    /// What was counted since the last call, to be added to what is stored.
    pub fn take_usage(&self) -> Vec<UsageDelta> {
        self.counters.take(|token| self.index.identity(token))
    }

    /// What went uncounted for want of room, ever.
    pub fn lost_usage(&self) -> Lost {
        self.counters.lost()
    }

    /// Decides as [`verify`](Self::verify) does, but is no use of the token: nothing is counted, and the rate limit is left alone.
    pub fn peek(&self, presented: &str, asked: &Asked<'_>, now: Now) -> Verdict {
        let sequence = self.sequence();
        let decision = self.look_up(presented, now).and_then(|(token, found)| {
            let outcome =
                weigh(&found, token.environment(), asked, now).map(|weighed| (weighed.reported, weighed.ends_at));
            decision(&found, token.environment(), outcome)
        });
        Verdict { sequence, decision }
    }

    /// What is known of a token that would let in. Of the circumstances only those that `asked` names are weighed; the rate
    /// limit is left alone. Counted as a use.
    pub fn introspect(&self, presented: &str, asked: &Asked<'_>, now: Now) -> (u64, Result<Known, Refused>) {
        let sequence = self.sequence();
        let known = self.look_up(presented, now).and_then(|(token, found)| {
            let restrictions = found.restrictions();
            let weighed = weigh_named(&found, token.environment(), asked, now);
            let outcome = weighed.map(|weighed| (weighed.reported, weighed.ends_at));
            self.counters
                .count(found.number, Happened::of(outcome), asked, now.time);
            Ok(Known {
                admitted: decision(&found, token.environment(), outcome)?,
                scopes: restrictions.and_then(|restrictions| restrictions.scopes.clone()),
            })
        });
        (sequence, known)
    }

    fn decide(&self, presented: &str, asked: &Asked<'_>, now: Now) -> Result<Admitted, Refused> {
        let (token, found) = self.look_up(presented, now)?;
        let environment = token.environment();
        let outcome = weigh(&found, environment, asked, now)
            .and_then(|weighed| Ok((self.within_rate(&found, weighed.reported, asked, now)?, weighed.ends_at)));
        self.counters
            .count(found.number, Happened::of(outcome), asked, now.time);
        decision(&found, environment, outcome)
    }

    /// Finds a token that can be trusted to be the store's.
    #[inline]
    fn look_up(&self, presented: &str, now: Now) -> Result<(TokenText, Found<'_>), Refused> {
        let unknown = |denial| Refused { denial, token: None };
        if presented.is_empty() {
            return Err(unknown(Denial::Missing));
        }
        let token = TokenText::parse(presented).map_err(|error| {
            unknown(match error {
                TokenTextError::Malformed => Denial::Malformed,
                TokenTextError::Checksum => Denial::BadChecksum,
            })
        })?;
        if self.is_too_old(now.instant) {
            return Err(unknown(Denial::IndexTooOld));
        }
        let found = self.index.find(&token).ok_or(unknown(Denial::Unknown))?;
        Ok((token, found))
    }

    fn is_too_old(&self, now: Instant) -> bool {
        self.max_age
            .is_some_and(|most| self.age(now).is_none_or(|age| age > most))
    }

    fn within_rate(
        &self,
        found: &Found<'_>,
        reported: RestrictionKinds,
        asked: &Asked<'_>,
        now: Now,
    ) -> Result<RestrictionKinds, Denial> {
        let Some((restrictions, limit)) = found.restrictions().and_then(|all| Some((all, all.rate_limit?))) else {
            return Ok(reported);
        };
        let since_epoch = self.since_epoch(now.instant);
        match self.limits.take(found.number, asked.client_address, limit, since_epoch) {
            Ok(()) => Ok(reported),
            Err(_) if restrictions.report_only.contains(RestrictionKind::RateLimit) => {
                Ok(reported.with(RestrictionKind::RateLimit))
            }
            Err(used_up) => Err(Denial::RateLimited {
                retry_after_seconds: used_up.retry_after_seconds,
            }),
        }
    }

    /// The epoch is a day before the first instant that is told, as others may be told that were before it; what lies
    /// before the epoch counts as that.
    fn since_epoch(&self, instant: Instant) -> Duration {
        let epoch = self.epoch.get_or_init(|| instant.checked_sub(DAY).unwrap_or(instant));
        instant.saturating_duration_since(*epoch)
    }
}

/// What weighs for a token, the rate limit aside.
struct Weighed {
    reported: RestrictionKinds,
    ends_at: Option<Timestamp>,
}

fn weigh(found: &Found<'_>, environment: Environment, asked: &Asked<'_>, now: Now) -> Result<Weighed, Denial> {
    weigh_against(found, found.restrictions(), environment, asked, now)
}

/// The same; what isn't named isn't held against the token.
fn weigh_named(found: &Found<'_>, environment: Environment, asked: &Asked<'_>, now: Now) -> Result<Weighed, Denial> {
    let restrictions = found.restrictions().cloned().map(|mut restrictions| {
        if asked.origin.is_none() && asked.referer.is_none() {
            restrictions.allowed_origins = None;
        }
        if asked.client_address.is_none() {
            restrictions.allowed_networks = None;
        }
        restrictions
    });
    weigh_against(found, restrictions.as_ref(), environment, asked, now)
}

fn weigh_against(
    found: &Found<'_>,
    restrictions: Option<&Restrictions>,
    environment: Environment,
    asked: &Asked<'_>,
    now: Now,
) -> Result<Weighed, Denial> {
    let revoke_at = found.revoke_at();
    if found.is_revoked || revoke_at.is_some_and(|at| now.time >= at) {
        return Err(Denial::Revoked);
    }
    if asked.environment.is_some_and(|wanted| wanted != environment) {
        return Err(Denial::WrongEnvironment);
    }
    let Some(restrictions) = restrictions else {
        return Ok(Weighed {
            reported: RestrictionKinds::NONE,
            ends_at: revoke_at,
        });
    };
    let reported = restrictions_allow(restrictions, asked, now.time)?;
    let expires_at = restrictions
        .expires_at
        .filter(|_| !restrictions.report_only.contains(RestrictionKind::ExpiresAt));
    Ok(Weighed {
        reported,
        ends_at: revoke_at.into_iter().chain(expires_at).min(),
    })
}

fn decision(
    found: &Found<'_>,
    environment: Environment,
    outcome: Result<(RestrictionKinds, Option<Timestamp>), Denial>,
) -> Result<Admitted, Refused> {
    let id = found.id();
    let (reported, ends_at) = outcome.map_err(|denial| Refused {
        denial,
        token: Some((found.workspace, id)),
    })?;
    Ok(Admitted {
        workspace: found.workspace,
        id,
        environment,
        reported,
        ends_at,
    })
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
