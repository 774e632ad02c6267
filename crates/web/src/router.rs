//! The table of endpoints, and the router made of it.

use std::collections::BTreeMap;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;

use crate::App;
use crate::endpoint::Endpoint;
use crate::front_door::{unknown_method, unknown_path};
use crate::gate::{self, Gate};
use crate::{assets, compatible, dashboard, health, native, openapi};

/// Every endpoint there is.
pub fn endpoints() -> Vec<Endpoint> {
    let mut all = compatible::endpoints();
    all.extend(native::endpoints());
    all.extend(health::endpoints());
    all.extend(openapi::endpoints());
    all.extend(assets::endpoints());
    all
}

/// Each endpoint behind its gate.
pub(crate) fn router(app: &App) -> Router {
    let mut by_path: BTreeMap<&'static str, MethodRouter<App>> = BTreeMap::new();
    for endpoint in endpoints() {
        let gate = Gate {
            app: app.clone(),
            access: endpoint.access,
            surface: endpoint.surface,
        };
        let guarded = endpoint.handler.layer(from_fn_with_state(gate, gate::keep));
        let methods = by_path.remove(endpoint.path).unwrap_or_default();
        by_path.insert(endpoint.path, methods.merge(guarded));
    }
    let mut router = Router::new();
    for (path, methods) in by_path {
        router = router.route(path, methods);
    }
    router
        .merge(dashboard::router(app))
        .method_not_allowed_fallback(unknown_method)
        .fallback(unknown_path)
        .with_state(app.clone())
}
