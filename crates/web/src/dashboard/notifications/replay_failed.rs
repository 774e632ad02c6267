//! All that failed at a destination once more: first how many that are, then doing it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::id::NotificationSettingId;
use tollgate_domain::time::Timestamp;
use tollgate_service::{FailedNotifications, MOST_REPLAYED, ToReplay};

use super::failed;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::{Fields, Form, Query};
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::mistakes::Mistakes;
use crate::dashboard::moment::{counted, grouped};
use crate::dashboard::notification_settings::{Choice, choices};
use crate::dashboard::page::{self, see_other};
use crate::dashboard::session::Visit;

const DESTINATION: &str = "notification_setting_id";

#[derive(Template)]
#[template(path = "dashboard/notifications/replay_failed.html")]
struct ReplayPage {
    frame: Frame,
    destinations: Vec<Choice>,
    from: String,
    to: String,
    again: bool,
    /// How many there are, once it is known of which destination.
    found: Option<Found>,
    /// What was just done.
    replayed: Option<String>,
    mistakes: Mistakes,
}

struct Found {
    count: usize,
    /// `12 failed deliveries`
    text: String,
    has_more: bool,
    most: String,
}

impl From<ToReplay> for Found {
    fn from(to_replay: ToReplay) -> Self {
        Self {
            count: to_replay.count,
            text: deliveries(to_replay.count as u64),
            has_more: to_replay.has_more,
            most: grouped(MOST_REPLAYED as u64),
        }
    }
}

fn deliveries(count: u64) -> String {
    match count {
        1 => "1 failed delivery".to_owned(),
        count => counted(count, "failed deliverie"),
    }
}

/// Which ones a form or a query asks for; `None`: of no destination yet.
fn which(fields: &Fields) -> Result<Option<FailedNotifications>, Mistakes> {
    let time = |name, label: &str| match fields.optional(name) {
        None => Ok(None),
        Some(text) => match Timestamp::parse(text) {
            Ok(time) => Ok(Some(time)),
            Err(error) => Err(Mistakes::one(name, label, &error.to_string())),
        },
    };
    let (from, to) = (time("from", "From")?, time("to", "Until")?);
    let Some(destination) = fields.optional(DESTINATION) else {
        return Ok(None);
    };
    let setting = NotificationSettingId::parse(destination);
    Ok(Some(FailedNotifications {
        setting: setting.map_err(|_| Mistakes::one(DESTINATION, "Destination", "is needed"))?,
        from,
        to,
        again: fields.is_checked("again"),
    }))
}

async fn shown(visit: &Visit, app: &App, fields: &Fields) -> Result<ReplayPage, Failure> {
    let (which, mistakes) = match which(fields) {
        Ok(which) => (which, Mistakes::default()),
        Err(mistakes) => (None, mistakes),
    };
    let found = match &which {
        Some(which) => {
            let found = app.service.failed_notifications(&visit.caller, which).await;
            Some(Found::from(found.map_err(failed)?))
        }
        None => None,
    };
    let replayed: Option<u64> = fields.text("replayed").parse().ok();
    Ok(ReplayPage {
        frame: visit.frame(Section::Notifications, "Replay failed deliveries"),
        destinations: choices(&app.service, visit, fields.text(DESTINATION), |_| true).await?,
        from: fields.text("from").to_owned(),
        to: fields.text("to").to_owned(),
        again: fields.is_checked("again"),
        found,
        replayed: replayed.map(deliveries),
        mistakes,
    })
}

/// 200 with how many there are; 422 when a time is none.
pub(super) async fn ask(visit: Visit, State(app): State<App>, Query(query): Query) -> Result<Response, Failure> {
    let shown = shown(&visit, &app, &query).await?;
    Ok(if shown.mistakes.all.is_empty() {
        page::ok(&shown)
    } else {
        page::refused(&shown)
    })
}

/// 303 to how many it were; 422 when something is missing.
pub(super) async fn replay(visit: Visit, State(app): State<App>, Form(form): Form) -> Result<Response, Failure> {
    let Ok(Some(which)) = which(&form) else {
        return Ok(page::refused(&shown(&visit, &app, &form).await?));
    };
    let replayed = app.service.replay_failed_notifications(&visit.caller, &which).await;
    let replayed = replayed.map_err(failed)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in [DESTINATION, "from", "to"] {
        query.append_pair(name, form.text(name));
    }
    query.append_pair("replayed", &replayed.count.to_string());
    Ok(see_other(&format!(
        "/dashboard/notifications/replay-failed?{}",
        query.finish()
    )))
}
