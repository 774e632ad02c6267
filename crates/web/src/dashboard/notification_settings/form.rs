//! Making and changing a destination: one form.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value};
use tollgate_domain::environment::Environment;
use tollgate_domain::event::{EventType, catalogue};
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting, TrafficSource};

use super::{kind, refused};
use crate::App;
use crate::catalogue::{EMAIL_NOTIFICATION_SETTING_INCORRECT, URL_NOTIFICATION_SETTING_INCORRECT};
use crate::compatible::notification_settings::{CREATE, UPDATE, new_setting, patch};
use crate::dashboard::excerpt::excerpt;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::{Fields, Form};
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::ids::id;
use crate::dashboard::mistakes::Mistakes;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::session::Visit;
use crate::error::ApiError;
use crate::extract::path::PathId;

const LABELS: &[(&str, &str)] = &[
    ("description", "Description"),
    ("type", "Type"),
    ("destination", "Destination"),
    ("traffic_source", "Traffic"),
    ("subscribed_events", "Event types"),
];
const EVENTS: &str = "subscribed_events";
/// Bytes of a page that each field's text may take when the form comes back.
const TYPED: usize = 12 * 1024;

#[derive(Template)]
#[template(path = "dashboard/notification_settings/form.html")]
struct FormPage {
    frame: Frame,
    title: &'static str,
    /// Of the destination that is changed; its type stays.
    existing: Option<Existing>,
    typed: Typed,
    /// What Tollgate emits.
    emitted: Vec<Group>,
    /// What the contract knows besides.
    others: Vec<Group>,
    sends_mail: bool,
    https_only: bool,
    mistakes: Mistakes,
}

struct Existing {
    id: String,
    kind: &'static str,
}

/// What stands in the fields.
struct Typed {
    description: String,
    is_email: bool,
    destination: String,
    traffic_source: String,
}

/// Event types of one entity.
struct Group {
    name: String,
    types: Vec<Listed>,
}

struct Listed {
    name: String,
    description: String,
    is_chosen: bool,
}

/// What is in the form.
struct Filled {
    typed: Typed,
    chosen: Vec<String>,
}

impl Filled {
    /// A new destination: what happens to client tokens, real or simulated.
    fn blank() -> Self {
        Self {
            typed: Typed {
                description: String::new(),
                is_email: false,
                destination: String::new(),
                traffic_source: TrafficSource::All.name().to_owned(),
            },
            chosen: EventType::CLIENT_TOKEN.map(|known| known.name().to_owned()).to_vec(),
        }
    }

    fn sent(form: &Fields) -> Self {
        let typed = |name| excerpt(form.text(name), TYPED).text;
        Self {
            typed: Typed {
                description: typed("description"),
                is_email: form.text("type") == DestinationType::Email.name(),
                destination: typed("destination"),
                traffic_source: typed("traffic_source"),
            },
            chosen: form.list(EVENTS).map(str::to_owned).collect(),
        }
    }
}

impl From<&NotificationSetting> for Filled {
    fn from(setting: &NotificationSetting) -> Self {
        Self {
            typed: Typed {
                description: setting.description.clone(),
                is_email: setting.destination_type == DestinationType::Email,
                destination: setting.destination.clone(),
                traffic_source: setting.traffic_source.name().to_owned(),
            },
            chosen: setting.subscribed_events.clone(),
        }
    }
}

impl FormPage {
    fn new(
        visit: &Visit,
        app: &App,
        existing: Option<&NotificationSetting>,
        filled: Filled,
        mistakes: Mistakes,
    ) -> Self {
        let title = if existing.is_some() {
            "Edit a destination"
        } else {
            "New destination"
        };
        let (emitted, others) = groups(&filled.chosen);
        Self {
            frame: visit.frame(Section::Notifications, title),
            title,
            existing: existing.map(|setting| Existing {
                id: setting.id.to_string(),
                kind: kind(setting.destination_type),
            }),
            typed: filled.typed,
            emitted,
            others,
            sends_mail: app.settings.mailer.is_some(),
            https_only: visit.caller.workspace().environment == Environment::Live,
            mistakes,
        }
    }

    fn chosen_others(&self) -> usize {
        let types = self.others.iter().flat_map(|group| &group.types);
        types.filter(|listed| listed.is_chosen).count()
    }
}

/// All event types by their entities: first the entities that Tollgate tells of.
fn groups(chosen: &[String]) -> (Vec<Group>, Vec<Group>) {
    let mut all: Vec<Group> = Vec::new();
    for described in catalogue() {
        let listed = Listed {
            is_chosen: chosen.contains(&described.name),
            name: described.name,
            description: described.description,
        };
        match all.last_mut().filter(|group| group.name == described.group) {
            Some(group) => group.types.push(listed),
            None => all.push(Group {
                name: described.group,
                types: vec![listed],
            }),
        }
    }
    let emitted = |listed: &Listed| EventType::ALL.iter().any(|known| known.name() == listed.name);
    let (mut emitted, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|group| group.types.iter().any(emitted));
    emitted.sort_by_key(|group| group.name != "Client Token");
    (emitted, others)
}

/// As the API takes it.
fn body(form: &Fields, names: &[&str]) -> Map<String, Value> {
    let mut body = form.object(names);
    let chosen: Vec<Value> = form.list(EVENTS).map(Value::from).collect();
    body.insert(EVENTS.to_owned(), chosen.into());
    body
}

/// A refusal by its field, where it names none itself.
fn mistakes(error: ApiError) -> Result<Mistakes, Failure> {
    let of_destination = [
        URL_NOTIFICATION_SETTING_INCORRECT.code,
        EMAIL_NOTIFICATION_SETTING_INCORRECT.code,
    ];
    if of_destination.contains(&error.entry.code) {
        return Ok(Mistakes::one("destination", "Destination", error.entry.remedy));
    }
    Mistakes::of(error, LABELS)
}

/// 200 with the form.
pub(super) async fn new(visit: Visit, State(app): State<App>) -> Response {
    page::ok(&FormPage::new(&visit, &app, None, Filled::blank(), Mistakes::default()))
}

/// 303 to the new destination; 422 with what is wrong.
pub(super) async fn create(visit: Visit, State(app): State<App>, Form(form): Form) -> Result<Response, Failure> {
    match make(&visit, &app, &form).await {
        Ok(setting) => Ok(see_other(&format!(
            "/dashboard/notifications/destinations/{}?done=created",
            setting.id
        ))),
        Err(error) => {
            let mistakes = mistakes(error)?;
            Ok(page::refused(&FormPage::new(
                &visit,
                &app,
                None,
                Filled::sent(&form),
                mistakes,
            )))
        }
    }
}

async fn make(visit: &Visit, app: &App, form: &Fields) -> Result<NotificationSetting, ApiError> {
    let body = body(form, &["description", "type", "destination", "traffic_source"]);
    let new = new_setting(app, &visit.caller, CREATE.check(body)?).await?;
    let made = app.service.create_notification_setting(&visit.caller, &new).await;
    made.map_err(|error| ApiError::of_notification_setting(error, ""))
}

/// 200 with the form.
pub(super) async fn edit(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    let id = id(&path, "Destination")?;
    let setting = app.service.notification_setting(&visit.caller, id).await;
    let setting = setting.map_err(refused)?;
    let filled = Filled::from(&setting);
    Ok(page::ok(&FormPage::new(
        &visit,
        &app,
        Some(&setting),
        filled,
        Mistakes::default(),
    )))
}

/// 303 to the destination; 422 with what is wrong.
pub(super) async fn update(
    visit: Visit,
    State(app): State<App>,
    path: PathId,
    Form(form): Form,
) -> Result<Response, Failure> {
    let id = id(&path, "Destination")?;
    let setting = app.service.notification_setting(&visit.caller, id).await;
    let setting = setting.map_err(refused)?;
    let Err(error) = change(&visit, &app, &setting, &form).await else {
        return Ok(see_other(&format!(
            "/dashboard/notifications/destinations/{id}?done=updated"
        )));
    };
    let mistakes = mistakes(error)?;
    let filled = Filled::sent(&form);
    Ok(page::refused(&FormPage::new(
        &visit,
        &app,
        Some(&setting),
        filled,
        mistakes,
    )))
}

async fn change(visit: &Visit, app: &App, setting: &NotificationSetting, form: &Fields) -> Result<(), ApiError> {
    let mut body = body(form, &["traffic_source"]);
    // Blank ones are told of, not passed over.
    for name in ["description", "destination"] {
        body.insert(name.to_owned(), form.text(name).into());
    }
    let patch = patch(app, &visit.caller, setting.id, UPDATE.check(body)?).await?;
    let changed = app
        .service
        .update_notification_setting(&visit.caller, setting.id, &patch)
        .await;
    changed
        .map(drop)
        .map_err(|error| ApiError::of_notification_setting(error, &setting.id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tollgate_emits_comes_first_and_nothing_is_left_out() {
        let (emitted, others) = groups(&["api_key.revoked".to_owned(), "price.created".to_owned()]);
        let names: Vec<&str> = emitted.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["Client Token", "API Key"]);
        let count = |groups: &[Group]| groups.iter().map(|group| group.types.len()).sum::<usize>();
        assert_eq!(count(&emitted), EventType::ALL.len());
        assert_eq!(count(&emitted) + count(&others), catalogue().len());
        let chosen: Vec<&str> = emitted
            .iter()
            .chain(&others)
            .flat_map(|group| &group.types)
            .filter(|listed| listed.is_chosen)
            .map(|listed| listed.name.as_str())
            .collect();
        assert_eq!(chosen, ["api_key.revoked", "price.created"]);
    }
}
