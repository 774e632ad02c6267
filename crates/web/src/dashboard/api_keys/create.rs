//! Making an API key. Its secret is on the page that answers the form, and nowhere else.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::api_key::{ApiKey, ApiKeySecret};
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::role::Action;
use tollgate_domain::text::{API_KEY_DESCRIPTION, NAME};
use tollgate_service::NewApiKey;

use super::correctable;
use super::expiry::{self, Expiry};
use super::permissions::{self, PRESETS, Picker};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::{Fields, Form, Query};
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::Moment;
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;
use crate::dashboard::{page, problems};
use crate::error::Problem;

const PATH: &str = "/dashboard/api-keys/new";

pub(super) fn rows() -> Vec<Row> {
    let manage = Right::Action(Action::ManageApiKeys);
    vec![Row::get(PATH, manage, show), Row::post(PATH, manage, create)]
}

/// What a key is called and what it may do, as typed.
pub(super) struct KeyForm {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) permissions: PermissionSet,
}

impl KeyForm {
    pub(super) fn of(fields: &Fields) -> Self {
        let names = fields.list("permission");
        Self {
            name: fields.text("name").to_owned(),
            description: fields.text("description").to_owned(),
            permissions: names.filter_map(|name| name.parse::<Permission>().ok()).collect(),
        }
    }

    pub(super) fn described(&self) -> Option<String> {
        Some(self.description.clone()).filter(|text| !text.trim().is_empty())
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let name = problems::of_text(NAME, "name", &self.name);
        let described = self.described();
        let description = described.and_then(|text| problems::of_text(API_KEY_DESCRIPTION, "description", &text));
        let nothing = "A key without permissions opens nothing: tick one at least.";
        let permissions = (self.permissions == PermissionSet::NONE).then(|| Problem::new("permissions", nothing));
        name.into_iter().chain(description).chain(permissions).collect()
    }
}

#[derive(Template)]
#[template(path = "dashboard/api_keys/new.html")]
struct NewPage {
    frame: Frame,
    problems: Vec<Problem>,
    form: KeyForm,
    picker: Picker,
    expiry: Expiry,
    presets: [(&'static str, &'static str, &'static str); 2],
    preset: String,
}

impl NewPage {
    fn new(visit: &Visit, form: KeyForm, expiry: Expiry, problems: Vec<Problem>) -> Self {
        Self {
            frame: visit.frame(Section::ApiKeys, "New API key"),
            problems,
            picker: permissions::picker(form.permissions),
            form,
            expiry,
            presets: PRESETS,
            preset: String::new(),
        }
    }
}

async fn show(visit: Visit, State(app): State<App>, Query(query): Query) -> Response {
    let preset = query.text("preset");
    let form = KeyForm {
        permissions: permissions::preset(preset),
        ..KeyForm::of(&Fields::default())
    };
    page::ok(&NewPage {
        preset: preset.to_owned(),
        ..NewPage::new(&visit, form, expiry::usual(app.service.now()), Vec::new())
    })
}

async fn create(visit: Visit, State(app): State<App>, Form(fields): Form) -> Result<Response, Failure> {
    let now = app.service.now();
    let form = KeyForm::of(&fields);
    let mut problems = form.problems();
    let expires_at = expiry::read(&fields, now).unwrap_or_else(|problem| {
        problems.push(Problem::new("expires_at", problem));
        None
    });
    if problems.is_empty() {
        let new = NewApiKey {
            name: form.name.clone(),
            description: form.described(),
            permissions: form.permissions,
            expires_at,
        };
        match app.service.create_api_key(&visit.caller, new).await {
            Ok((key, secret)) => return Ok(page::ok(&SecretPage::new(&visit, key, secret, None))),
            Err(error) => problems = correctable(error, "")?,
        }
    }
    let expiry = expiry::again(&fields, now);
    Ok(page::refused(&NewPage::new(&visit, form, expiry, problems)))
}

/// A new key's secret, this once.
#[derive(Template)]
#[template(path = "dashboard/api_keys/secret.html")]
pub(super) struct SecretPage {
    frame: Frame,
    key: ApiKey,
    secret: ApiKeySecret,
    expires: Option<Moment>,
    /// The base URL, for an example.
    base: String,
    /// The key that this one takes the place of.
    old: Option<ApiKeyId>,
}

impl SecretPage {
    pub(super) fn new(visit: &Visit, key: ApiKey, secret: ApiKeySecret, old: Option<ApiKeyId>) -> Self {
        Self {
            frame: visit.frame(Section::ApiKeys, "The new API key"),
            expires: key.expires_at.map(Moment),
            base: visit.session.reached.base.to_string(),
            key,
            secret,
            old,
        }
    }
}
