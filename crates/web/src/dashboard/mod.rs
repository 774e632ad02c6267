//! `/dashboard`: the pages that people work with, made on the server. Forms work without scripts.
//!
//! A request walks: `table` (which page, and who may) -> `gate` (session, proof of the form, workspace, permission) -> a
//! page (read the form, one service call, fill a template). The pages call the use-cases that the API calls; nothing can
//! be reached here that a role doesn't allow. They know nothing of how the other surfaces shape their answers.

mod account;
mod api_keys;
mod assets;
mod audit;
mod client_tokens;
mod cookies;
mod download;
mod entrance;
mod events;
mod excerpt;
mod failure;
mod fields;
mod frame;
mod gate;
mod history;
mod ids;
mod live;
mod mistakes;
mod moment;
mod notification_settings;
mod notifications;
mod page;
mod passkeys;
mod problems;
mod row;
mod session;
mod settings;
mod simulations;
mod workspaces;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};

use crate::App;
use crate::catalogue;
use crate::error::ApiError;
use failure::Failure;
use gate::Gate;
pub use row::{Right, Row};

pub(crate) use entrance::links::without_secret;

/// Every page and every form there is.
pub fn table() -> Vec<Row> {
    let mut all = vec![Row::get("/dashboard", Right::Anyone, home)];
    all.extend(entrance::rows());
    all.extend(workspaces::rows());
    all.extend(client_tokens::rows());
    all.extend(notification_settings::rows());
    all.extend(notifications::rows());
    all.extend(events::rows());
    all.extend(simulations::rows());
    all.extend(api_keys::rows());
    all.extend(settings::rows());
    all.extend(audit::rows());
    all.extend(account::rows());
    all.extend(live::rows());
    all
}

/// Each of them behind its gate; the scripts and the style sheet beside them.
pub(crate) fn router(app: &App) -> Router<App> {
    let mut router = Router::new();
    for row in table() {
        let gate = Gate {
            app: app.clone(),
            right: row.right,
        };
        router = router.route(row.path, row.handler.layer(from_fn_with_state(gate, gate::keep)));
    }
    for path in ["/dashboard/", "/dashboard/{*unknown}"] {
        router = router.route(path, axum::routing::any(unknown));
    }
    router.merge(assets::router()).layer(from_fn(page::harden))
}

async fn home() -> Response {
    Redirect::to("/dashboard/client-tokens").into_response()
}

async fn unknown() -> Failure {
    ApiError::new(&catalogue::INVALID_URL).into()
}
