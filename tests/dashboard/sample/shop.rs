//! The shop, and what its people do.

use std::sync::Arc;

use tollgate_domain::ambient::Clock;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::event::EventType;
use tollgate_domain::id::Kind;
use tollgate_domain::notification_setting::{DestinationType, TrafficSource};
use tollgate_domain::origin::OriginPattern;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::restriction::RateLimit;
use tollgate_service::ambient::SystemClock;
use tollgate_service::{
    Caller, ClientTokenPatch, NewApiKey, NewClientToken, NewNotificationSetting, RestrictionsPatch, Service,
};
use tollgate_storage::{ApiKeyPage, Change, ClientTokenPage, Order, Page, Storage, Write};

use super::{DAY, Deed, MINUTE};
use crate::dashboard::clock::{Dice, PastClock};

pub(super) struct Shop {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) service: Service,
    pub(super) clock: Arc<PastClock>,
    pub(super) dice: Arc<Dice>,
    pub(super) owner: Caller,
    pub(super) developer: Caller,
}

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    All,
    Read,
    Tokens,
}

impl Access {
    fn permissions(self) -> PermissionSet {
        let of_tokens = [Permission::CLIENT_TOKEN_READ, Permission::CLIENT_TOKEN_WRITE];
        let fits = |permission: &Permission| match self {
            Self::All => true,
            Self::Read => permission.name().rsplit('.').next() == Some("read"),
            Self::Tokens => of_tokens.contains(permission),
        };
        Permission::all().filter(fits).collect()
    }
}

impl Shop {
    pub(super) async fn does(&self, deed: Deed) {
        match deed {
            Deed::Destination(description, kind, destination, traffic) => {
                self.destination(description, kind, destination, traffic).await;
            }
            Deed::Key(name, description, access, days) => self.key(name, description, access, days).await,
            Deed::RevokeKey(name) => self.revoke_key(name).await,
            Deed::Token(name, description, origins) => self.token(name, description, origins).await,
            Deed::RenameToken(name, to) => {
                let patch = ClientTokenPatch {
                    name: Some(to.to_owned()),
                    ..ClientTokenPatch::default()
                };
                self.change(name, &patch).await;
            }
            Deed::RevokeToken(name) => {
                let patch = ClientTokenPatch {
                    status: Some(ClientTokenStatus::Revoked),
                    ..ClientTokenPatch::default()
                };
                self.change(name, &patch).await;
            }
            Deed::RotateToken(name) => {
                let token = self.named(name).await;
                let rotated = self
                    .service
                    .rotate_client_token(&self.developer, token.id, None, None)
                    .await;
                rotated.unwrap();
            }
            Deed::Simulation(name, event_type, status) => self.simulation(name, event_type, status).await,
        }
    }

    async fn destination(&self, description: &str, kind: DestinationType, to: &str, traffic: TrafficSource) {
        let new = NewNotificationSetting {
            description: description.to_owned(),
            destination_type: kind,
            destination: to.to_owned(),
            api_version: 1,
            include_sensitive_fields: false,
            traffic_source: traffic,
            subscribed_events: EventType::CLIENT_TOKEN.map(EventType::name).map(str::to_owned).to_vec(),
        };
        let made = self.service.create_notification_setting(&self.owner, &new).await;
        made.unwrap();
    }

    /// A new key; its last use was some minutes ago, or, if it was only tried, on the second day.
    async fn key(&self, name: &str, description: &str, access: Access, days_left: Option<u32>) {
        let new = NewApiKey {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            permissions: access.permissions(),
            expires_at: days_left.map(|left| SystemClock.now().plus(left * DAY)),
        };
        let (key, _) = self.service.create_api_key(&self.owner, new).await.unwrap();
        let used_at = if name.starts_with("Trial") {
            self.clock.now().plus(DAY)
        } else {
            SystemClock.now().minus(7 * MINUTE)
        };
        let write = Write::TouchApiKey { id: key.id, used_at };
        self.storage.commit(Change::silent(write)).await.unwrap();
    }

    async fn revoke_key(&self, name: &str) {
        let page = ApiKeyPage {
            page: first(),
            status: None,
        };
        let keys = self.service.api_keys(&self.owner, &page).await.unwrap().items;
        let key = keys.into_iter().find(|key| key.name == name).unwrap();
        self.service.revoke_api_key(&self.owner, key.id).await.unwrap();
    }

    async fn token(&self, name: &str, description: &str, origins: &[&str]) {
        let mut restrictions = RestrictionsPatch::default();
        if !origins.is_empty() {
            let patterns = origins.iter().map(|origin| OriginPattern::parse(origin).unwrap());
            restrictions.allowed_origins = Some(Some(patterns.collect()));
        }
        if name == "Storefront" {
            restrictions.rate_limit = Some(Some(RateLimit {
                requests: 120.try_into().unwrap(),
                period_seconds: 60.try_into().unwrap(),
            }));
        }
        let new = NewClientToken {
            name: name.to_owned(),
            description: (!description.is_empty()).then(|| description.to_owned()),
            restrictions,
            revoke_at: None,
        };
        let created = self.service.create_client_token(&self.developer, new, None).await;
        created.unwrap();
    }

    async fn change(&self, name: &str, patch: &ClientTokenPatch) {
        let token = self.named(name).await;
        let changed = self.service.update_client_token(&self.owner, token.id, patch).await;
        changed.unwrap();
    }

    /// The oldest token of this name.
    pub(super) async fn named(&self, name: &str) -> ClientToken {
        let all = ClientTokenPage {
            page: first(),
            statuses: Vec::new(),
        };
        let found = self.service.client_tokens(&self.owner, &all).await.unwrap();
        found.items.into_iter().find(|token| token.name == name).unwrap()
    }
}

pub(super) const fn first<K: Kind>() -> Page<K> {
    Page {
        after: None,
        order: Order::Ascending,
        limit: 100,
        count: false,
    }
}
