//! Invitations that nobody has taken yet: list, withdraw. How they are made and taken: [`links`](crate::links).

use tollgate_domain::event::EventType;
use tollgate_domain::one_time_link::{LinkPurpose, OneTimeLink};
use tollgate_domain::role::{Action, Role};
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::EmailAddress;
use tollgate_storage::PeopleWrite;

use crate::people::Audited;
use crate::{Caller, PeopleError, Service};

/// An invitation to the caller's workspace that is still good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInvitation {
    pub email: EmailAddress,
    pub role: Role,
    /// Who invited them, by name and email address; `None` for the command line.
    pub invited_by: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Service {
    /// The open invitations to the caller's workspace, by the addresses they are for.
    pub async fn invitations(&self, caller: &Caller) -> Result<Vec<OpenInvitation>, PeopleError> {
        caller.require_action(Action::ReadMembers)?;
        let open = self.open_invitations(caller).await?;
        let makers = open.iter().filter_map(|(link, ..)| link.made_by);
        let names = self.actor_names(caller, makers).await?;
        let open = open.into_iter().map(|(link, email, role)| OpenInvitation {
            email,
            role,
            invited_by: link.made_by.and_then(|actor| names.get(&actor).cloned()),
            created_at: link.created_at,
            expires_at: link.expires_at,
        });
        Ok(open.collect())
    }

    /// The invitation for this address is good for nothing any more; gives what it was to. Whoever may give the role may
    /// take the offer back.
    pub async fn withdraw_invitation(&self, caller: &Caller, email: &EmailAddress) -> Result<Role, PeopleError> {
        caller.require_action(Action::ManageMembers)?;
        let open = self.open_invitations(caller).await?;
        let found = open.into_iter().find(|(_, invited, _)| invited == email);
        let (link, email, role) = found.ok_or(PeopleError::NotFound)?;
        caller.require_to_manage(role)?;
        let audited = Audited::invited(&email, role);
        let now = self.clock.now();
        let event = self.event(caller.origin(), EventType::InvitationWithdrawn, now, &email, &audited);
        if self
            .commit_people(PeopleWrite::TakeLinkBack(link.digest), vec![event])
            .await?
        {
            Ok(role)
        } else {
            Err(PeopleError::NotFound) // somebody took it, or was quicker
        }
    }

    async fn open_invitations(&self, caller: &Caller) -> Result<Vec<(OneTimeLink, EmailAddress, Role)>, PeopleError> {
        let now = self.clock.now();
        let links = self.storage.invitations(caller.workspace_id()).await?;
        let open = links.into_iter().filter(|link| now < link.expires_at);
        let open = open.filter_map(|link| match link.purpose.clone() {
            LinkPurpose::Invitation { email, role, .. } => Some((link, email, role)),
            LinkPurpose::Reset(_) | LinkPurpose::SignIn(_) => None,
        });
        Ok(open.collect())
    }
}
