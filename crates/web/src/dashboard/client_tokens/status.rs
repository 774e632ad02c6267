//! In what state a token is, as people say it.

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::restriction::RestrictionKind;
use tollgate_domain::time::Timestamp;

use crate::dashboard::moment::Moment;

/// A few words, and the class of the badge they stand in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) text: String,
    pub(super) class: &'static str,
}

impl Status {
    pub(super) fn of(token: &ClientToken, now: Timestamp) -> Self {
        let (text, class) = match token.revoke_at {
            _ if token.status == ClientTokenStatus::Revoked => ("revoked".to_owned(), "revoked"),
            _ if is_expired(token, now) => ("expired".to_owned(), "expired"),
            Some(at) => (format!("revokes {}", Moment(at).ahead(now)), "wait"),
            None => ("active".to_owned(), "active"),
        };
        Self { text, class }
    }
}

/// Whether it is past a time that is enforced.
fn is_expired(token: &ClientToken, now: Timestamp) -> bool {
    token.restrictions.as_ref().is_some_and(|restrictions| {
        let enforced = !restrictions.report_only.contains(RestrictionKind::ExpiresAt);
        enforced && restrictions.expires_at.is_some_and(|end| end <= now)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tollgate_domain::ambient::Entropy;
    use tollgate_domain::client_token::TokenText;
    use tollgate_domain::environment::Environment;
    use tollgate_domain::id::{ClientTokenId, WorkspaceId};
    use tollgate_domain::restriction::{RestrictionKinds, Restrictions};

    use super::*;

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    fn now() -> Timestamp {
        Timestamp::parse("2026-03-02T09:15:04Z").unwrap()
    }

    fn token() -> ClientToken {
        ClientToken {
            workspace: WorkspaceId::parse("wsp_01jqxvwkd1n0000000000000a1").unwrap(),
            id: ClientTokenId::parse("ctkn_01jqxvwkd1n0000000000000a1").unwrap(),
            token: TokenText::generate(Environment::Sandbox, &Zeros),
            name: "Shop".to_owned(),
            description: None,
            status: ClientTokenStatus::Active,
            created_at: now(),
            updated_at: now(),
            revoked_at: None,
            restrictions: None,
            revoke_at: None,
            version: 1,
        }
    }

    fn text(token: &ClientToken) -> String {
        Status::of(token, now()).text
    }

    #[test]
    fn a_token_says_what_becomes_of_it() {
        assert_eq!(text(&token()), "active");
        let scheduled = ClientToken {
            revoke_at: Some(now().plus(Duration::from_hours(73))),
            ..token()
        };
        assert_eq!(text(&scheduled), "revokes in 3 days");
        let due = ClientToken {
            revoke_at: Some(now()),
            ..token()
        };
        assert_eq!(text(&due), "revokes now");
        let revoked = ClientToken {
            status: ClientTokenStatus::Revoked,
            ..scheduled
        };
        assert_eq!(text(&revoked), "revoked");
    }

    #[test]
    fn a_token_is_expired_only_when_that_is_enforced() {
        let until = |expires_at, report_only| ClientToken {
            restrictions: Some(Box::new(Restrictions {
                expires_at: Some(expires_at),
                report_only,
                ..Restrictions::default()
            })),
            ..token()
        };
        assert_eq!(text(&until(now(), RestrictionKinds::NONE)), "expired");
        let reported = RestrictionKinds::NONE.with(RestrictionKind::ExpiresAt);
        assert_eq!(text(&until(now(), reported)), "active");
        assert_eq!(
            text(&until(now().plus(Duration::from_secs(1)), RestrictionKinds::NONE)),
            "active"
        );
    }
}
