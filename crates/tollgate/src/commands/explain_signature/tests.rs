//! Each check that fails is told, by its own words.

use tollgate_domain::id::{EventId, NotificationSettingId};
use tollgate_domain::notification;

use super::json::Style;
use super::*;

const SECRET: &str = "pdl_ntfset_01khxpvseb2c6yh7kamebc4fdp_5Anr1xdJQw7KwV0bHDMuoky6yvUNfjDI";
const SIGNED_AT: u64 = 1_773_074_452;

/// A payload as it is sent, with things in it that writers treat differently.
fn sent() -> String {
    let setting = NotificationSettingId::parse("ntfset_01khxpvseb2c6yh7kamebc4fdp").unwrap();
    let event = EventId::parse("evt_01kk9qj3e303apn41qrp5t6kps").unwrap();
    let notification = notification::id_of(event, setting);
    format!(
        r#"{{"event_id":"{event}","event_type":"client_token.revoked","occurred_at":"2026-03-09T16:40:51.907412Z","#,
    ) + &format!(
        r#""notification_id":"{notification}","data":{{"id":"ctkn_01kjpx8smtt7yvcqtc63b3kq74","name":"é 🔑 a/b","#,
    ) + r#""description":null,"status":"revoked","created_at":"2026-03-02T09:15:04.218733Z","revoked_at":null}}"#
}

fn header() -> String {
    EndpointSecret::from_text(SECRET).paddle_signature(SIGNED_AT, sent().as_bytes())
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(seconds * 1_000_000).unwrap()).unwrap()
}

fn explained(secret: &str, header: &str, body: &str) -> Explanation {
    explain(secret, header, body.as_bytes(), at(SIGNED_AT + 1), true)
}

/// The one check that fails must be this one, and say this.
fn fails(explanation: &Explanation, check: &str, words: &str) {
    let failing: Vec<&Finding> = explanation.checks.iter().filter(|check| !check.passed).collect();
    assert!(!explanation.good && failing.len() == 1, "{explanation:?}");
    let told = format!("{} {}", failing[0].detail, explanation.hints.join(" "));
    assert!(
        failing[0].check == check && told.contains(words),
        "{words:?} in {explanation:?}"
    );
    assert!(!told.contains("5Anr1"), "the secret isn't shown: {told}");
}

#[test]
fn a_good_signature_is_good() {
    let named = format!("Paddle-Signature: {} ", header());
    for header in [header(), named] {
        let explanation = explained(SECRET, &header, &sent());
        assert!(explanation.good && explanation.hints.is_empty(), "{explanation:?}");
    }
}

#[test]
fn a_malformed_header_is_told_by_its_part() {
    let h1 = "0".repeat(64);
    for (header, words) in [
        (String::new(), "empty"),
        (format!("ts=1; h1={h1}"), "part 2 (\" h1="),
        (format!("ts=1,h1={h1}"), "separated by ;"),
        (format!("ts=x;h1={h1}"), "part 1 (\"ts=x\") isn't a number"),
        (format!("ts=1;ts=2;h1={h1}"), "a second ts"),
        (format!("ts=1;h2={h1}"), "the key \"h2\""),
        (format!("ts=1;h1={h1};"), "part 3 is empty"),
        ("ts=1;h1=00ff".to_owned(), "4 characters instead of 64"),
        (format!("ts=1;h1={}", "A".repeat(64)), "capitals"),
        (format!("ts=1;h1={}", "g".repeat(64)), "no hexadecimal"),
        ("ts=1".to_owned(), "no h1"),
        (format!("h1={h1}"), "no ts"),
        ("nonsense".to_owned(), "no ="),
        (
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned(),
            "Standard Webhooks",
        ),
    ] {
        fails(&explained(SECRET, &header, &sent()), "header", words);
    }
}

#[test]
fn another_form_of_the_secret_is_recognised() {
    let standard = EndpointSecret::from_text(SECRET).standard_webhooks();
    for (secret, words) in [
        (format!(" {SECRET}\n"), "around it"),
        (format!("\"{SECRET}\""), "around it"),
        (standard, "whsec_"),
        (SECRET.replace("pdl_", ""), "pdl_, is missing"),
        (SECRET.replace("pdl_ntfset_", ""), "pdl_ntfset_, is missing"),
    ] {
        fails(&explained(&secret, &header(), &sent()), "secret", words);
    }
}

#[test]
fn a_wrong_secret_is_told_by_its_shape() {
    for (secret, words) in [
        (SECRET.replace("fdp_", "fdq_"), "The id in the secret differs"),
        (SECRET.replace("5Anr", "5Anx"), "the secret was replaced since"),
        (SECRET[..60].to_owned(), "was it cut?"),
        ("pdl_live_apikey_01_x".to_owned(), "an API key"),
        ("ntfset_01khxpvseb2c6yh7kamebc4fdp".to_owned(), "the destination's id"),
        ("hunter2".to_owned(), "isn't one"),
    ] {
        fails(&explained(&secret, &header(), &sent()), "signature", words);
    }
}

#[test]
fn a_body_that_was_written_anew_is_recognised() {
    let value = json::parse(&sent()).unwrap();
    assert_eq!(value.written(Style::Compact), sent());
    for order in json::Order::ALL {
        for style in json::Style::ALL {
            let anew = value.ordered(order).written(style);
            for body in [anew.clone(), format!("{anew}\n")] {
                if body.trim() != sent() {
                    let words = "the bytes that were signed are this JSON without blanks";
                    fails(&explained(SECRET, &header(), &body), "body", words);
                }
            }
        }
    }
    let sorted = value.ordered(json::Order::Sorted).written(json::Style::Compact);
    fails(&explained(SECRET, &header(), &sorted), "body", "in another order");
    let spaced = value.written(json::Style::SpacedAscii);
    let header = EndpointSecret::from_text(SECRET).paddle_signature(SIGNED_AT, spaced.as_bytes());
    fails(&explained(SECRET, &header, &sent()), "body", "with \\u escapes");
}

#[test]
fn a_body_that_was_wrapped_is_recognised() {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(sent());
    for (body, words) in [
        (format!("{}\n", sent()), "line break or blanks"),
        (format!("\u{feff}{}", sent()), "byte order mark"),
        (encoded, "base 64"),
    ] {
        fails(&explained(SECRET, &header(), &body), "body", words);
    }
    for (body, words) in [
        ("", "is empty"),
        ("event_id=evt_1", "isn't JSON"),
        ("{\"a\":1}", "nor over another form"),
    ] {
        fails(&explained(SECRET, &header(), body), "signature", words);
    }
    let other_name = sent().replace("a/b", "a/c");
    fails(
        &explained(SECRET, &header(), &other_name),
        "signature",
        "something in the body or ts was changed",
    );
}

#[test]
fn a_stale_clock_is_told_in_seconds() {
    let explained = |seconds, was_told| explain(SECRET, &header(), sent().as_bytes(), at(seconds), was_told);
    assert!(explained(SIGNED_AT + 5, true).good);
    fails(&explained(SIGNED_AT + 6, true), "age", "6 s before the time given");
    fails(&explained(SIGNED_AT + 3_600, false), "age", "--at");
    let ahead = explained(SIGNED_AT - 30, true);
    assert!(ahead.good && ahead.hints[0].contains("30 s after"), "{ahead:?}");
}

#[test]
fn of_several_signatures_any_may_fit() {
    let other = "0".repeat(64);
    let last = header().replace(";h1", &format!(";h1={other};h1"));
    assert!(explained(SECRET, &last, &sent()).hints.is_empty());
    let first = format!("{};h1={other}", header());
    let explanation = explained(SECRET, &first, &sent());
    assert!(
        explanation.good && explanation.hints[0].contains("look only at the last"),
        "{explanation:?}"
    );
}

#[test]
fn a_moment_is_a_time_or_seconds() {
    assert_eq!(moment("1773074452"), Ok(at(SIGNED_AT)));
    assert_eq!(moment("2026-03-09T16:40:52Z"), Ok(at(SIGNED_AT)));
    assert!(moment("yesterday").is_err());
}
