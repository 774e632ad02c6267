//! An error on its way to the caller: which of the catalogue, and what is particular to this one.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tollgate_service::{
    ApiKeyError, AuthenticationError, ClientTokenError, Denied, EventError, KeyReused, NotificationError,
    NotificationSettingError, SimulationError,
};
use tollgate_storage::StorageError;

use crate::catalogue::{self, Entry};
use crate::endpoint::Surface;

/// An error of the catalogue. The front door gives it its body, since only it knows the request's id.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) entry: &'static Entry,
    /// Instead of the `{}` in the entry's detail.
    pub(crate) particular: Option<String>,
    pub(crate) problems: Vec<Problem>,
    /// Whole seconds.
    pub(crate) retry_after: Option<u64>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl ApiError {
    pub(crate) const fn new(entry: &'static Entry) -> Self {
        Self {
            entry,
            particular: None,
            problems: Vec::new(),
            retry_after: None,
        }
    }

    /// 400 `bad_request`: what a schema says of fields. See Q3 of the contract.
    pub(crate) fn bad_request(problems: Vec<Problem>) -> Self {
        Self {
            problems,
            ..Self::new(&catalogue::BAD_REQUEST)
        }
    }

    /// 400 `bad_request` for one field.
    pub(crate) fn bad_field(field: &str, message: impl Into<String>) -> Self {
        Self::bad_request(vec![Problem::new(field, message)])
    }

    /// 400 `invalid_field`: a rule that no schema can express.
    pub(crate) fn invalid_field(field: &str, message: &str) -> Self {
        Self {
            problems: vec![Problem::new(field, message)],
            ..Self::new(&catalogue::INVALID_FIELD)
        }
    }

    /// 400 `invalid_time_query_parameter`, naming the parameters.
    pub(crate) fn bad_times(problems: Vec<Problem>) -> Self {
        Self {
            problems,
            ..Self::new(&catalogue::INVALID_TIME_QUERY_PARAMETER)
        }
    }

    /// 404 `not_found`: `what` as in `Client token ctkn_…`.
    pub(crate) fn not_found(what: String) -> Self {
        Self {
            particular: Some(what),
            ..Self::new(&catalogue::NOT_FOUND)
        }
    }

    pub(crate) fn too_many_requests(retry_after: u64) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(&catalogue::TOO_MANY_REQUESTS)
        }
    }

    pub(crate) fn detail(&self) -> String {
        match &self.particular {
            Some(particular) => self.entry.detail.replace("{}", particular),
            None => self.entry.detail.to_owned(),
        }
    }

    /// The error of a failed credential as this surface answers it: 403 on the compatible one, where no other status
    /// tells of authentication; 401 with a challenge on ours, as RFC 9110 and RFC 6750 have it.
    pub(crate) fn into_response_on(self, surface: Surface) -> Response {
        let entry = self.entry;
        let mut response = self.into_response();
        *response.status_mut() = entry.status_on(surface);
        if response.status() == StatusCode::UNAUTHORIZED {
            let missing = entry.code == catalogue::AUTHENTICATION_MISSING.code;
            let challenge = if missing {
                r#"Bearer realm="tollgate""#
            } else {
                r#"Bearer realm="tollgate", error="invalid_token""#
            };
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.entry.status_on(Surface::Compatible).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        tracing::error!(%error, "a request failed on the store");
        Self::new(&catalogue::INTERNAL_ERROR)
    }
}

impl From<Denied> for ApiError {
    fn from(_: Denied) -> Self {
        Self::new(&catalogue::FORBIDDEN)
    }
}

impl From<KeyReused> for ApiError {
    fn from(_: KeyReused) -> Self {
        Self::new(&catalogue::IDEMPOTENCY_KEY_REUSED)
    }
}

impl From<AuthenticationError> for ApiError {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Invalid => Self::new(&catalogue::INVALID_TOKEN),
            AuthenticationError::Storage(error) => error.into(),
        }
    }
}

impl From<SimulationError> for ApiError {
    /// Where nothing is named by an id in the path.
    fn from(error: SimulationError) -> Self {
        Self::of_simulation(error, [""; 3])
    }
}

impl From<EventError> for ApiError {
    fn from(error: EventError) -> Self {
        match error {
            EventError::Denied(denied) => denied.into(),
            EventError::Storage(error) => error.into(),
        }
    }
}

impl ApiError {
    /// `id` as the caller gave it.
    pub(crate) fn of_client_token(error: ClientTokenError, id: &str) -> Self {
        match error {
            ClientTokenError::Denied(denied) => denied.into(),
            ClientTokenError::NotFound => Self::not_found(format!("Client token {id}")),
            ClientTokenError::Reactivation => {
                Self::invalid_field("status", "A revoked client token can't be made active again")
            }
            ClientTokenError::RevokeAtInThePast => Self::invalid_field("revoke_at", "Must not be in the past"),
            ClientTokenError::AlreadyRevoked => Self::invalid_field("revoke_at", "The client token is revoked already"),
            ClientTokenError::RevokedAndScheduled => {
                Self::invalid_field("revoke_at", "Can't be given together with the status `revoked`")
            }
            ClientTokenError::NotRestricted(problem) => {
                Self::invalid_field("restrictions.report_only", &problem.to_string())
            }
            ClientTokenError::KeyReused(reused) => reused.into(),
            ClientTokenError::Contended => Self::contended(id),
            ClientTokenError::Storage(error) => error.into(),
        }
    }

    /// `id` as the caller gave it.
    pub(crate) fn of_notification_setting(error: NotificationSettingError, id: &str) -> Self {
        match error {
            NotificationSettingError::Denied(denied) => denied.into(),
            NotificationSettingError::NotFound => Self::not_found(format!("Notification setting {id}")),
            NotificationSettingError::TooManyActive => Self::new(&catalogue::MAXIMUM_ACTIVE_SETTINGS),
            NotificationSettingError::Duplicate => Self::new(&catalogue::SETTING_CANNOT_BE_DUPLICATE),
            // What is being created has no id yet.
            NotificationSettingError::Contended if id.is_empty() => Self::new(&catalogue::CONFLICT),
            NotificationSettingError::Contended => Self::contended(id),
            NotificationSettingError::Storage(error) => error.into(),
        }
    }

    /// `id` as the caller gave it.
    pub(crate) fn of_notification(error: NotificationError, id: &str) -> Self {
        match error {
            NotificationError::Denied(denied) => denied.into(),
            NotificationError::NotFound => Self::not_found(format!("Notification {id}")),
            NotificationError::NotFinal => Self {
                particular: Some(id.to_owned()),
                ..Self::new(&catalogue::NOTIFICATION_CANNOT_REPLAY)
            },
            NotificationError::IsReplay => Self::new(&catalogue::REPLAY_INVALID_ORIGIN),
            NotificationError::Storage(error) => error.into(),
        }
    }

    /// The ids of simulation, run and event as the caller gave them.
    pub(crate) fn of_simulation(error: SimulationError, [simulation, run, event]: [&str; 3]) -> Self {
        match error {
            SimulationError::Denied(denied) => denied.into(),
            SimulationError::NotFound => Self::not_found(format!("Simulation {simulation}")),
            SimulationError::RunNotFound => Self::not_found(format!("Simulation run {run}")),
            SimulationError::EventNotFound => Self::not_found(format!("Simulation event {event}")),
            SimulationError::Setting(problem) => Self::invalid_field("notification_setting_id", &problem.to_string()),
            SimulationError::SettingConflict(_) => Self::new(&catalogue::SIMULATION_SETTINGS_CONFLICT),
            SimulationError::Archived => {
                Self::invalid_field("status", "An archived simulation can't be run; make it active first")
            }
            SimulationError::AlreadyRunning => Self::new(&catalogue::SIMULATION_ALREADY_RUNNING),
            SimulationError::Contended => Self::contended(simulation),
            SimulationError::Storage(error) => error.into(),
        }
    }

    fn contended(id: &str) -> Self {
        Self {
            particular: Some(id.to_owned()),
            ..Self::new(&catalogue::CONCURRENT_MODIFICATION)
        }
    }

    /// `id` as the caller gave it. What only managing keys can answer doesn't arise over HTTP.
    pub(crate) fn of_api_key(error: ApiKeyError, id: &str) -> Self {
        match error {
            ApiKeyError::Denied(denied) => denied.into(),
            ApiKeyError::NotFound => Self::not_found(format!("API key {id}")),
            ApiKeyError::Storage(error) => error.into(),
            ApiKeyError::ExpiryInThePast | ApiKeyError::ExpiryTooLate => {
                Self::invalid_field("expires_at", &error.to_string())
            }
            ApiKeyError::Ended(_) => Self::invalid_field("status", &error.to_string()),
            ApiKeyError::Contended => Self::contended(id),
        }
    }
}
