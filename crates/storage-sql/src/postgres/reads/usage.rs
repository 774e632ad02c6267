//! Usage of client tokens.

use std::collections::HashMap;

use tokio_postgres::Row;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, MOST_ORIGINS_A_DAY, Usage};
use tollgate_storage::StorageError;

use super::{Parameters, Reads, bigint};
use crate::postgres::rows;

impl Reads {
    pub(in crate::postgres) async fn client_token_usage(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
        since: Hour,
    ) -> Result<Usage, StorageError> {
        let of: Parameters = &[&workspace.to_string(), &id.to_string(), &i64::from(since.0)];
        let hours = rows::all(&self.many(HOURS, of).await?, rows::usage_hour)?;
        let (day, most) = (i64::from(since.day()), bigint(MOST_ORIGINS_A_DAY));
        let of: Parameters = &[&workspace.to_string(), &id.to_string(), &day, &most];
        let origins = rows::all(&self.many(ORIGINS, of).await?, rows::usage_origin)?;
        let uses = self.client_token_last_uses(workspace, &[id]).await?;
        Ok(Usage {
            last_used_at: uses.get(&id).copied(),
            hours,
            origins,
        })
    }

    pub(in crate::postgres) async fn client_token_last_uses(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
    ) -> Result<HashMap<ClientTokenId, Timestamp>, StorageError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let found = self.many(LAST_USES, &[&workspace.to_string(), &ids]).await?;
        found.iter().map(|row: &Row| rows::last_use(row)).collect()
    }

    pub(in crate::postgres) async fn client_token_usages(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
        since: Hour,
    ) -> Result<HashMap<ClientTokenId, Vec<(Hour, u64)>>, StorageError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let of: Parameters = &[&workspace.to_string(), &ids, &i64::from(since.0)];
        let mut usages: HashMap<_, Vec<_>> = HashMap::new();
        for row in self.many(HOURS_OF_MANY, of).await? {
            let (id, hour, allowed) = rows::allowed_in_hour(&row)?;
            usages.entry(id).or_default().push((hour, allowed));
        }
        Ok(usages)
    }
}

pub(in crate::postgres) const HOURS: &str = "
    SELECT hour, allowed, refused, reported_allowed_origins, reported_allowed_networks, reported_scopes,
        reported_expires_at, reported_rate_limit
    FROM client_token_usage WHERE workspace_id = $1 AND client_token_id = $2 AND hour >= $3 ORDER BY hour";

pub(in crate::postgres) const ORIGINS: &str = "
    SELECT origin, sum(uses)::bigint AS uses
    FROM client_token_origins WHERE workspace_id = $1 AND client_token_id = $2 AND day >= $3
    GROUP BY origin ORDER BY uses DESC, origin LIMIT $4";

pub(in crate::postgres) const LAST_USES: &str = "
    SELECT client_token_id, last_used_at
    FROM client_token_last_uses WHERE workspace_id = $1 AND client_token_id = ANY ($2)";

pub(in crate::postgres) const HOURS_OF_MANY: &str = "
    SELECT client_token_id, hour, allowed
    FROM client_token_usage WHERE workspace_id = $1 AND client_token_id = ANY ($2) AND hour >= $3 AND allowed > 0
    ORDER BY client_token_id, hour";
