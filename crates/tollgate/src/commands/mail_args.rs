//! `--mail`: a link is mailed to whom it is for, with the server's own settings of mail.

use clap::Args;
use tollgate_delivery::{Letter, Mailer};
use tollgate_domain::user::EmailAddress;
use tollgate_service::IssuedLink;

use crate::config::{self, Invalid};
use crate::output::remark;

#[derive(Debug, Args)]
#[command(next_help_heading = "Mail")]
pub(super) struct MailArgs {
    /// Mail the link, too. Needs the address of the server and of a mail server.
    #[arg(long)]
    mail: bool,
    /// The URL under which people reach the server; the mailed link begins with it. [env: TOLLGATE_PUBLIC_URL]
    #[arg(long, value_name = "URL", requires = "mail")]
    public_url: Option<String>,
    /// The mail server, such as smtp://user:password@host:587?tls=required. Better given by the environment, as other
    /// users of the machine can see flags. [env: TOLLGATE_SMTP_URL]
    #[arg(long, value_name = "URL", requires = "mail")]
    smtp_url: Option<String>,
    /// The address that mail comes from. [env: TOLLGATE_SMTP_FROM]
    #[arg(long, value_name = "ADDRESS", requires = "mail")]
    smtp_from: Option<String>,
}

/// Mails links.
pub(super) struct Postman {
    mailer: Mailer,
    /// What links begin with.
    base: String,
}

impl MailArgs {
    /// `None` when nothing is to be mailed. Asked before anything is changed: an invitation that can't be mailed shall not
    /// take the place of another one.
    pub(super) fn postman(&self) -> Result<Option<Postman>, Invalid> {
        if !self.mail {
            return Ok(None);
        }
        let missing = |what: &str| Invalid(format!("--mail needs {what}"));
        let mailer = config::mailer_from_flags(self.smtp_url.as_ref(), self.smtp_from.as_ref())?;
        let base = config::public_url_from_flag(self.public_url.as_ref())?;
        Ok(Some(Postman {
            mailer: mailer
                .ok_or_else(|| missing("--smtp-url and --smtp-from, or TOLLGATE_SMTP_URL and TOLLGATE_SMTP_FROM"))?,
            base: base.ok_or_else(|| missing("--public-url or TOLLGATE_PUBLIC_URL, which the link begins with"))?,
        }))
    }
}

impl Postman {
    /// The link as its receiver opens it.
    pub(super) fn full(&self, link: &IssuedLink) -> String {
        format!("{}{}", self.base, link.path())
    }

    /// Mails it, or says why not: the link that was shown is as good.
    pub(super) async fn send(&self, email: &EmailAddress, letter: &Letter) {
        match self.mailer.send_letter(email.as_str(), letter).await {
            Ok(()) => remark(format_args!("It was mailed to {email}.")),
            Err(error) => remark(format_args!("warning: it could not be mailed: {error}")),
        }
    }
}
