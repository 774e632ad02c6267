//! A token's usage as its own page and the one for revoking it show it: the sentence, the chart, and the same in a table.

use tollgate_domain::client_token::ClientToken;
use tollgate_service::ClientTokenError;

use super::chart::Chart;
use super::evidence::Evidence;
use crate::App;
use crate::dashboard::moment::{Moment, counted, grouped};
use crate::dashboard::session::Visit;

/// Read when the page is asked for.
pub(super) struct UsageView {
    pub(super) evidence: Evidence,
    pub(super) chart: Chart,
    pub(super) last_used: Option<Moment>,
    /// The most that there was in an hour.
    pub(super) most: String,
    /// The chart in words.
    pub(super) summary: String,
    /// The hours in which it was presented, newest first.
    pub(super) hours: Vec<HourRow>,
    /// Where it was let in from in the last seven days, most frequent first.
    pub(super) origins: Vec<OriginRow>,
}

pub(super) struct HourRow {
    pub(super) begins: Moment,
    pub(super) allowed: String,
    pub(super) refused: String,
}

pub(super) struct OriginRow {
    pub(super) origin: String,
    pub(super) uses: String,
}

impl UsageView {
    pub(super) async fn read(app: &App, visit: &Visit, token: &ClientToken) -> Result<Self, ClientTokenError> {
        let told = app.service.client_token_usage(&visit.caller, token.id).await?;
        let lately = app.service.client_token_origins_lately(&visit.caller, token.id).await?;
        let evidence = Evidence::new(&told, lately, token.created_at, app.service.now());
        let chart = Chart::of(&told.usage.hours, told.now);
        let hours = told.usage.hours.iter().rev().map(|(hour, counts)| HourRow {
            begins: Moment(hour.begins_at()),
            allowed: grouped(counts.allowed),
            refused: grouped(counts.refused),
        });
        let origins = told.usage.origins.into_iter().map(|(origin, uses)| OriginRow {
            origin,
            uses: grouped(uses),
        });
        Ok(Self {
            summary: format!(
                "Let in {} and refused {} in seven days, at most {} in an hour",
                counted(evidence.week.allowed, "time"),
                counted(evidence.week.refused, "time"),
                grouped(chart.most),
            ),
            last_used: evidence.last_used_at.map(Moment),
            most: grouped(chart.most),
            hours: hours.collect(),
            origins: origins.collect(),
            evidence,
            chart,
        })
    }
}
