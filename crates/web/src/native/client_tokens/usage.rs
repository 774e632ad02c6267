//! `/tollgate/client-tokens/{client_token_id}/usage`: whether somebody still has the token, and where.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::restriction::RestrictionKind;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{KEPT_HOURS, UsageCounts};
use tollgate_service::ClientTokenUsage;

use crate::App;
use crate::compatible::client_tokens::ID;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::path::PathId;
use crate::gate::Known;

pub(super) fn endpoint(read: (Surface, Access)) -> Endpoint {
    Endpoint::new(
        (Method::GET, "/tollgate/client-tokens/{client_token_id}/usage"),
        read,
        usage,
        (
            "getClientTokenUsage",
            "How often a client token was presented in the last seven days, and from where",
        ),
        Answer::one::<UsageView<'_>>(),
    )
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClientTokenUsage")]
struct UsageView<'a> {
    /// When it last let somebody in, ever; null when it never did. A few seconds behind.
    last_used_at: Option<Timestamp>,
    totals: Totals,
    /// The hours in which it was presented, oldest first.
    hours: Vec<HourView>,
    /// The sites that it was let in from most often, most frequent first.
    origins: Vec<OriginView<'a>>,
}

/// Of whole hours: the one that is not over yet, and those before it that reach into the time.
#[derive(Serialize, JsonSchema)]
struct Totals {
    #[serde(rename = "last_hour")]
    hour: Counts,
    #[serde(rename = "last_24_hours")]
    day: Counts,
    #[serde(rename = "last_7_days")]
    week: Counts,
}

#[derive(Serialize, JsonSchema)]
struct HourView {
    begins_at: Timestamp,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize, JsonSchema)]
struct Counts {
    allowed: u64,
    refused: u64,
    /// Allowed although a restriction that is only reported spoke against it, by its kind; kinds with none are absent.
    would_refuse: BTreeMap<&'static str, u64>,
}

#[derive(Serialize, JsonSchema)]
struct OriginView<'a> {
    origin: &'a str,
    allowed: u64,
}

impl From<UsageCounts> for Counts {
    fn from(counts: UsageCounts) -> Self {
        let by_kind = RestrictionKind::ALL.map(RestrictionKind::name).into_iter();
        Self {
            allowed: counts.allowed,
            refused: counts.refused,
            would_refuse: by_kind.zip(counts.reported).filter(|(_, count)| *count > 0).collect(),
        }
    }
}

impl<'a> From<&'a ClientTokenUsage> for UsageView<'a> {
    fn from(told: &'a ClientTokenUsage) -> Self {
        let usage = &told.usage;
        let last = |hours| Counts::from(total(told, hours));
        Self {
            last_used_at: usage.last_used_at,
            totals: Totals {
                hour: last(1),
                day: last(24),
                week: last(KEPT_HOURS),
            },
            hours: usage
                .hours
                .iter()
                .map(|(hour, counts)| HourView {
                    begins_at: hour.begins_at(),
                    counts: (*counts).into(),
                })
                .collect(),
            origins: usage
                .origins
                .iter()
                .map(|(origin, uses)| OriginView { origin, allowed: *uses })
                .collect(),
        }
    }
}

/// Of the hours that reach into the last `hours` hours.
fn total(told: &ClientTokenUsage, hours: u32) -> UsageCounts {
    let since = told.now.minus(hours);
    let mut total = UsageCounts::default();
    for (_, counts) in told.usage.hours.iter().filter(|(hour, _)| *hour >= since) {
        total.allowed += counts.allowed;
        total.refused += counts.refused;
        for (sum, more) in total.reported.iter_mut().zip(counts.reported) {
            *sum += more;
        }
    }
    total
}

/// 200 with the usage.
async fn usage(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let usage = app.service.client_token_usage(&caller, id.parse(ID)?).await;
    let usage = usage.map_err(|error| ApiError::of_client_token(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::OK, &UsageView::from(&usage)))
}
