//! Points in time as the wire shows them: RFC 3339 in UTC with exactly six fractional digits.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use jiff::civil;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Microseconds since 1970-01-01T00:00:00Z; from 1970 to 9998.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 9998-12-31T23:59:59.999999Z, the end of the last whole year that jiff can tell in every zone.
const LAST_MICROS: i64 = 253_370_764_799_999_999;

/// What was given is no point in time that we accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a time: write it as 2026-03-02T09:15:04Z, 2026-03-02T09:15:04 (read as UTC) or 2026-03-02, from 1970 to 9998"
)]
pub struct InvalidTime;

impl Timestamp {
    /// The latest there is: the end of the year 9998.
    pub const LAST: Self = Self(LAST_MICROS);

    /// From microseconds since 1970; `None` outside the years 1970 to 9998.
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros >= 0 && micros <= LAST_MICROS {
            Some(Self(micros))
        } else {
            None
        }
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0.unsigned_abs() / 1_000
    }

    /// Later by `by`, at most the end of the year 9998.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros).min(LAST_MICROS))
    }

    /// Earlier by `by`, at least the beginning of 1970.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros).max(0))
    }

    /// Reads RFC 3339 with a zone, the same without a zone (UTC), or a bare date (its midnight in UTC).
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        // jiff also reads week dates, bracketed zones and spelled-out offsets; the contract has none of them.
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-:.+TZ".contains(&byte))
        {
            return Err(InvalidTime);
        }
        let parsed = if text.len() == 10 {
            text.parse::<civil::Date>()
                .map_err(|_| InvalidTime)?
                .to_datetime(civil::Time::midnight())
        } else if text.as_bytes().get(10) != Some(&b'T') {
            return Err(InvalidTime);
        } else if let Ok(with_zone) = text.parse::<jiff::Timestamp>() {
            return Self::from_micros(with_zone.as_microsecond()).ok_or(InvalidTime);
        } else {
            text.parse::<civil::DateTime>().map_err(|_| InvalidTime)?
        };
        let utc = TimeZone::UTC.to_timestamp(parsed).map_err(|_| InvalidTime)?;
        Self::from_micros(utc.as_microsecond()).ok_or(InvalidTime)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        static PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
        let timestamp = jiff::Timestamp::from_microsecond(self.0).expect("1970 to 9998 is within jiff's range");
        f.write_str(&PRINTER.timestamp_to_string(&timestamp))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn six_fractional_digits_always() {
        assert_eq!(
            Timestamp(1_772_442_904_218_733).to_string(),
            "2026-03-02T09:15:04.218733Z"
        );
        assert_eq!(
            Timestamp(1_772_442_904_000_000).to_string(),
            "2026-03-02T09:15:04.000000Z"
        );
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp(LAST_MICROS).to_string(), "9998-12-31T23:59:59.999999Z");
    }

    #[test]
    fn reads_the_three_documented_spellings() {
        let noon = Timestamp::parse("2026-03-02T12:00:00Z").unwrap();
        assert_eq!(Timestamp::parse("2026-03-02T14:00:00+02:00").unwrap(), noon);
        assert_eq!(Timestamp::parse("2026-03-02T12:00:00").unwrap(), noon);
        assert_eq!(
            Timestamp::parse("2026-03-02").unwrap(),
            Timestamp::parse("2026-03-02T00:00:00Z").unwrap()
        );
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "now",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "2026-03-02 12:00:00Z",
            "2026-03-02T25:00:00Z",
            "20260302",
            "2026-W10-1",
            "2026-03-02T12:00:00[Europe/Paris]",
            "1772442904",
            "1969-12-31T23:59:59Z",
            "+002026-03-02",
            "2026-03-02T12:00:00Z ",
        ] {
            assert_eq!(Timestamp::parse(text), Err(InvalidTime), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(micros in 0..=LAST_MICROS) {
            let timestamp = Timestamp(micros);
            let text = timestamp.to_string();
            prop_assert_eq!(text.len(), 27);
            prop_assert_eq!(Timestamp::parse(&text), Ok(timestamp));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = Timestamp::parse(&text);
        }
    }
}
