//! `/tollgate/notification-settings/…`: a new secret without a change in the receiver, and the key as Standard Webhooks
//! libraries take it.

use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::id::NotificationSettingId;
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;

use crate::App;
use crate::catalogue::CONCURRENT_MODIFICATION;
use crate::compatible::notification_settings::ID;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::body::{Checked, Field, FieldKind, RawBody, Shape};
use crate::extract::path::PathId;
use crate::gate::Known;

/// A day, unless asked otherwise.
const DEFAULT_OVERLAP: i64 = 24 * 60 * 60;
/// A month.
const LONGEST_OVERLAP: i64 = 30 * 24 * 60 * 60;

/// Also of the dashboard's form.
pub(crate) const ROTATE: Shape = Shape {
    name: "SecretRotation",
    fields: &[Field {
        name: "overlap_seconds",
        description: "How long the old secret is still tried when a receiver refuses the new one; 0 ends it at once. A day \
                      by default.",
        kind: FieldKind::Whole {
            min: 0,
            max: LONGEST_OVERLAP,
        },
        required: false,
        nullable: false,
    }],
    at_least: 0,
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let (read, write) = (
        Permission::NOTIFICATION_SETTING_READ,
        Permission::NOTIFICATION_SETTING_WRITE,
    );
    vec![
        Endpoint::new(
            (
                Method::GET,
                "/tollgate/notification-settings/{notification_setting_id}/secrets",
            ),
            (Surface::Native, Access::Needs(read)),
            secrets,
            ("getNotificationSettingSecrets", "Get what deliveries are signed with"),
            Answer::one::<SecretsView<'_>>(),
        ),
        Endpoint::new(
            (
                Method::POST,
                "/tollgate/notification-settings/{notification_setting_id}/rotate-secret",
            ),
            (Surface::Native, Access::Needs(write)),
            rotate,
            (
                "rotateNotificationSettingSecret",
                "Give a notification setting a new secret",
            ),
            Answer::one::<SecretsView<'_>>(),
        )
        .body(&ROTATE)
        .errors(&[&CONCURRENT_MODIFICATION]),
    ]
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotificationSettingSecrets")]
struct SecretsView<'a> {
    id: NotificationSettingId,
    endpoint_secret_key: &'a str,
    /// The same key for a Standard Webhooks library.
    standard_webhooks_secret: String,
    /// Until when the secret before is still tried; null when there is none.
    previous_secret_until: Option<Timestamp>,
}

impl<'a> From<&'a NotificationSetting> for SecretsView<'a> {
    fn from(setting: &'a NotificationSetting) -> Self {
        Self {
            id: setting.id,
            endpoint_secret_key: setting.secret.reveal(),
            standard_webhooks_secret: setting.secret.standard_webhooks(),
            previous_secret_until: setting.previous_secret.as_ref().map(|(_, until)| *until),
        }
    }
}

/// 200 with the secrets.
async fn secrets(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let setting = app.service.notification_setting(&caller, id.parse(ID)?).await;
    let setting = setting.map_err(|error| ApiError::of_notification_setting(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::OK, &SecretsView::from(&setting)))
}

/// 200 with the new secret.
async fn rotate(Known(caller): Known, State(app): State<App>, id: PathId, body: RawBody) -> Result<Response, ApiError> {
    let overlap = overlap(body.checked(&ROTATE)?);
    let rotated = app
        .service
        .rotate_notification_setting_secret(&caller, id.parse(ID)?, overlap)
        .await;
    let setting = rotated.map_err(|error| ApiError::of_notification_setting(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::OK, &SecretsView::from(&setting)))
}

/// What a body of the shape [`ROTATE`] asks for.
pub(crate) fn overlap(mut body: Checked) -> Duration {
    let seconds = body.whole("overlap_seconds").unwrap_or(DEFAULT_OVERLAP);
    Duration::from_secs(seconds.unsigned_abs())
}
