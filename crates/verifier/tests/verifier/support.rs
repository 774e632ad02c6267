//! Tokens, times and a verifier to try them on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tollgate_domain::ambient::Entropy;
use tollgate_domain::client_token::TokenText;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::restriction::Restrictions;
use tollgate_domain::time::Timestamp;
use tollgate_domain::verdict::{Asked, Denial, TokenFacts};
use tollgate_verifier::{Admitted, Now, Settings, Verifier};

/// The same bytes in every run (splitmix64).
pub(crate) struct Seeded(AtomicU64);

impl Seeded {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// The token with this number, of workspace 1, not narrowed.
pub(crate) fn facts(number: u64) -> TokenFacts {
    facts_of(Environment::Sandbox, number)
}

pub(crate) fn facts_of(environment: Environment, number: u64) -> TokenFacts {
    TokenFacts {
        workspace: WorkspaceId::from_bits(1),
        id: ClientTokenId::from_bits(number.into()),
        token: TokenText::generate(environment, &Seeded::new(number)),
        revoked: false,
        revoke_at: None,
        restrictions: None,
        version: 1,
    }
}

pub(crate) fn restricted(number: u64, restrictions: Restrictions) -> TokenFacts {
    TokenFacts {
        restrictions: Some(Box::new(restrictions)),
        ..facts(number)
    }
}

/// Seconds after some moment.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::parse("2026-03-02T09:00:00Z")
        .expect("a time")
        .plus(Duration::from_secs(seconds))
}

/// A verifier and a clock that only moves when told.
pub(crate) struct Desk {
    pub(crate) verifier: Verifier,
    began: Instant,
    since: Duration,
}

impl Desk {
    /// Knows these, and has heard of the store right now.
    pub(crate) fn with<'a>(facts: impl IntoIterator<Item = &'a TokenFacts>) -> Self {
        Self::with_settings(Settings::default(), facts)
    }

    pub(crate) fn with_settings<'a>(settings: Settings, facts: impl IntoIterator<Item = &'a TokenFacts>) -> Self {
        let verifier = Verifier::new(settings, &Seeded::new(77));
        verifier.apply_all(facts).expect("there is room");
        let desk = Self {
            verifier,
            began: Instant::now(),
            since: Duration::ZERO,
        };
        desk.verifier.followed(1, desk.began);
        desk
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.since += by;
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            time: at(0).plus(self.since),
            instant: self.began + self.since,
        }
    }

    pub(crate) fn ask(&self, token: &str, asked: &Asked<'_>) -> Result<Admitted, Denial> {
        let verdict = self.verifier.verify(token, asked, self.now());
        verdict.decision.map_err(|refused| refused.denial)
    }

    /// Asks for nothing in particular.
    pub(crate) fn present(&self, facts: &TokenFacts) -> Result<Admitted, Denial> {
        self.ask(facts.token.as_str(), &Asked::default())
    }
}
