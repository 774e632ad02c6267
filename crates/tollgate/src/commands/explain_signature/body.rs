//! The body: what may have happened to it on its way to whoever checks the signature.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::json::{self, Order, Style};

/// A body to try.
pub(super) struct Variant<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// What happened to the one given, if this one fits; `None` for the one given.
    pub(super) why: Option<String>,
}

/// The body as it was given, then what may have been sent.
pub(super) fn variants(given: &[u8]) -> Vec<Variant<'_>> {
    let mut variants = vec![Variant {
        bytes: given.into(),
        why: None,
    }];
    let mut add = |bytes: Cow<'static, [u8]>, why: String| variants.push(Variant { bytes, why: Some(why) });
    let trimmed = given.trim_ascii();
    if trimmed != given {
        let why =
            "the file has a line break or blanks at its end or beginning that weren't sent; editors and echo add one";
        add(trimmed.to_vec().into(), why.to_owned());
    }
    if let Some(bare) = given.strip_prefix(b"\xef\xbb\xbf") {
        let why = "the file begins with a byte order mark, which wasn't sent";
        add(bare.to_vec().into(), why.to_owned());
    }
    let with_break = [given, b"\n"].concat();
    add(
        with_break.into(),
        "the file lacks the line break that was sent at the end".to_owned(),
    );
    if let Ok(decoded) = BASE64.decode(trimmed) {
        let why = "the file is in base 64, as some platforms hand bodies over; the signature is over the decoded bytes";
        add(decoded.into(), why.to_owned());
    }
    let Some(value) = std::str::from_utf8(trimmed).ok().and_then(json::parse) else {
        return variants;
    };
    for order in Order::ALL {
        let value = value.ordered(order);
        for style in Style::ALL {
            let why = format!(
                "it was parsed and written anew: the bytes that were signed are this JSON {}{}. Check the signature over \
                 the raw bytes, before anything parses them",
                style.told(),
                order.told()
            );
            let text = value.written(style);
            add(
                format!("{text}\n").into_bytes().into(),
                format!("{why} (and end with a line break)"),
            );
            add(text.into_bytes().into(), why);
        }
    }
    variants
}

/// What can be told of a body that fits in no form.
pub(super) fn hints(given: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(given).ok();
    let is_json = text.and_then(|text| json::parse(text.trim())).is_some();
    let hint = match text {
        _ if given.is_empty() => "The body is empty: was it read already by something else?",
        None => "The body isn't UTF-8: was it compressed, or changed in its encoding?",
        Some(_) if !is_json => "The body isn't JSON: is it the whole request body, and nothing else?",
        Some(_) => return Vec::new(),
    };
    vec![hint.to_owned()]
}
