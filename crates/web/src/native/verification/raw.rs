//! Verdicts as the bytes of HTTP/1.1, for checks that are answered before hyper looks at them. What is told is from
//! [`super::answers`]; what hyper would add is added here, and the tests hold the two against each other.

use std::cell::RefCell;
use std::time::{Duration, UNIX_EPOCH};

use axum::http::StatusCode;
use tollgate_domain::time::Timestamp;

use crate::connections::Head;

use super::answers::{Name, Told, name};

/// What most answers take.
const ROOM: usize = 512;

/// Appends the answer.
pub(super) fn write(told: &Told, head: &Head<'_>, now: Timestamp, out: &mut Vec<u8>) {
    out.reserve(ROOM);
    let status = told.status();
    if status == StatusCode::NO_CONTENT {
        text(out, "HTTP/1.1 204 No Content");
    } else {
        for part in [
            "HTTP/1.1 ",
            status.as_str(),
            " ",
            status.canonical_reason().unwrap_or_default(),
        ] {
            text(out, part);
        }
    }
    told.headers(|name, value| field(out, name, value));
    let body = told.body();
    if let Some(body) = body {
        field(out, name!("content-length"), &[itoa::Buffer::new().format(body.len())]);
    }
    if head.closes {
        field(out, name!("connection"), &["close"]);
    }
    date(out, now);
    text(out, "\r\n\r\n");
    if let Some(body) = body.filter(|_| head.method != "HEAD") {
        text(out, body);
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn field(out: &mut Vec<u8>, name: Name, value: &[&str]) {
    text(out, name.line);
    for part in value {
        text(out, part);
    }
}

/// Made once a second on each thread.
fn date(out: &mut Vec<u8>, now: Timestamp) {
    thread_local! {
        static MADE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
    }
    let second = now.as_millis() / 1_000;
    MADE.with_borrow_mut(|(made, shown)| {
        if *made != second || shown.is_empty() {
            *made = second;
            *shown = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
        }
        field(out, name!("date"), &[shown]);
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http_body_util::BodyExt;
    use tollgate_domain::environment::Environment;
    use tollgate_domain::id::{ClientTokenId, WorkspaceId};
    use tollgate_domain::restriction::{RestrictionKind, RestrictionKinds};
    use tollgate_verifier::Admitted;

    use super::super::answers::{self, tests::ALL};
    use super::*;

    const NOW: &str = "2026-03-02T09:15:04Z";

    fn written(told: &Told, method: &str, closes: bool) -> (u16, BTreeMap<String, String>, String) {
        let head = Head {
            method,
            target: "/tollgate/authorize",
            headers: &[],
            closes,
        };
        let mut out = b"before".to_vec();
        write(told, &head, Timestamp::parse(NOW).unwrap(), &mut out);
        let bytes = out.strip_prefix(b"before").expect("it is appended");
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut headers);
        let length = response.parse(bytes).unwrap().unwrap();
        let fields = response.headers.iter().map(|header| {
            let value = std::str::from_utf8(header.value).unwrap();
            (header.name.to_owned(), value.to_owned())
        });
        let body = std::str::from_utf8(&bytes[length..]).unwrap().to_owned();
        (response.code.unwrap(), fields.collect(), body)
    }

    async fn shown(told: &Told) -> (u16, BTreeMap<String, String>, String) {
        let answer = answers::told(told);
        let status = answer.status().as_u16();
        let mut fields: BTreeMap<_, _> = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        // What hyper adds.
        fields.insert("date".to_owned(), "Mon, 02 Mar 2026 09:15:04 GMT".to_owned());
        if status != 204 {
            fields.insert("content-length".to_owned(), body.len().to_string());
        }
        (status, fields, String::from_utf8(body.to_vec()).unwrap())
    }

    fn every_answer() -> impl Iterator<Item = Told> {
        let admitted = |reported| Admitted {
            workspace: WorkspaceId::parse("wsp_01kjpx8smt0000000000000001").unwrap(),
            id: ClientTokenId::parse("ctkn_01kjpx8smt0000000000000002").unwrap(),
            environment: Environment::Live,
            reported,
            ends_at: None,
        };
        let all = RestrictionKind::ALL.into_iter().collect();
        let allowed = [RestrictionKinds::NONE, all].map(|reported| Ok(admitted(reported)));
        let decisions = allowed.into_iter().chain(ALL.map(Err));
        decisions.flat_map(|decision| {
            [false, true].map(|limit_is_forbidden| Told {
                sequence: 4_711,
                decision,
                limit_is_forbidden,
            })
        })
    }

    #[tokio::test]
    async fn every_answer_is_the_one_that_the_handler_gives() {
        for told in every_answer() {
            assert_eq!(written(&told, "GET", false), shown(&told).await);
        }
    }

    #[test]
    fn the_answer_to_head_has_no_body_and_the_last_one_says_so() {
        for told in every_answer() {
            let (status, mut fields, body) = written(&told, "GET", false);
            assert_eq!(written(&told, "HEAD", false), (status, fields.clone(), String::new()));
            fields.insert("connection".to_owned(), "close".to_owned());
            assert_eq!(written(&told, "GET", true), (status, fields, body));
        }
    }
}
