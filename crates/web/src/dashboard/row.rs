//! One row of the dashboard's table: a page or a form, and who may use it.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use tollgate_domain::permission::Permission;
use tollgate_domain::role::Action;

use crate::App;

/// Who may use it. All but the first two have a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Whoever comes.
    Anyone,
    /// Whoever signed in, also without a workspace.
    SignedIn,
    /// Every member of the workspace.
    Member,
    /// Members whose role comes with this permission.
    Permission(Permission),
    /// Members whose role comes with the right to this.
    Action(Action),
}

/// A page (GET) or a form (POST).
pub struct Row {
    /// `GET` or `POST`.
    pub method: Method,
    /// With `{placeholders}`.
    pub path: &'static str,
    /// Who may.
    pub right: Right,
    pub(super) handler: MethodRouter<App>,
}

impl Row {
    pub(super) fn get<H: Handler<T, App>, T: 'static>(path: &'static str, right: Right, handler: H) -> Self {
        Self {
            method: Method::GET,
            path,
            right,
            handler: get(handler),
        }
    }

    pub(super) fn post<H: Handler<T, App>, T: 'static>(path: &'static str, right: Right, handler: H) -> Self {
        Self {
            method: Method::POST,
            path,
            right,
            handler: post(handler),
        }
    }
}
