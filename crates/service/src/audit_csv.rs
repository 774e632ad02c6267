//! The audit trail as CSV, for spreadsheets and whatever else reads it.
//!
//! Names, addresses of email and data are written by anybody. A spreadsheet takes a cell that begins with certain
//! characters for a formula and runs it, so such a cell gets an apostrophe in front. Source: OWASP, CSV Injection. Every
//! cell stands in quotes, so nothing in it ends the cell or the row.

use csv::{QuoteStyle, Terminator, WriterBuilder};
use tollgate_domain::event::Event;
use tollgate_domain::role::Action;
use tollgate_storage::AuditPage;

use crate::{AuditEntry, AuditError, AuditTrail, Caller, Denied, Service};

/// What an export holds at most: the newest that the filter lets through. A narrower filter gets at the others.
pub const MOST_EXPORTED: usize = 100_000;
/// Events at a time: what is held in memory.
const AT_ONCE: usize = 1_000;

/// The columns' names.
const HEADER: [&str; 9] = [
    "occurred_at",
    "event_id",
    "event_type",
    "subject",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "data",
];

/// The first row: what the columns are.
pub fn header() -> String {
    written([HEADER.map(str::to_owned)])
}

/// A row for each entry, in their order.
pub fn rows(entries: &[AuditEntry]) -> String {
    written(entries.iter().map(|entry| cells(entry).map(defused)))
}

fn cells(AuditEntry { event, actor_name }: &AuditEntry) -> [String; HEADER.len()] {
    let Event { actor, address, .. } = event;
    [
        event.occurred_at.to_string(),
        event.id.to_string(),
        event.event_type.name().to_owned(),
        event.subject.clone(),
        actor.kind().to_owned(),
        actor.id().unwrap_or_default(),
        actor_name.clone().unwrap_or_default(),
        address.map(|address| address.to_string()).unwrap_or_default(),
        event.data.clone(),
    ]
}

/// The cell as no spreadsheet takes it for a formula, the full-width signs of some keyboards included.
fn defused(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell
    }
}

/// As RFC 4180 has it.
fn written(rows: impl IntoIterator<Item = [String; HEADER.len()]>) -> String {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row)
            .expect("all rows are as long, and memory takes them");
    }
    let bytes = writer.into_inner().expect("memory takes them");
    String::from_utf8(bytes).expect("of text and what is ASCII")
}

/// An export that is under way: the pieces of one text.
pub struct AuditExport {
    service: Service,
    caller: Caller,
    /// What to ask for next; `None` when nothing is left.
    page: Option<AuditPage>,
    has_begun: bool,
    left: usize,
}

impl Service {
    /// All that the filter lets through, at most [`MOST_EXPORTED`], newest first; its limit means nothing.
    pub fn audit_export(&self, caller: &Caller, filter: AuditPage) -> Result<AuditExport, Denied> {
        caller.require_action(Action::ReadAuditTrail)?;
        Ok(AuditExport {
            service: self.clone(),
            caller: caller.clone(),
            page: Some(filter),
            has_begun: false,
            left: MOST_EXPORTED,
        })
    }
}

impl AuditExport {
    /// The next piece, the header with the first; `None` at the end. A piece may be empty, where much is looked through for
    /// little.
    pub async fn next(&mut self) -> Result<Option<String>, AuditError> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(page) = &mut self.page else { return Ok(None) };
        page.limit = AT_ONCE.min(self.left);
        let AuditTrail { entries, next, .. } = self.service.audit_trail(&self.caller, page).await?;
        self.left -= entries.len();
        page.after = next;
        if next.is_none() {
            self.page = None;
        }
        let mut piece = if self.has_begun { String::new() } else { header() };
        self.has_begun = true;
        piece.push_str(&rows(&entries));
        Ok(Some(piece))
    }

    /// Whether more was to be told than an export holds. Known at the end.
    pub const fn was_cut(&self) -> bool {
        self.left == 0 && self.page.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tollgate_domain::event::{Actor, EventType};
    use tollgate_domain::id::{EventId, UserId, WorkspaceId};
    use tollgate_domain::time::Timestamp;

    use super::*;

    fn entry(subject: &str, name: Option<&str>, data: &str) -> AuditEntry {
        AuditEntry {
            event: Event {
                workspace: WorkspaceId::from_bits(1),
                id: EventId::from_bits(2),
                event_type: EventType::MemberInvited,
                occurred_at: Timestamp::from_micros(1_767_225_600_123_457).unwrap(),
                subject: subject.to_owned(),
                data: data.to_owned(),
                actor: Actor::Person(UserId::from_bits(3)),
                address: "192.0.2.7".parse().ok(),
            },
            actor_name: name.map(str::to_owned),
        }
    }

    fn parsed(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let rows = reader.records().map(|row| row.unwrap());
        rows.map(|row| row.iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn an_entry_is_a_row_under_its_header() {
        let text = header()
            + &rows(&[entry(
                "ada@example.com",
                Some("Ada \"A\" <ada@example.com>"),
                "{\"a\":1}",
            )]);
        assert_eq!(
            text,
            concat!(
                r#""occurred_at","event_id","event_type","subject","actor_kind","actor_id","actor_name","address","data""#,
                "\r\n",
                r#""2026-01-01T00:00:00.123457Z","evt_00000000000000000000000002","member.invited","ada@example.com","#,
                r#""person","usr_00000000000000000000000003","Ada ""A"" <ada@example.com>","192.0.2.7","{""a"":1}""#,
                "\r\n"
            )
        );
        let mut clock = entry("x", None, "{}");
        (clock.event.actor, clock.event.address) = (Actor::Clock, None);
        assert_eq!(parsed(&rows(&[clock]))[0][4..8], ["clock", "", "", ""]);
        assert_eq!(rows(&[]), "");
    }

    #[test]
    fn what_would_be_a_formula_gets_an_apostrophe() {
        for begins in ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"] {
            let cell = format!("{begins}HYPERLINK(\"https://evil.example\")");
            let row = &parsed(&rows(&[entry(&cell, Some(&cell), &cell)]))[0];
            for column in [3, 6, 8] {
                assert_eq!(row[column], format!("'{cell}"), "{begins:?}");
            }
        }
        for harmless in ["a=1", " =1", "'=1", "1-1", "ada@example.com", "\u{202e}=1", ""] {
            let row = &parsed(&rows(&[entry(harmless, Some(harmless), harmless)]))[0];
            assert_eq!(row[3], harmless);
        }
    }

    /// Anything, and often what means something to CSV or to a spreadsheet.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "[=+@,;\"'\r\n\t\\-]{0,6}",
            Just("\u{202e}\u{2066}\u{0}\u{7f}\u{2028}".to_owned()),
            Just("\r\n=1+1,\"".to_owned()),
        ];
        proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn whatever_the_cells_hold_reading_gives_them_back(
            entries in proptest::collection::vec((text(), proptest::option::of(text()), text()), 0..5)
        ) {
            let entries: Vec<AuditEntry> = entries
                .iter()
                .map(|(subject, name, data)| entry(subject, name.as_deref(), data))
                .collect();
            let read = parsed(&(header() + &rows(&entries)));
            prop_assert_eq!(read.len(), entries.len() + 1, "a row each");
            for (row, entry) in read[1..].iter().zip(&entries) {
                let name = entry.actor_name.clone().unwrap_or_default();
                for (column, cell) in [(3, &entry.event.subject), (6, &name), (8, &entry.event.data)] {
                    let shown = &row[column];
                    prop_assert!(shown == cell || shown.strip_prefix('\'') == Some(cell), "{shown:?}");
                    let first = shown.chars().next();
                    prop_assert!(!first.is_some_and(|first| "=+-@\t\r\n".contains(first)), "{shown:?}");
                }
            }
        }
    }
}
