//! An answer, and what can be asked of it.

use std::sync::OnceLock;

use serde_json::Value;

/// What the server answered to `method` `target`.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) status: u16,
    headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    json: OnceLock<Value>,
}

impl Answer {
    /// Reads one answer from the beginning of `bytes`, interim ones passed over; with what follows it. `None` when
    /// there is none, or half of one.
    pub(crate) fn parse<'a>(method: &str, target: &str, bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let (head, rest) = bytes.split_at(end);
        let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let status_line = std::str::from_utf8(lines.next()?).ok()?;
        let status: u16 = status_line.split(' ').nth(1)?.parse().ok()?;
        if status < 200 {
            return Self::parse(method, target, rest);
        }
        let mut headers = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            headers.push((name, line[colon + 1..].trim_ascii().to_owned()));
        }
        let mut answer = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            status,
            headers,
            body: Vec::new(),
            json: OnceLock::new(),
        };
        if answer.header("transfer-encoding").is_some() {
            assert_eq!(
                answer.header("content-type"),
                Some("text/csv; charset=utf-8"),
                "only exports come in pieces: {answer:?}"
            );
            return answer.in_pieces(rest);
        }
        let length = match answer.header("content-length") {
            Some(length) if method != "HEAD" => length.parse().ok()?,
            _ => 0,
        };
        answer.body.extend_from_slice(rest.get(..length)?);
        Some((answer, &rest[length..]))
    }

    /// With a body that comes in pieces, each after its length.
    fn in_pieces(mut self, mut bytes: &[u8]) -> Option<(Self, &[u8])> {
        loop {
            let end = bytes.windows(2).position(|window| window == b"\r\n")?;
            let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?, 16).ok()?;
            let piece = bytes.get(end + 2..)?;
            self.body.extend_from_slice(piece.get(..length)?);
            bytes = piece.get(length + 2..)?;
            if length == 0 {
                return Some((self, bytes));
            }
        }
    }

    /// Every value of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(given, _)| given == name)
            .map(|(_, value)| std::str::from_utf8(value).expect("headers of ours are ASCII"))
            .collect()
    }

    /// A header that occurs once at most.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values = self.all(name);
        assert!(values.len() <= 1, "{name} occurs {} times", values.len());
        values.first().copied()
    }

    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn request_id(&self) -> &str {
        self.header("request-id").expect("every answer has its request's id")
    }

    pub(crate) fn body_text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of ours is UTF-8")
    }

    pub(crate) fn json(&self) -> &Value {
        self.json.get_or_init(|| {
            serde_json::from_slice(&self.body)
                .unwrap_or_else(|error| panic!("not JSON: {error} in {:?}", String::from_utf8_lossy(&self.body)))
        })
    }

    /// `data` of an answer with this status.
    pub(crate) fn data(&self, status: u16) -> &Value {
        assert_eq!(
            self.status,
            status,
            "{} {}: {}",
            self.method,
            self.target,
            String::from_utf8_lossy(&self.body)
        );
        &self.json()["data"]
    }

    /// `data` of a page.
    pub(crate) fn items(&self) -> &[Value] {
        self.data(200).as_array().expect("a list")
    }

    /// The items' ids, or other texts.
    pub(crate) fn column(&self, name: &str) -> Vec<&str> {
        self.items().iter().map(|item| super::at(item, name)).collect()
    }

    pub(crate) fn pagination(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.body_text());
        &self.json()["meta"]["pagination"]
    }

    pub(crate) fn total(&self) -> i64 {
        self.pagination()["estimated_total"].as_i64().expect("always there")
    }

    pub(crate) fn has_more(&self) -> bool {
        self.pagination()["has_more"].as_bool().expect("always there")
    }

    /// `meta.pagination.next`.
    pub(crate) fn next(&self) -> &str {
        super::at(self.pagination(), "next")
    }
}
