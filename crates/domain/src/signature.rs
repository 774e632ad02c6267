//! Signing what is sent to a receiver, and telling why a signature doesn't hold.
//!
//! Two schemes side by side: the contract's `Paddle-Signature: ts=…;h1=…`, and Standard Webhooks. Both are HMAC-SHA256
//! with the same key: the bytes of the whole endpoint secret. A Standard Webhooks library wants its key in base 64, so
//! it is given `whsec_` and the base 64 of the secret ([`EndpointSecret::standard_webhooks`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::ambient::Entropy;
use crate::base62;
use crate::id::NotificationSettingId;

/// How old a signature may be for the official verifiers, in seconds.
pub const TOLERANCE_SECONDS: u64 = 5;

/// The secret that a destination's deliveries are signed with. The contract lets it be read again.
#[derive(Clone, Debug)]
pub struct EndpointSecret(SecretString);

impl EndpointSecret {
    /// `pdl_ntfset_<26 of the id>_<32 random>`.
    pub fn generate(id: NotificationSettingId, entropy: &dyn Entropy) -> Self {
        let random = base62::random::<32>(entropy);
        let random = std::str::from_utf8(&random).expect("base 62 is ASCII");
        Self(format!("pdl_ntfset_{}_{random}", id.tail()).into())
    }

    /// Any text: secrets made elsewhere have other characters too.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The text itself, as the contract shows it.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// The same key as a Standard Webhooks library takes it.
    pub fn standard_webhooks(&self) -> String {
        format!("whsec_{}", BASE64.encode(self.reveal()))
    }

    fn mac(&self, parts: [&[u8]; 2]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.reveal().as_bytes()).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// `ts=<seconds>;h1=<hex>` for these bytes, sent at `seconds` since 1970.
    pub fn paddle_signature(&self, seconds: u64, body: &[u8]) -> String {
        let mac = self.mac([format!("{seconds}:").as_bytes(), body]);
        format!("ts={seconds};h1={}", hex::encode(mac))
    }

    /// `v1,<base 64>` for these bytes with this message id, sent at `seconds` since 1970.
    pub fn standard_signature(&self, message_id: &str, seconds: u64, body: &[u8]) -> String {
        let mac = self.mac([format!("{message_id}.{seconds}.").as_bytes(), body]);
        format!("v1,{}", BASE64.encode(mac))
    }

    /// Holds a `Paddle-Signature` against these bytes at `now` (seconds since 1970), as the official verifiers do.
    pub fn check(&self, header: &str, body: &[u8], now: u64) -> Result<(), SignatureProblem> {
        let (seconds, given) = parse_header(header)?;
        let expected = self.mac([format!("{seconds}:").as_bytes(), body]);
        if !bool::from(expected.ct_eq(&given)) {
            return Err(SignatureProblem::Mismatch);
        }
        let age = now.saturating_sub(seconds);
        if age > TOLERANCE_SECONDS {
            return Err(SignatureProblem::Stale { age });
        }
        Ok(())
    }
}

/// Why a signature doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureProblem {
    /// Not `ts=<digits>;h1=<64 hex digits>`.
    #[error("the header is malformed: {0}; it must read ts=<seconds>;h1=<64 hexadecimal digits>, without blanks")]
    Malformed(&'static str),
    /// Another secret, or other bytes.
    #[error("the signature doesn't belong to this body and this secret")]
    Mismatch,
    /// The signature is right but older than receivers accept.
    #[error("the signature is {age} s old; receivers accept {TOLERANCE_SECONDS} s")]
    Stale {
        /// Seconds since it was signed.
        age: u64,
    },
}

/// The time and the signature of a header.
pub fn parse_header(header: &str) -> Result<(u64, [u8; 32]), SignatureProblem> {
    let mut seconds = None;
    let mut given = None;
    for part in header.split(';') {
        match part.split_once('=') {
            Some(("ts", digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                seconds = Some(
                    digits
                        .parse()
                        .map_err(|_| SignatureProblem::Malformed("ts is too large"))?,
                );
            }
            Some(("ts", _)) => return Err(SignatureProblem::Malformed("ts is no number")),
            Some(("h1", digits)) => {
                let mut mac = [0; 32];
                hex::decode_to_slice(digits, &mut mac)
                    .map_err(|_| SignatureProblem::Malformed("h1 is not 64 hexadecimal digits"))?;
                given = Some(mac);
            }
            Some(_) => return Err(SignatureProblem::Malformed("it has a part other than ts and h1")),
            None => return Err(SignatureProblem::Malformed("a part of it has no =")),
        }
    }
    let seconds = seconds.ok_or(SignatureProblem::Malformed("ts is missing"))?;
    let given = given.ok_or(SignatureProblem::Malformed("h1 is missing"))?;
    Ok((seconds, given))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "pdl_ntfset_01khxpvseb2c6yh7kamebc4fdp_5Anr1xdJQw7KwV0bHDMuoky6yvUNfjDI";
    /// The contract's sample body, a revoked client token.
    const BODY: &str = concat!(
        r#"{"event_id":"evt_01kk9qj3e303apn41qrp5t6kps","event_type":"client_token.revoked","occurred_at":"#,
        r#""2026-03-09T16:40:51.907412Z","notification_id":"ntf_01kk9qj3e33j9dnvpqjrx8bqyd","data":{"id":"#,
        r#""ctkn_01kjpx8smtt7yvcqtc63b3kq74","token":"test_da3059212d9a85cee360c0488e1","name":"Docs site pricing table","#,
        r#""description":"Shows localized prices on the public pricing table.","status":"revoked","created_at":"#,
        r#""2026-03-02T09:15:04.218733Z","updated_at":"2026-03-09T16:40:51.907412Z","revoked_at":"#,
        r#""2026-03-09T16:40:51.907412Z"}}"#
    );
    const HEADER: &str = "ts=1773074452;h1=b067981ab41e3bd2e809f2b79602f32d77d7fae4398f234560f48f4b166a2f94";

    #[test]
    fn the_contracts_vector_comes_out() {
        assert_eq!(
            EndpointSecret::from_text(SECRET).paddle_signature(1_773_074_452, BODY.as_bytes()),
            HEADER
        );
    }

    #[test]
    fn each_failing_check_is_told() {
        let secret = EndpointSecret::from_text(SECRET);
        let check = |header: &str, body: &str, now| secret.check(header, body.as_bytes(), now);
        assert_eq!(check(HEADER, BODY, 1_773_074_452), Ok(()));
        assert_eq!(check(HEADER, BODY, 1_773_074_457), Ok(()));
        assert_eq!(
            check(HEADER, BODY, 1_773_074_000),
            Ok(()),
            "a receiver's clock that is slow"
        );
        assert_eq!(
            check(HEADER, BODY, 1_773_074_458),
            Err(SignatureProblem::Stale { age: 6 })
        );
        assert_eq!(
            check(HEADER, &BODY.replace(':', ": "), 1_773_074_452),
            Err(SignatureProblem::Mismatch)
        );
        let other = EndpointSecret::from_text("pdl_ntfset_x");
        assert_eq!(
            other.check(HEADER, BODY.as_bytes(), 1_773_074_452),
            Err(SignatureProblem::Mismatch)
        );
        for malformed in [
            "",
            "ts=1",
            "h1=00",
            "ts=x;h1=00",
            "ts=1;h1=zz",
            "ts=1; h1=00",
            "ts=1;h2=00",
            "nonsense",
        ] {
            assert!(
                matches!(check(malformed, BODY, 0), Err(SignatureProblem::Malformed(_))),
                "{malformed:?}"
            );
        }
    }

    #[test]
    fn standard_webhooks_take_the_same_key() {
        // The scheme's own published sample, with its key as the raw bytes.
        let key = BASE64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secret = EndpointSecret::from_text(&String::from_utf8_lossy(b"plain"));
        assert_eq!(secret.standard_webhooks(), "whsec_cGxhaW4=");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#);
        assert_eq!(
            BASE64.encode(mac.finalize().into_bytes()),
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    proptest! {
        #[test]
        fn what_is_signed_is_accepted(seconds in 0_u64..4_000_000_000, body in prop::collection::vec(any::<u8>(), 0..200)) {
            let secret = EndpointSecret::from_text(SECRET);
            let header = secret.paddle_signature(seconds, &body);
            prop_assert_eq!(secret.check(&header, &body, seconds), Ok(()));
        }

        #[test]
        fn no_header_panics(header in "\\PC{0,100}") {
            let _ = parse_header(&header);
        }
    }
}
