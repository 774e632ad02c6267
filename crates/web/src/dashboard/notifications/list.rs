//! `/dashboard/notifications/deliveries`: what was sent where, with the filters of the API.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Slice, TOTAL_CAP};

use super::{Listed, failed, words};
use crate::App;
use crate::compatible::notifications::asked;
use crate::dashboard::excerpt::excerpt;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::mistakes::Mistakes;
use crate::dashboard::moment::{counted, grouped};
use crate::dashboard::notification_settings::{Choice, choices};
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::extract::list::ListQuery;

const PER_PAGE: usize = 50;
/// Seconds.
const BEAT: u32 = 3;

/// Bytes of a page that each filter's text may take.
const TYPED: usize = 1024;

const LABELS: &[(&str, &str)] = &[
    ("notification_setting_id", "Destination"),
    ("status", "State"),
    ("from", "From"),
    ("to", "Until"),
    ("search", "Search"),
];

#[derive(Template)]
#[template(path = "dashboard/notifications/list.html")]
struct ListPage {
    frame: Frame,
    deliveries: Vec<Listed>,
    destinations: Vec<Choice>,
    statuses: Vec<Status>,
    filter: Filter,
    mistakes: Mistakes,
    /// `1,204 deliveries`, if it is known.
    total: Option<String>,
    /// The query of the next page.
    older: Option<String>,
    /// The query of the page that replays what failed of these.
    replay: Option<String>,
    now: Timestamp,
}

struct Status {
    name: &'static str,
    text: &'static str,
    is_chosen: bool,
}

/// What is asked for.
struct Filter {
    destination: String,
    search: String,
    subject: String,
    from: String,
    to: String,
    /// Whether anything is left out.
    is_set: bool,
    is_first_page: bool,
}

impl Filter {
    fn of(query: &Query) -> Self {
        let names = ["notification_setting_id", "status", "search", "filter", "from", "to"];
        let text = |name| excerpt(query.0.text(name), TYPED).text;
        Self {
            destination: text("notification_setting_id"),
            search: text("search"),
            subject: text("filter"),
            from: text("from"),
            to: text("to"),
            is_set: names.iter().any(|name| query.0.optional(name).is_some()),
            is_first_page: query.0.optional("after").is_none(),
        }
    }
}

/// The query with these fields of it, and `after` if there is one.
fn query_of(query: &Query, names: &[&str], after: Option<String>) -> String {
    let mut written = form_urlencoded::Serializer::new(String::new());
    for name in names {
        if let Some(value) = query.0.optional(name) {
            written.append_pair(name, value);
        }
    }
    if let Some(after) = after {
        written.append_pair("after", &after);
    }
    written.finish()
}

/// 200 with a page of them; 422 when a filter is none.
pub(super) async fn show(
    visit: Visit,
    State(app): State<App>,
    query: Query,
    mut filters: ListQuery,
) -> Result<Response, Failure> {
    let destination = query.0.text("notification_setting_id");
    let destinations = choices(&app.service, &visit, destination, |_| true).await?;
    let status = query.0.text("status");
    let statuses = NotificationStatus::ALL.map(|known| Status {
        name: known.name(),
        text: words::status(known),
        is_chosen: known.name() == status,
    });
    let (found, mistakes) = match asked(&mut filters) {
        Ok(mut asked) => {
            asked.page.limit = asked.page.limit.min(PER_PAGE);
            let found = app.service.notifications(&visit.caller, &asked).await;
            (found.map_err(failed)?, Mistakes::default())
        }
        Err(error) => {
            let nothing = Slice {
                items: Vec::new(),
                has_more: false,
                total: None,
            };
            (nothing, Mistakes::of(error, LABELS)?)
        }
    };
    let last = found.items.last().filter(|_| found.has_more);
    let kept = ["notification_setting_id", "status", "search", "filter", "from", "to"];
    let may_replay = visit.may(Permission::NOTIFICATION_WRITE);
    let is_wrong = !mistakes.all.is_empty();
    let shown = ListPage {
        frame: visit.frame(Section::Notifications, "Deliveries").live(BEAT),
        older: last.map(|last| query_of(&query, &kept, Some(last.id.to_string()))),
        deliveries: found.items.iter().map(|one| Listed::of(one, &destinations)).collect(),
        replay: (may_replay && !destinations.is_empty())
            .then(|| query_of(&query, &["notification_setting_id", "from", "to"], None)),
        destinations,
        statuses: statuses.into(),
        filter: Filter::of(&query),
        mistakes,
        total: found.total.map(|total| match total {
            total if total > TOTAL_CAP => format!("More than {} deliveries", grouped(TOTAL_CAP)),
            1 => "1 delivery".to_owned(),
            total => counted(total, "deliverie"),
        }),
        now: app.service.now(),
    };
    Ok(if is_wrong {
        page::refused(&shown)
    } else {
        page::ok(&shown)
    })
}
