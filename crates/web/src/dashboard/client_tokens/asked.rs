//! Which tokens the list is asked for, and which there are: a page of all, or of those that a text finds.

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::id::ClientTokenId;
use tollgate_service::{ClientTokenError, ClientTokenSearch};
use tollgate_storage::{ClientTokenPage, Order, Page};

use crate::App;
use crate::dashboard::fields::Fields;
use crate::dashboard::moment::grouped;
use crate::dashboard::session::Visit;

/// Short enough that a page of the longest names is under 100 KiB.
pub(super) const PER_PAGE: usize = 25;

/// The filters, and from which token on, forward or backward.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// An id, a token, or a part of a name; empty for all.
    pub(super) text: String,
    pub(super) status: Option<ClientTokenStatus>,
    after: Option<ClientTokenId>,
    before: Option<ClientTokenId>,
}

/// A page, newest first.
pub(super) struct Found {
    pub(super) tokens: Vec<ClientToken>,
    /// The addresses of the pages beside it.
    pub(super) newer: Option<String>,
    pub(super) older: Option<String>,
    /// How many tokens were looked through, when the page ended because of that.
    pub(super) looked_through: Option<String>,
}

impl Asked {
    pub(super) fn of(fields: &Fields) -> Self {
        let id = |name| ClientTokenId::parse(fields.text(name)).ok();
        Self {
            text: fields.text("search").trim().to_owned(),
            status: ClientTokenStatus::from_name(fields.text("status")),
            after: id("after"),
            before: id("before"),
        }
    }

    /// Whether not all tokens are asked for, from the newest on.
    pub(super) fn is_filtered(&self) -> bool {
        !self.text.is_empty() || self.status.is_some() || self.after.is_some()
    }

    /// The address of another page with the same filters: that goes on from a token, or the first.
    fn link(&self, from: Option<(&str, ClientTokenId)>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.text.is_empty() {
            query.append_pair("search", &self.text);
        }
        if let Some(status) = self.status {
            query.append_pair("status", status.name());
        }
        if let Some((way, id)) = from {
            query.append_pair(way, &id.to_string());
        }
        format!("?{}", query.finish())
    }

    pub(super) async fn find(&self, app: &App, visit: &Visit) -> Result<Found, ClientTokenError> {
        if !self.text.is_empty() {
            return self.search(app, visit).await;
        }
        let read = async |after, order| app.service.client_tokens(&visit.caller, &self.page(after, order)).await;
        if let Some(before) = self.before {
            let mut slice = read(Some(before), Order::Ascending).await?;
            // With nothing newer it is the first page, which is shown whole.
            if slice.has_more {
                slice.items.reverse();
                return Ok(self.found(slice.items, true, true));
            }
        }
        let after = self.after.filter(|_| self.before.is_none());
        let slice = read(after, Order::Descending).await?;
        Ok(self.found(slice.items, after.is_some(), slice.has_more))
    }

    fn page(&self, after: Option<ClientTokenId>, order: Order) -> ClientTokenPage {
        ClientTokenPage {
            page: Page {
                after,
                order,
                limit: PER_PAGE,
                count: false,
            },
            statuses: self.status.into_iter().collect(),
        }
    }

    fn found(&self, tokens: Vec<ClientToken>, has_newer: bool, has_older: bool) -> Found {
        let beside = |way, token: Option<&ClientToken>| token.map(|token| self.link(Some((way, token.id))));
        Found {
            newer: beside("before", tokens.first().filter(|_| has_newer)),
            older: beside("after", tokens.last().filter(|_| has_older)),
            looked_through: None,
            tokens,
        }
    }

    /// A search goes forward only; back, it begins anew.
    async fn search(&self, app: &App, visit: &Visit) -> Result<Found, ClientTokenError> {
        let search = ClientTokenSearch {
            text: self.text.clone(),
            statuses: self.status.into_iter().collect(),
            after: self.after,
            limit: PER_PAGE,
        };
        let found = app.service.search_client_tokens(&visit.caller, &search).await?;
        Ok(Found {
            tokens: found.tokens,
            newer: self.after.map(|_| self.link(None)),
            older: found.next.map(|next| self.link(Some(("after", next)))),
            looked_through: found.looked_through.map(|count| grouped(count as u64)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_filters() {
        let asked = |query: &str| Asked::of(&Fields::parse(query.as_bytes()));
        let id = ClientTokenId::parse("ctkn_01jqxvwkd1n0000000000000a1").unwrap();
        let all = asked("status=&search=+&after=nonsense");
        assert!(!all.is_filtered());
        assert_eq!(all.link(Some(("after", id))), format!("?after={id}"));
        let some = asked("status=revoked&search=A+%26+%3Cb%3E&before=ctkn_01jqxvwkd1n0000000000000a1");
        assert!(some.is_filtered());
        assert_eq!(
            some.link(Some(("before", id))),
            format!("?search=A+%26+%3Cb%3E&status=revoked&before={id}")
        );
        assert_eq!(some.link(None), "?search=A+%26+%3Cb%3E&status=revoked");
    }
}
