//! What a browser keeps while its person is at the provider.
//!
//! It is neither signed nor sealed: it is the browser's own, the provider binds the code to the verifier and the token to
//! the nonce in it, and whoever could plant it in another browser could as well plant a session of theirs.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tollgate_domain::ambient::Entropy;
use tollgate_domain::time::Timestamp;

/// How long somebody may be at the provider.
const PATIENCE: Duration = Duration::from_mins(10);
/// More than any that we write, in bytes of text.
const LONGEST: usize = 3_000;
/// Where one is when nothing else was asked for.
const HOME: &str = "/dashboard";

#[derive(Deserialize, Serialize)]
pub(super) struct Pending {
    state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) redirect: String,
    pub(super) return_to: String,
    /// Unix microseconds.
    expires_at: i64,
}

impl Pending {
    pub(super) fn begin(entropy: &dyn Entropy, return_to: &str, redirect: &str, now: Timestamp) -> Self {
        Self {
            state: random(entropy),
            nonce: random(entropy),
            verifier: random(entropy),
            redirect: redirect.to_owned(),
            return_to: local_path(return_to),
            expires_at: now.plus(PATIENCE).as_micros(),
        }
    }

    /// `None` for what we never wrote, and for what is over.
    pub(super) fn read(text: &str, now: Timestamp) -> Option<Self> {
        let bytes = (text.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(text))?.ok()?;
        let pending: Self = serde_json::from_slice(&bytes).ok()?;
        (now.as_micros() < pending.expires_at).then(|| Self {
            return_to: local_path(&pending.return_to),
            ..pending
        })
    }

    pub(super) fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("texts and a number"))
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// Whether the provider gave back what it was given.
    pub(super) fn is_answered_by(&self, state: Option<&str>) -> bool {
        state == Some(&self.state)
    }
}

/// 256 bits: 43 characters, which is also the least that PKCE takes.
fn random(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A path below the dashboard, as it is; anything else would lead elsewhere.
fn local_path(path: &str) -> String {
    let below = path.strip_prefix(HOME);
    let is_below = below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_plain = path.len() <= 1_000 && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let climbs = path.contains("..") || path.contains("//");
    let path = if is_below && is_plain && !climbs { path } else { HOME };
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_767_225_600_000_000)
            .unwrap()
            .plus(Duration::from_secs(seconds))
    }

    #[test]
    fn what_a_browser_keeps_reads_back_for_ten_minutes() {
        let pending = Pending::begin(&Fixed, "/dashboard/events", "https://t.example/return", at(0));
        let text = pending.to_text();
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        let again = Pending::read(&text, at(599)).unwrap();
        assert_eq!((again.nonce, again.verifier.len()), (pending.nonce, 43));
        assert!(Pending::read(&text, at(600)).is_none());
        for bad in ["", "e30", &text[1..], &"A".repeat(4_000)] {
            assert!(Pending::read(bad, at(0)).is_none(), "{bad}");
        }
    }

    #[test]
    fn one_comes_back_to_the_dashboard_only() {
        for path in ["/dashboard", "/dashboard/events?id=1&x=2", "/dashboard?x"] {
            assert_eq!(local_path(path), path);
        }
        for path in [
            "",
            "/",
            "//evil.example",
            "/dashboard//evil.example",
            "/dashboards",
            "/dashboard.evil.example",
            "/dashboard@evil.example",
            "/dashboard/../x",
            "/dashboard/\\evil.example",
            "/dashboard/\r\nSet-Cookie: x=y",
            "https://evil.example/dashboard",
            "/dashboard/ä",
        ] {
            assert_eq!(local_path(path), HOME, "{path}");
        }
    }
}
