//! The `Idempotency-Key` header, ours: harmless to those who don't send it.

use axum::http::{HeaderMap, HeaderName, Method};
use sha2::{Digest, Sha256};
use tollgate_service::IdempotentRequest;

use crate::error::ApiError;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Long enough for any UUID, hash or composed name.
pub(crate) const LONGEST: usize = 255;

/// The request's name, with a digest of what is asked; 400 when the name isn't 1 to 255 visible ASCII characters.
pub(crate) fn request(
    headers: &HeaderMap,
    (method, path): (&Method, &str),
    body: &[u8],
) -> Result<Option<IdempotentRequest>, ApiError> {
    let mut given = headers.get_all(HEADER).iter();
    let Some(value) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(ApiError::bad_field("Idempotency-Key", "Must be sent once"));
    }
    let key = value.as_bytes();
    if key.is_empty() || key.len() > LONGEST || !key.iter().all(u8::is_ascii_graphic) {
        return Err(ApiError::bad_field(
            "Idempotency-Key",
            format!("Must be 1 to {LONGEST} visible ASCII characters without blanks"),
        ));
    }
    let key = String::from_utf8(key.to_vec()).expect("ASCII is UTF-8");
    let mut digest = Sha256::new();
    for part in [method.as_str().as_bytes(), path.as_bytes(), body] {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    Ok(Some(IdempotentRequest {
        key,
        digest: digest.finalize().into(),
    }))
}
