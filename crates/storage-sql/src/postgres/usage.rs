//! What a batch does to the usage of client tokens: one change after the other, by statements that aren't kept prepared.
//! They come every few seconds, each with many rows.

use tokio_postgres::Error;
use tollgate_domain::usage::{Hour, MOST_ORIGINS_A_DAY, UsageDelta};
use tollgate_storage::Write;

use super::batch::{Session, bigint};
use super::columns;
use super::statements::usage;

/// Whether this is for [`Session::use_tokens`].
pub(super) const fn is_usage(write: &Write) -> bool {
    matches!(write, Write::RecordUsage(_) | Write::PruneUsage { .. })
}

impl Session {
    /// Writes one change. One node at a time does so: dropping rare origins is about rows that another may be adding to.
    pub(super) async fn use_tokens(&self, write: &Write) -> Result<(), Error> {
        self.client.execute(usage::LOCK, &[]).await?;
        match write {
            Write::RecordUsage(deltas) => self.record_usage(deltas).await,
            Write::PruneUsage { before, limit } => self.prune_usage(*before, *limit).await,
            _ => Ok(()),
        }
    }

    async fn record_usage(&self, deltas: &[UsageDelta]) -> Result<(), Error> {
        self.client.execute_raw(usage::COUNT, columns::usage(deltas)).await?;
        self.client
            .execute_raw(usage::TOUCH, columns::token_uses(deltas))
            .await?;
        let origins: Vec<_> = deltas
            .iter()
            .flat_map(|delta| delta.origins.iter().map(move |origin| (delta, origin)))
            .collect();
        if !origins.is_empty() {
            self.client
                .execute_raw(usage::ADD_ORIGINS, columns::origins(&origins))
                .await?;
            let mut days = columns::origin_days(&origins);
            days.push(Box::new(bigint(MOST_ORIGINS_A_DAY)));
            self.client.execute_raw(usage::DROP_RARE_ORIGINS, days).await?;
        }
        Ok(())
    }

    async fn prune_usage(&self, before: Hour, limit: usize) -> Result<(), Error> {
        let limit = bigint(limit);
        let (hour, day) = (i64::from(before.0), i64::from(before.day()));
        self.client.execute(usage::PRUNE_HOURS, &[&hour, &limit]).await?;
        self.client.execute(usage::PRUNE_ORIGINS, &[&day, &limit]).await?;
        Ok(())
    }
}
