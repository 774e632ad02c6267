//! `GET /`: what this API is, and who is calling.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::environment::Environment;

use crate::App;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::gate::MaybeCaller;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new(
        (Method::GET, "/"),
        (Surface::Compatible, Access::Optional),
        get,
        ("getRoot", "What this API is, and who is calling"),
        Answer::one::<Root>(),
    )]
}

#[derive(Serialize, JsonSchema)]
struct Root {
    api: Api,
    caller: RootCaller,
}

#[derive(Serialize, JsonSchema)]
struct Api {
    name: &'static str,
    version: &'static str,
    /// `production` or `sandbox`.
    environment: &'static str,
    documentation_url: String,
}

#[derive(Serialize, JsonSchema)]
struct RootCaller {
    /// `api_key`, or null without a credential.
    auth_type: Option<&'static str>,
    account: Option<Account>,
    permissions: Vec<&'static str>,
}

#[derive(Serialize, JsonSchema)]
struct Account {
    id: String,
    name: String,
}

/// 200 for everybody; 403 for an invalid key.
async fn get(State(app): State<App>, MaybeCaller(caller): MaybeCaller) -> Response {
    let environment: Environment = caller
        .as_ref()
        .map_or(app.settings.root_environment, |caller| caller.workspace().environment);
    let root = Root {
        api: Api {
            name: "Tollgate",
            version: "1",
            environment: environment.root_word(),
            documentation_url: app.settings.documentation_url.clone(),
        },
        caller: RootCaller {
            auth_type: caller.as_ref().map(|_| "api_key"),
            account: caller.as_ref().map(|caller| Account {
                id: caller.workspace().id.to_string(),
                name: caller.workspace().name.clone(),
            }),
            permissions: caller.map_or_else(Vec::new, |caller| caller.permissions().names()),
        },
    };
    envelope::data(StatusCode::OK, &root)
}
