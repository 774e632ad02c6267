//! The header: `ts=<seconds>;h1=<64 hexadecimal digits>`, read as strictly as the strictest verifier does.

use tollgate_domain::signature::EndpointSecret;

/// A header that is well formed.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) seconds: u64,
    /// In lower-case hexadecimal; one, or several while a secret is replaced.
    pub(super) signatures: Vec<String>,
}

impl Header {
    /// Which of the signatures is made with this secret over these bytes.
    pub(super) fn position(&self, secret: &EndpointSecret, body: &[u8]) -> Option<usize> {
        let made = secret.paddle_signature(self.seconds, body);
        let (_, digits) = made.rsplit_once('=')?;
        self.signatures.iter().position(|given| given == digits)
    }
}

/// The header's value; its name before it is no mistake of the sender's.
pub(super) fn read(text: &str) -> Result<Header, String> {
    let text = text.trim();
    let name = "paddle-signature:";
    let text = match text.get(..name.len()) {
        Some(start) if start.eq_ignore_ascii_case(name) => text[name.len()..].trim(),
        _ => text,
    };
    if text.is_empty() {
        return Err("it is empty; it must read ts=<seconds>;h1=<64 hexadecimal digits>".to_owned());
    }
    if text.starts_with("v1,") {
        return Err("this is the header webhook-signature of Standard Webhooks; give Paddle-Signature".to_owned());
    }
    let (mut seconds, mut signatures) = (None, Vec::new());
    for (index, part) in text.split(';').enumerate() {
        let at = format!("part {} ({part:?})", index + 1);
        if part.is_empty() {
            return Err(format!("part {} is empty: there is a ; too many", index + 1));
        }
        if part.contains(char::is_whitespace) {
            return Err(format!("{at} has a blank in it, and verifiers don't take one"));
        }
        match part.split_once('=') {
            None => return Err(format!("{at} has no =; it must be ts=… or h1=…")),
            Some(("ts", value)) if seconds.is_none() => seconds = Some(number(value, &at)?),
            Some(("ts", _)) => return Err(format!("{at} is a second ts")),
            Some(("h1", value)) => signatures.push(digits(value, &at)?),
            Some((key, _)) => return Err(format!("{at} has the key {key:?}; only ts and h1 are known")),
        }
    }
    let Some(seconds) = seconds else {
        return Err("it has no ts=<seconds>".to_owned());
    };
    if signatures.is_empty() {
        return Err(
            "it has no h1=<64 hexadecimal digits>; a ; in a shell ends the command unless it is quoted".to_owned(),
        );
    }
    Ok(Header { seconds, signatures })
}

fn number(value: &str, at: &str) -> Result<u64, String> {
    if value.contains(',') {
        return Err(format!("{at} has a comma in it; parts are separated by ;"));
    }
    let number = value
        .parse()
        .ok()
        .filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| format!("{at} isn't a number of seconds since 1970"))
}

fn digits(value: &str, at: &str) -> Result<String, String> {
    if value.len() != 64 {
        return Err(format!(
            "{at} has {} characters instead of 64; was it cut?",
            value.chars().count()
        ));
    }
    if value.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("{at} has capitals in it; the digits a to f are in lower case"));
    }
    if !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("{at} has a character that is no hexadecimal digit"));
    }
    Ok(value.to_owned())
}
