//! Tenants, and the keys they hand out.

use std::time::Duration;

use tollgate_domain::ambient::Clock;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::workspace::Workspace;
use tollgate_service::{Caller, NewApiKey, Service};

use super::TestApp;

/// A workspace, and the right to manage it as its operator would.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) workspace: Workspace,
    pub(crate) operator: Caller,
    service: Service,
}

/// An API key with its secret.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: ApiKeyId,
    pub(crate) secret: String,
}

impl Tenant {
    pub(crate) async fn new(service: &Service, name: &str, environment: Environment) -> Self {
        let workspace = service.create_workspace(name.to_owned(), environment).await;
        let workspace = workspace.expect("a workspace");
        Self {
            operator: Caller::command_line(workspace.clone()),
            workspace,
            service: service.clone(),
        }
    }

    /// A key with exactly these permissions.
    pub(crate) async fn key(&self, permissions: &[&str]) -> Key {
        self.make_key(permissions.iter().map(|name| permission(name)).collect(), None)
            .await
    }

    /// A key with every permission there is.
    pub(crate) async fn full_key(&self) -> Key {
        self.make_key(PermissionSet::all(), None).await
    }

    /// A key for reading and writing client tokens that expires.
    pub(crate) async fn key_for(&self, app: &TestApp, life: Duration) -> Key {
        let permissions = [Permission::CLIENT_TOKEN_READ, Permission::CLIENT_TOKEN_WRITE];
        let expires_at = app.clock.now().plus(life);
        self.make_key(permissions.into_iter().collect(), Some(expires_at)).await
    }

    async fn make_key(&self, permissions: PermissionSet, expires_at: Option<tollgate_domain::time::Timestamp>) -> Key {
        let new = NewApiKey {
            name: "Billing backend".to_owned(),
            description: None,
            permissions,
            expires_at,
        };
        let (key, secret) = self.service.create_api_key(&self.operator, new).await.expect("a key");
        Key {
            id: key.id,
            secret: secret.reveal().to_owned(),
        }
    }
}

pub(crate) fn permission(name: &str) -> Permission {
    name.parse().expect("a permission of the contract")
}

/// The names of all permissions, except those that allow `needed`: itself, and the one to write the same resource.
pub(crate) fn every_permission_but(needed: &str) -> Vec<&'static str> {
    let writing = needed.replace(".read", ".write");
    Permission::all()
        .map(Permission::name)
        .filter(|name| *name != needed && *name != writing)
        .collect()
}
