//! Taking an invitation without a password: for where people sign in by passkeys. They are signed in at once, since a
//! passkey is added by somebody who is.

use std::net::IpAddr;

use tollgate_domain::event::EventType;
use tollgate_domain::one_time_link::LinkSecret;
use tollgate_domain::session::{Session, SessionSecret};
use tollgate_domain::user::{Membership, User};
use tollgate_storage::LinkUse;

use crate::caller::Cause;
use crate::people::{Audited, Detail};
use crate::sign_in::SignInMethod;
use crate::{Invited, Member, PeopleError, Service};

impl Service {
    /// Makes an account of this name, which keeps to [`tollgate_domain::text::NAME`], and signs its person in. Never for
    /// an address that has an account: whoever has the link need not be that person.
    pub async fn join_signed_in(
        &self,
        secret: &LinkSecret,
        name: &str,
        address: Option<IpAddr>,
    ) -> Result<SessionSecret, PeopleError> {
        let Invited {
            workspace,
            email,
            role,
            has_account,
        } = self.invitation(secret).await?;
        if has_account {
            return Err(PeopleError::HasAccount(email));
        }
        let now = self.clock.now();
        let user = User {
            id: self.next_id(now),
            email,
            name: name.to_owned(),
            password: None,
            created_at: now,
            version: 1,
        };
        let membership = Membership {
            workspace: workspace.id,
            user: user.id,
            role,
            created_at: now,
        };
        let member = Member::of((user.clone(), membership));
        let origin = (workspace.id, Cause::person(user.id, address));
        let audited = Audited::of(&member);
        let joined = self.event(origin, EventType::MemberJoined, now, &user.id, &audited);
        let audited = Audited {
            detail: Detail {
                method: Some(SignInMethod::Link),
                ..Detail::default()
            },
            ..audited
        };
        let signed_in = self.event(origin, EventType::SignedIn, now, &user.id, &audited);
        let cookie = SessionSecret::generate(self.entropy.as_ref());
        let then = LinkUse::JoinSignedIn {
            session: Session::begin(&cookie, user.id, now),
            user,
            membership,
        };
        if self.use_link(secret, now, then, vec![joined, signed_in]).await? {
            Ok(cookie)
        } else {
            Err(PeopleError::Link) // somebody was quicker
        }
    }
}
