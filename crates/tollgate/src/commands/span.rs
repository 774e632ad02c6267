//! Spans of time as people write them: a whole number and s, m, h or d.

use std::time::Duration;

/// The longest: ten years, so that what lies so far ahead is still a time.
const LONGEST: u64 = 3_650 * 24 * 60 * 60;

/// Reads `90s`, `15m`, `12h` or `7d`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let unit = |unit| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        _ => None,
    };
    let seconds = text.char_indices().last().and_then(|(end, last)| {
        let (number, unit) = (&text[..end], unit(last)?);
        let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| number.parse::<u64>().ok()?.checked_mul(unit))?
    });
    match seconds {
        Some(seconds) if seconds <= LONGEST => Ok(Duration::from_secs(seconds)),
        _ => Err("write it as 90s, 15m, 12h or 7d, ten years at most".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_are_a_span() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800), ("0s", 0)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "7",
            "d",
            "7 d",
            "-7d",
            "+7d",
            "1.5h",
            "7w",
            "7D",
            "9999999999999999999d",
            "3651d",
            "7é",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
