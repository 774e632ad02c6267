//! Until when a key is good: a few lengths, a day, or for ever.

use std::time::Duration;

use tollgate_domain::api_key::ApiKey;
use tollgate_domain::time::Timestamp;

use crate::dashboard::fields::Fields;

const DAY: Duration = Duration::from_hours(24);
/// The lengths that can be chosen, in days.
const LENGTHS: [u32; 3] = [30, 90, 365];
/// The one that is chosen at first.
const USUAL: &str = "90";

/// What the form shows.
pub(super) struct Expiry {
    pub(super) lengths: Vec<Length>,
    /// A day was chosen.
    pub(super) is_day: bool,
    /// As the browser writes it: `2026-03-02`.
    pub(super) day: String,
    pub(super) is_never: bool,
    /// The earliest and the latest day that may be chosen.
    pub(super) first_day: String,
    pub(super) last_day: String,
}

/// A length that can be chosen.
pub(super) struct Length {
    pub(super) days: u32,
    /// The day that it leads to.
    pub(super) until: String,
    pub(super) is_chosen: bool,
}

/// The form with a choice: a length in days, `day` or `never`.
fn form(choice: &str, day: &str, now: Timestamp) -> Expiry {
    let lengths = LENGTHS.map(|days| Length {
        days,
        until: date(now.plus(DAY * days)),
        is_chosen: choice == days.to_string(),
    });
    Expiry {
        lengths: lengths.into(),
        is_day: choice == "day",
        day: day.to_owned(),
        is_never: choice == "never",
        first_day: date(now),
        last_day: date(now.plus(DAY * 364)),
    }
}

/// The form at first.
pub(super) fn usual(now: Timestamp) -> Expiry {
    form(USUAL, "", now)
}

/// The form as somebody sent it.
pub(super) fn again(fields: &Fields, now: Timestamp) -> Expiry {
    form(fields.text("expiry"), fields.text("day"), now)
}

/// The form for a key that takes another one's place: the length that its life comes closest to from above.
pub(super) fn like(key: &ApiKey, now: Timestamp) -> Expiry {
    let Some(expires_at) = key.expires_at else {
        return form("never", "", now);
    };
    let life = expires_at.as_micros().saturating_sub(key.created_at.as_micros()) / 86_400_000_000;
    let fits = LENGTHS.into_iter().find(|days| life <= i64::from(*days));
    form(&fits.unwrap_or(365).to_string(), "", now)
}

/// When a key made `now` expires; `None` is never. A day is meant to its end, in UTC.
pub(super) fn read(fields: &Fields, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
    match fields.text("expiry") {
        "never" => Ok(None),
        "day" => {
            let day = fields.text("day");
            let begins = Timestamp::parse(day).ok().filter(|_| day.len() == 10);
            let begins = begins.ok_or("Please choose a day, or one of the lengths.")?;
            Ok(Some(begins.plus(DAY)))
        }
        length => {
            let chosen = LENGTHS.into_iter().find(|days| length == days.to_string());
            let days = chosen.ok_or("Please choose how long the key is good.")?;
            Ok(Some(now.plus(DAY * days)))
        }
    }
}

fn date(at: Timestamp) -> String {
    at.to_string()[..10].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-03-02T09:15:04Z").unwrap()
    }

    #[test]
    fn an_expiry_is_read_as_it_was_meant() {
        let at = |text| Some(Timestamp::parse(text).unwrap());
        for (sent, expected) in [
            ("expiry=never", Ok(None)),
            ("expiry=30", Ok(at("2026-04-01T09:15:04Z"))),
            ("expiry=365", Ok(at("2027-03-02T09:15:04Z"))),
            ("expiry=day&day=2026-03-05", Ok(at("2026-03-06"))),
            ("expiry=never&day=2026-03-05", Ok(None)),
        ] {
            assert_eq!(read(&Fields::parse(sent.as_bytes()), now()), expected, "{sent}");
        }
        for sent in [
            "",
            "day=2026-03-05",
            "expiry=7",
            "expiry=day",
            "expiry=day&day=2026-02-30",
            "expiry=day&day=2026-03-05T01:00:00Z",
        ] {
            assert!(read(&Fields::parse(sent.as_bytes()), now()).is_err(), "{sent}");
        }
    }

    #[test]
    fn the_form_shows_where_each_length_leads() {
        let form = usual(now());
        let chosen = form.lengths.iter().filter(|length| length.is_chosen);
        assert_eq!(chosen.map(|length| length.days).collect::<Vec<_>>(), [90]);
        assert_eq!(form.lengths[0].until, "2026-04-01");
        assert_eq!(
            (form.first_day.as_str(), form.last_day.as_str()),
            ("2026-03-02", "2027-03-01")
        );
        let form = again(&Fields::parse(b"expiry=day&day=2026-05-01"), now());
        assert!(form.is_day && !form.is_never && form.lengths.iter().all(|length| !length.is_chosen));
        assert_eq!(form.day, "2026-05-01");
    }
}
