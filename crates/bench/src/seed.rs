//! Rows as the server writes them, for rivals and for large stores.

use std::fmt::Write;

use anyhow::Context;
use tollgate_domain::ambient::Clock;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_service::ambient::{OsEntropy, SystemClock};

/// As long as an id that the server makes; what differs is only the number at its end.
pub(crate) const ID_TAIL: &str = "01kjpx8smt";
const DIGITS: usize = 16;

/// What the body of a create says.
pub(crate) const NAME: &str = "Storefront";
pub(crate) const DESCRIPTION: &str = "Shows the checkout on the shop's pages";

/// What one create inserts, in the words of the tables.
pub(crate) struct Row {
    pub(crate) workspace: String,
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) at: i64,
    pub(crate) event_id: String,
    pub(crate) actor: String,
    pub(crate) data: String,
}

/// An endless supply of rows, each made when it is asked for. Only ids differ, which is all that a store notices; so a
/// rival that inserts them has little else to do.
pub(crate) struct Rows {
    row: Row,
    number: u64,
    before_id: String,
    after_id: String,
}

impl Rows {
    pub(crate) fn of(workspace: WorkspaceId) -> anyhow::Result<Self> {
        let now = SystemClock.now();
        let token = ClientToken {
            workspace,
            id: ClientTokenId::parse(&id("ctkn_", 0))?,
            token: TokenText::generate(Environment::Sandbox, &OsEntropy),
            name: NAME.to_owned(),
            description: Some(DESCRIPTION.to_owned()),
            status: ClientTokenStatus::Active,
            created_at: now,
            updated_at: now,
            revoked_at: None,
            restrictions: None,
            revoke_at: None,
            version: 1,
        };
        let data = serde_json::to_string(&token.snapshot())?;
        let (before_id, after_id) = data
            .split_once(&token.id.to_string())
            .context("the snapshot has its id")?;
        Ok(Self {
            number: 0,
            before_id: before_id.to_owned(),
            after_id: after_id.to_owned(),
            row: Row {
                workspace: workspace.to_string(),
                id: String::new(),
                token: token.token.as_str().to_owned(),
                at: now.as_micros(),
                event_id: String::new(),
                actor: id("apikey_", 0),
                data: String::new(),
            },
        })
    }

    /// The event's data before and behind the token's id.
    pub(crate) fn data_around_id(&self) -> (&str, &str) {
        (&self.before_id, &self.after_id)
    }

    pub(crate) fn next(&mut self) -> &Row {
        let (row, number) = (&mut self.row, self.number);
        write_id(&mut row.id, "ctkn_", number);
        write_id(&mut row.event_id, "evt_", number);
        row.data.clear();
        for part in [&self.before_id, &row.id, &self.after_id] {
            row.data.push_str(part);
        }
        self.number += 1;
        row
    }
}

/// The id of the row with this number, counted from 0.
pub(crate) fn id(prefix: &str, number: u64) -> String {
    let mut id = String::new();
    write_id(&mut id, prefix, number);
    id
}

fn write_id(id: &mut String, prefix: &str, number: u64) {
    id.clear();
    id.push_str(prefix);
    id.push_str(ID_TAIL);
    write!(id, "{number:0DIGITS$}").expect("writing into memory");
}

/// A text as SQL writes it; without a colon, as pgbench takes what follows one for the name of a variable.
pub(crate) fn literal(text: &str) -> String {
    let escaped = text.replace('\\', r"\\").replace('\'', "''").replace(':', r"\x3a");
    format!("E'{escaped}'")
}
