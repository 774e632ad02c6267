//! The secret: forms in which it is given by mistake, and what its parts tell.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use tollgate_domain::id::{EventId, NotificationId, NotificationSettingId};
use tollgate_domain::notification;

/// What every secret begins with.
const PREFIX: &str = "pdl_ntfset_";
/// How long its two parts are.
const PARTS: (usize, usize) = (26, 32);

/// A secret to try.
pub(super) struct Variant {
    pub(super) text: String,
    /// What was wrong with the one given, if this one fits; `None` for the one given.
    pub(super) why: Option<&'static str>,
}

/// The secret as it was given, then what may have been meant.
pub(super) fn variants(given: &str) -> Vec<Variant> {
    let mut variants = vec![Variant {
        text: given.to_owned(),
        why: None,
    }];
    let mut add = |text: Option<String>, why| variants.extend(text.map(|text| Variant { text, why: Some(why) }));
    let bare = given.trim().trim_matches(['"', '\'']).trim();
    add(
        (bare != given).then(|| bare.to_owned()),
        "it has blanks, line breaks or quotes around it; without them it is the right one",
    );
    add(
        decoded(bare),
        "whsec_… is its form for Standard Webhooks libraries; the key of Paddle-Signature is the pdl_ntfset_… that is \
         encoded in it",
    );
    add(
        bare.starts_with("ntfset_").then(|| format!("pdl_{bare}")),
        "its beginning, pdl_, is missing; with it, it is the right one",
    );
    add(
        (!bare.starts_with(PREFIX)).then(|| format!("{PREFIX}{bare}")),
        "its beginning, pdl_ntfset_, is missing; the key is the whole text",
    );
    variants
}

/// What is in `whsec_<base 64>`.
fn decoded(text: &str) -> Option<String> {
    let decoded = BASE64.decode(text.strip_prefix("whsec_")?).ok()?;
    String::from_utf8(decoded).ok()
}

/// What can be told of a secret that doesn't fit.
pub(super) fn hints(given: &str, body: &[u8]) -> Vec<String> {
    let bare = given.trim().trim_matches(['"', '\'']).trim();
    let secret = decoded(bare).unwrap_or_else(|| bare.to_owned());
    if secret.contains("apikey_") {
        return vec!["The secret given is an API key; a destination's secret begins with pdl_ntfset_.".to_owned()];
    }
    let Some((id, random)) = secret.strip_prefix(PREFIX).and_then(|parts| parts.split_once('_')) else {
        let what = if NotificationSettingId::parse(&secret).is_ok() {
            "The secret given is the destination's id; its secret, endpoint_secret_key, reads"
        } else {
            "The secret given isn't one: it reads"
        };
        return vec![format!("{what} pdl_ntfset_, 26 characters, _ and 32 characters.")];
    };
    if (id.len(), random.len()) != PARTS {
        return vec![format!(
            "The secret given has parts of {} and {} characters instead of {} and {}; was it cut?",
            id.len(),
            random.len(),
            PARTS.0,
            PARTS.1
        )];
    }
    NotificationSettingId::from_tail(id)
        .and_then(|setting| of_another(setting, body))
        .into_iter()
        .collect()
}

/// Whether the notification in the body was made for the destination of the secret: its id follows from the event and
/// the destination.
fn of_another(setting: NotificationSettingId, body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Ids {
        event_id: EventId,
        notification_id: NotificationId,
    }
    let ids: Ids = serde_json::from_slice(body).ok()?;
    Some(if notification::id_of(ids.event_id, setting) == ids.notification_id {
        format!(
            "The secret is of the destination that this notification was made for, {setting}: the secret was replaced \
             since, or something in the body or ts was changed."
        )
    } else {
        format!(
            "The id in the secret differs: this notification wasn't made for {setting}, unless it is a replay. The secret of \
             its own destination is needed."
        )
    })
}
