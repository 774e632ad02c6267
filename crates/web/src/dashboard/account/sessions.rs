//! Where one is signed in. A session is named by the digest that the store keeps, from which nobody gets to its cookie.

use axum::extract::State;
use axum::response::Response;
use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::session::{ABSOLUTE, Session as Stored};

use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::moment::Moment;
use crate::dashboard::page::see_other;
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Session;

pub(super) fn rows() -> Vec<Row> {
    vec![Row::post("/dashboard/account/sessions/end", Right::SignedIn, end)]
}

/// How many the page shows; the others end by themselves, or with all.
const SHOWN: usize = 20;

pub(super) struct Listed {
    pub(super) digest: String,
    pub(super) began: Moment,
    pub(super) seen: String,
    /// At the latest.
    pub(super) ends: Moment,
    pub(super) is_this: bool,
}

pub(super) async fn listed(app: &App, session: &Session) -> Result<Vec<Listed>, Failure> {
    let signed_in = &session.signed_in;
    let own = signed_in.secret.digest();
    let now = app.service.now();
    let listed = |stored: Stored| Listed {
        digest: hex::encode(stored.digest.0),
        began: Moment(stored.created_at),
        seen: Moment(stored.last_seen_at).ago(now),
        ends: Moment(stored.created_at.plus(ABSOLUTE)),
        is_this: stored.digest == own,
    };
    let sessions = app.service.sessions_of(signed_in).await?;
    Ok(sessions.into_iter().take(SHOWN).map(listed).collect())
}

async fn end(session: Session, State(app): State<App>, Form(form): Form) -> Result<Response, Failure> {
    let mut digest = [0; 32];
    if hex::decode_to_slice(form.text("session"), &mut digest).is_err() {
        return Err(Failure::not_found("Session"));
    }
    app.service
        .end_session(&session.signed_in, SecretDigest(digest), session.reached.address)
        .await?;
    Ok(see_other("/dashboard/account?done=ended"))
}
