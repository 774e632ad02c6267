//! What a token is narrowed to, as its page shows it; and enforcing what was only reported.

use axum::extract::{Path, State};
use axum::response::Response;
use tollgate_domain::restriction::{RestrictionKind, Restrictions};
use tollgate_domain::usage::UsageCounts;
use tollgate_service::{ClientTokenPatch, RestrictionsPatch};

use super::{page_of, parsed};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::moment::{Moment, counted};
use crate::dashboard::page::see_other;
use crate::dashboard::session::Visit;
use crate::error::ApiError;

/// A restriction that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// As on the wire.
    pub(super) kind: &'static str,
    pub(super) label: &'static str,
    pub(super) values: Vec<String>,
    pub(super) is_reported: bool,
    /// What it would have refused in seven days, when it is only reported.
    pub(super) would_refuse: String,
}

/// Those that a token has, in the order of the form.
pub(super) fn shown(restrictions: Option<&Restrictions>, week: &UsageCounts) -> Vec<Shown> {
    let Some(restrictions) = restrictions else {
        return Vec::new();
    };
    let kinds = RestrictionKind::ALL.into_iter().zip(week.reported);
    let there = kinds.filter_map(|(kind, reported)| {
        let is_reported = restrictions.report_only.contains(kind);
        let would_refuse = match reported {
            0 => "would have refused nothing in seven days".to_owned(),
            some => format!("would have refused {} in seven days", counted(some, "request")),
        };
        Some(Shown {
            kind: kind.name(),
            label: label(kind),
            values: values(restrictions, kind)?,
            is_reported,
            would_refuse,
        })
    });
    there.collect()
}

const fn label(kind: RestrictionKind) -> &'static str {
    match kind {
        RestrictionKind::AllowedOrigins => "Allowed origins",
        RestrictionKind::AllowedNetworks => "Allowed networks",
        RestrictionKind::Scopes => "Scopes",
        RestrictionKind::ExpiresAt => "Expires at",
        RestrictionKind::RateLimit => "Rate limit",
    }
}

fn values(restrictions: &Restrictions, kind: RestrictionKind) -> Option<Vec<String>> {
    fn texts<T: ToString>(list: Option<&Vec<T>>) -> Option<Vec<String>> {
        Some(list?.iter().map(T::to_string).collect())
    }
    match kind {
        RestrictionKind::AllowedOrigins => texts(restrictions.allowed_origins.as_ref()),
        RestrictionKind::AllowedNetworks => texts(restrictions.allowed_networks.as_ref()),
        RestrictionKind::Scopes => texts(restrictions.scopes.as_ref()),
        RestrictionKind::ExpiresAt => Some(vec![Moment(restrictions.expires_at?).to_the_second()]),
        RestrictionKind::RateLimit => {
            let limit = restrictions.rate_limit?;
            let requests = counted(limit.requests.get().into(), "request");
            let seconds = counted(limit.period_seconds.get().into(), "second");
            Some(vec![format!("{requests} in {seconds} from each address")])
        }
    }
}

/// Takes one restriction out of those that are only reported.
pub(super) async fn enforce(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let told = |error| ApiError::of_client_token(error, &id);
    let kind = RestrictionKind::from_name(fields.text("kind"));
    let kind = kind.ok_or_else(|| Failure::not_found("Restriction"))?;
    let token = app.service.client_token(&visit.caller, parsed(&id)?).await;
    let token = token.map_err(told)?;
    let reported = token.restrictions.unwrap_or_default().report_only;
    let patch = ClientTokenPatch {
        restrictions: RestrictionsPatch {
            report_only: Some(reported.iter().filter(|reported| *reported != kind).collect()),
            ..RestrictionsPatch::default()
        },
        ..ClientTokenPatch::default()
    };
    let updated = app.service.update_client_token(&visit.caller, token.id, &patch).await;
    updated.map_err(told)?;
    Ok(see_other(&page_of(token.id, "enforced")))
}

#[cfg(test)]
mod tests {
    use tollgate_domain::restriction::{RateLimit, RestrictionKinds, Scope};

    use super::*;

    #[test]
    fn restrictions_are_shown_with_what_they_would_have_refused() {
        let restrictions = Restrictions {
            scopes: Some(vec![Scope::parse("cart").unwrap(), Scope::parse("read").unwrap()]),
            rate_limit: Some(RateLimit {
                requests: 1_000.try_into().unwrap(),
                period_seconds: 1.try_into().unwrap(),
            }),
            report_only: RestrictionKinds::NONE.with(RestrictionKind::Scopes),
            ..Restrictions::default()
        };
        let week = UsageCounts {
            reported: [0, 0, 1_204, 0, 0],
            ..UsageCounts::default()
        };
        let [scopes, rate_limit] = shown(Some(&restrictions), &week).try_into().unwrap();
        assert_eq!(scopes.values, ["cart", "read"]);
        assert!(scopes.is_reported && !rate_limit.is_reported);
        assert_eq!(scopes.would_refuse, "would have refused 1,204 requests in seven days");
        assert_eq!(rate_limit.values, ["1,000 requests in 1 second from each address"]);
        assert_eq!(shown(None, &week), []);
    }
}
