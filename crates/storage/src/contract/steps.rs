//! What many cases do: commit, look at everything, walk all pages.

use std::fmt;
use std::sync::Arc;

use tokio::task::JoinSet;
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus};
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{ApiKeyKind, Id, Kind, WorkspaceId};
use tollgate_domain::notification::Notification;
use tollgate_domain::workspace::Workspace;

use super::{outbox, seed};
use crate::{
    ApiKeyPage, Change, ClientTokenPage, EventPage, Order, Outcome, Page, Slice, Storage, StorageError, TOTAL_CAP,
    Write,
};

/// A page long enough for all that a case writes.
pub(super) const fn whole<K: Kind>(order: Order) -> Page<K> {
    Page {
        after: None,
        order,
        limit: 5_000,
        count: true,
    }
}

/// Stores workspace `number`.
pub(super) async fn workspace(store: &dyn Storage, number: u64) -> Result<Workspace, StorageError> {
    let workspace = seed::workspace(number);
    applied(store, Change::silent(Write::CreateWorkspace(workspace.clone()))).await?;
    Ok(workspace)
}

/// Commits what nothing stands against; gives the place it was applied at.
pub(super) async fn applied(store: &dyn Storage, change: Change) -> Result<u64, StorageError> {
    match store.commit(change.clone()).await? {
        Outcome::Applied { sequence } => Ok(sequence),
        other => panic!("{other:?} instead of applied: {change:?}"),
    }
}

/// Commits all at once, each from a task of its own; the outcomes in the order of the changes.
pub(super) async fn all_at_once(store: &Arc<dyn Storage>, changes: Vec<Change>) -> Vec<Result<Outcome, StorageError>> {
    let changes = changes.into_iter().map(|change| (Arc::clone(store), change)).collect();
    all_at_once_each(changes).await
}

/// As [`all_at_once`], each by its own handle.
pub(super) async fn all_at_once_each(changes: Vec<(Arc<dyn Storage>, Change)>) -> Vec<Result<Outcome, StorageError>> {
    let mut tasks = JoinSet::new();
    for (place, (store, change)) in changes.into_iter().enumerate() {
        tasks.spawn(async move { (place, store.commit(change).await) });
    }
    let mut outcomes = tasks.join_all().await;
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Commits all at once what nothing stands against.
pub(super) async fn all_applied(store: &Arc<dyn Storage>, changes: Vec<Change>) -> Result<(), StorageError> {
    for outcome in all_at_once(store, changes).await {
        assert!(matches!(outcome?, Outcome::Applied { .. }));
    }
    Ok(())
}

/// A page of client tokens with these statuses.
pub(super) async fn client_tokens(
    store: &dyn Storage,
    workspace: &Workspace,
    statuses: &[ClientTokenStatus],
    page: Page<tollgate_domain::id::ClientTokenKind>,
) -> Result<Slice<ClientToken>, StorageError> {
    let statuses = statuses.to_vec();
    store
        .client_tokens(workspace.id, &ClientTokenPage { page, statuses })
        .await
}

/// A page of events of these types.
pub(super) async fn events(
    store: &dyn Storage,
    workspace: &Workspace,
    types: Option<&[EventType]>,
    page: Page<tollgate_domain::id::EventKind>,
) -> Result<Slice<Event>, StorageError> {
    let types = types.map(<[EventType]>::to_vec);
    store.events(workspace.id, &EventPage { page, types }).await
}

/// All that can be seen of a workspace, and the place of the sequence: to be compared before and after.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Everything {
    pub(super) client_tokens: Slice<ClientToken>,
    pub(super) active: Option<u64>,
    pub(super) api_keys: Slice<ApiKey>,
    pub(super) events: Slice<Event>,
    pub(super) notification_settings: Vec<String>,
    pub(super) notifications: Slice<Notification>,
    pub(super) sequence: u64,
}

/// A page of the keys with this status, or of all.
pub(super) async fn api_keys(
    store: &dyn Storage,
    workspace: WorkspaceId,
    status: Option<ApiKeyStatus>,
    page: Page<ApiKeyKind>,
) -> Result<Slice<ApiKey>, StorageError> {
    store.api_keys(workspace, &ApiKeyPage { page, status }).await
}

/// All of `workspace`, oldest first; its totals are right.
pub(super) async fn everything(store: &dyn Storage, workspace: &Workspace) -> Result<Everything, StorageError> {
    let ascending = Order::Ascending;
    let active = client_tokens(store, workspace, &[ClientTokenStatus::Active], whole(ascending)).await?;
    let everything = Everything {
        client_tokens: client_tokens(store, workspace, &[], whole(ascending)).await?,
        active: active.total,
        api_keys: api_keys(store, workspace.id, None, whole(ascending)).await?,
        events: events(store, workspace, None, whole(ascending)).await?,
        notification_settings: outbox::all_told(&store.all_notification_settings(workspace.id).await?),
        notifications: outbox::notifications(store, workspace).await?,
        sequence: store.sequence().await?,
    };
    assert_eq!(
        everything.client_tokens.total,
        Some(total(everything.client_tokens.items.len()))
    );
    assert_eq!(everything.active, Some(total(active.items.len())));
    assert_eq!(everything.api_keys.total, Some(total(everything.api_keys.items.len())));
    assert_eq!(everything.events.total, Some(total(everything.events.items.len())));
    assert_eq!(
        everything.notifications.total,
        Some(total(everything.notifications.items.len()))
    );
    Ok(everything)
}

/// The places and ids of all events in the store, whichever workspace's, in their order.
pub(super) async fn places(store: &dyn Storage) -> Result<Vec<(u64, Event)>, StorageError> {
    let sequence = store.sequence().await?;
    store.events_between(0, sequence, &EventType::ALL).await
}

/// `rows` as a page tells it.
pub(super) fn total(rows: usize) -> u64 {
    u64::try_from(rows).expect("few").min(TOTAL_CAP + 1)
}

/// Walks all pages with each of `limits` in both orders, and finds `expected` (oldest first) exactly, and on every page
/// the right total and whether more follow.
pub(super) async fn assert_walks<K, T>(
    expected: &[Id<K>],
    limits: &[usize],
    id_of: impl Fn(&T) -> Id<K>,
    fetch: impl AsyncFn(Page<K>) -> Result<Slice<T>, StorageError>,
) -> Result<(), StorageError>
where
    K: Kind + Copy + Eq,
    Id<K>: fmt::Debug,
{
    let mut expected = expected.to_vec();
    for order in [Order::Ascending, Order::Descending] {
        for &limit in limits {
            let mut seen: Vec<Id<K>> = Vec::new();
            loop {
                let page = Page {
                    after: seen.last().copied(),
                    order,
                    limit,
                    count: true,
                };
                let slice = fetch(page).await?;
                let left = expected.len() - seen.len();
                assert_eq!(slice.items.len(), left.min(limit), "{order:?}, limit {limit}");
                assert_eq!(slice.has_more, left > limit, "{order:?}, limit {limit}");
                assert_eq!(slice.total, Some(total(expected.len())), "{order:?}, limit {limit}");
                seen.extend(slice.items.iter().map(&id_of));
                if !slice.has_more {
                    break;
                }
            }
            assert_eq!(seen, expected, "{order:?}, limit {limit}");
        }
        expected.reverse();
    }
    Ok(())
}

/// Every workspace's id in a page: none but `workspace` may be there.
pub(super) fn assert_only(workspace: &Workspace, ids: impl IntoIterator<Item = WorkspaceId>) {
    assert!(ids.into_iter().all(|id| id == workspace.id), "another workspace's row");
}
