//! Changing one's password.

use axum::extract::State;
use axum::response::Response;
use tollgate_service::SignInError;

use super::Account;
use crate::App;
use crate::dashboard::entrance::links::chosen;
use crate::dashboard::failure::{Failure, sentence};
use crate::dashboard::fields::Form;
use crate::dashboard::page::see_other;
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::{MaybeVisit, Session};

pub(super) fn rows() -> Vec<Row> {
    vec![Row::post("/dashboard/account/password", Right::SignedIn, change)]
}

async fn change(
    session: Session,
    visit: MaybeVisit,
    State(app): State<App>,
    Form(form): Form,
) -> Result<Response, Failure> {
    let problem = match chosen(&form) {
        Err(problem) => problem,
        Ok(password) => {
            let changed = app
                .service
                .change_password(
                    &session.signed_in,
                    form.text("current"),
                    &password,
                    session.reached.address,
                )
                .await;
            match changed {
                Ok(()) => return Ok(see_other("/dashboard/account?done=password")),
                Err(SignInError::Storage(error)) => return Err(error.into()),
                Err(SignInError::Wrong) => "The current password is another one.".to_owned(),
                Err(told @ (SignInError::Off | SignInError::Wait(_))) => sentence(&told.to_string()),
            }
        }
    };
    let account = Account {
        problem: Some(problem),
        ..Account::of(&app, &session).await?
    };
    Ok(account.refused(&visit))
}
