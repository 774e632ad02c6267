//! Whoever is at a page: a visitor, somebody signed in, or a member in a workspace. Each can only be had from the gate, so a
//! page that takes one can't be reached without.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tollgate_domain::permission::Permission;
use tollgate_domain::role::{Action, Role};
use tollgate_domain::workspace::Workspace;
use tollgate_service::{Caller, SignedIn};

use super::failure::Failure;
use crate::catalogue;
use crate::error::ApiError;

/// What is known of a request whoever sent it.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    /// What a browser puts before a path to reach us, without a slash at its end.
    pub(super) base: Arc<str>,
    /// The client's address.
    pub(super) address: Option<IpAddr>,
    /// Whether cookies are kept to encrypted connections: always off loopback.
    pub(super) secure: bool,
}

/// Somebody who need not be signed in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) reached: Reached,
    /// What every form carries as `proof`.
    pub(super) proof: String,
    pub(super) signed_in: bool,
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) reached: Reached,
    pub(super) signed_in: Arc<SignedIn>,
    /// What they are a member of, oldest first.
    pub(super) workspaces: Arc<[Workspace]>,
}

/// A member in the workspace that the page shows or the form was sent from.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) session: Session,
    pub(super) caller: Caller,
}

/// Somebody who signed in, in the workspace that they looked at last, if they are a member of one.
#[derive(Clone, Debug)]
pub(super) struct MaybeVisit(pub(super) Option<Visit>);

impl Session {
    /// What every form carries as `proof`.
    pub(super) fn proof(&self) -> String {
        self.signed_in.secret.form_proof()
    }
}

impl Visit {
    /// Whether the role comes with this permission: for leaving out what would be refused.
    pub(super) fn may(&self, permission: Permission) -> bool {
        self.caller.permissions().allows(permission)
    }

    /// The same for what no permission gives.
    pub(super) fn may_act(&self, action: Action) -> bool {
        self.caller.require_action(action).is_ok()
    }

    pub(super) fn role(&self) -> Role {
        self.caller.role().expect("a person comes by a role")
    }
}

macro_rules! from_the_gate {
    ($($who:ty),*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $who {
            type Rejection = Failure;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
                let found = parts.extensions.get::<Self>().cloned();
                found.ok_or_else(|| {
                    tracing::error!(path = parts.uri.path(), "the table gives this page too little right");
                    ApiError::new(&catalogue::INTERNAL_ERROR).into()
                })
            }
        }
    )*};
}

from_the_gate!(Visitor, Session, Visit, MaybeVisit);
