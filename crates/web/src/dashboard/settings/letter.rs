//! Mailing a link to whom it is for.

use tollgate_delivery::Letter;

use crate::App;

/// What became of the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mailed {
    /// The server sends no mail.
    No,
    Sent,
    /// The log says why.
    Failed,
}

impl Mailed {
    /// Mails `letter`, if the server sends mail.
    pub(super) async fn by(app: &App, to: &str, letter: &Letter) -> Self {
        let Some(mailer) = &app.settings.mailer else {
            return Self::No;
        };
        match mailer.send_letter(to, letter).await {
            Ok(()) => Self::Sent,
            Err(error) => {
                tracing::warn!(%error, "a link could not be mailed");
                Self::Failed
            }
        }
    }
}
