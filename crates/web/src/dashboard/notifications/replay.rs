//! One delivery once more.

use axum::extract::State;
use axum::response::Response;

use super::failed;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::ids::id;
use crate::dashboard::page::see_other;
use crate::dashboard::session::Visit;
use crate::extract::path::PathId;

/// 303 to the new one.
pub(super) async fn replay(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    let replayed = app
        .service
        .replay_notification(&visit.caller, id(&path, "Delivery")?)
        .await
        .map_err(failed)?;
    Ok(see_other(&format!(
        "/dashboard/notifications/deliveries/{replayed}?done=replayed"
    )))
}
