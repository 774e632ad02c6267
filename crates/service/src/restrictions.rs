//! What is to change of a token's restrictions.

use tollgate_domain::network::IpNet;
use tollgate_domain::origin::OriginPattern;
use tollgate_domain::restriction::{RateLimit, RestrictionKind, RestrictionKinds, Restrictions, Scope};
use tollgate_domain::time::Timestamp;

/// Field by field: what is absent stays, `Some(None)` takes the restriction away. Lists have at least one entry, and as
/// many as [`tollgate_domain::restriction`] allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestrictionsPatch {
    pub allowed_origins: Option<Option<Vec<OriginPattern>>>,
    pub allowed_networks: Option<Option<Vec<IpNet>>>,
    pub scopes: Option<Option<Vec<Scope>>>,
    pub expires_at: Option<Option<Timestamp>>,
    pub rate_limit: Option<Option<RateLimit>>,
    /// As a whole. When absent, what is taken away is no longer reported either, and the rest stays as it is.
    pub report_only: Option<RestrictionKinds>,
}

/// This can't only be reported: it isn't restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} isn't restricted: set it, or leave it out of report_only", name = .0.name())]
pub struct NotRestricted(pub RestrictionKind);

impl RestrictionsPatch {
    /// Takes all of them away.
    pub fn clearing() -> Self {
        Self {
            allowed_origins: Some(None),
            allowed_networks: Some(None),
            scopes: Some(None),
            expires_at: Some(None),
            rate_limit: Some(None),
            report_only: Some(RestrictionKinds::NONE),
        }
    }

    /// The restrictions after it; `None` when none are left.
    pub(crate) fn applied_to(&self, from: Option<&Restrictions>) -> Result<Option<Box<Restrictions>>, NotRestricted> {
        let mut to = from.cloned().unwrap_or_default();
        change(&mut to.allowed_origins, self.allowed_origins.as_ref());
        change(&mut to.allowed_networks, self.allowed_networks.as_ref());
        change(&mut to.scopes, self.scopes.as_ref());
        change(&mut to.expires_at, self.expires_at.as_ref());
        change(&mut to.rate_limit, self.rate_limit.as_ref());
        let restricted = to.kinds();
        to.report_only = match self.report_only {
            Some(report_only) => match report_only.iter().find(|kind| !restricted.contains(*kind)) {
                Some(unrestricted) => return Err(NotRestricted(unrestricted)),
                None => report_only,
            },
            None => to
                .report_only
                .iter()
                .filter(|kind| restricted.contains(*kind))
                .collect(),
        };
        Ok((!to.is_empty()).then(|| Box::new(to)))
    }
}

fn change<T: Clone>(stored: &mut Option<T>, patch: Option<&Option<T>>) {
    if let Some(new) = patch {
        stored.clone_from(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(name: &str) -> Vec<Scope> {
        vec![Scope::parse(name).unwrap()]
    }

    fn kinds(kinds: &[RestrictionKind]) -> RestrictionKinds {
        kinds.iter().copied().collect()
    }

    /// Scopes that are only reported, and an expiry.
    fn stored() -> Restrictions {
        Restrictions {
            scopes: Some(scopes("read")),
            expires_at: Some(Timestamp::LAST),
            report_only: kinds(&[RestrictionKind::Scopes]),
            ..Restrictions::default()
        }
    }

    #[test]
    fn what_is_absent_stays_and_null_takes_away() {
        let patch = RestrictionsPatch {
            scopes: Some(Some(scopes("write"))),
            expires_at: Some(None),
            ..RestrictionsPatch::default()
        };
        let expected = Restrictions {
            scopes: Some(scopes("write")),
            expires_at: None,
            ..stored()
        };
        assert_eq!(patch.applied_to(Some(&stored())), Ok(Some(Box::new(expected))));
        let nothing = RestrictionsPatch::default();
        assert_eq!(nothing.applied_to(Some(&stored())), Ok(Some(Box::new(stored()))));
        assert_eq!(nothing.applied_to(None), Ok(None));
    }

    #[test]
    fn what_is_taken_away_is_no_longer_reported() {
        let patch = RestrictionsPatch {
            scopes: Some(None),
            ..RestrictionsPatch::default()
        };
        let left = patch.applied_to(Some(&stored())).unwrap().unwrap();
        assert_eq!(left.kinds(), kinds(&[RestrictionKind::ExpiresAt]));
        assert_eq!(left.report_only, RestrictionKinds::NONE);
    }

    #[test]
    fn report_only_is_replaced_as_a_whole_and_names_what_is_restricted() {
        let reporting = |named: &[RestrictionKind]| RestrictionsPatch {
            report_only: Some(kinds(named)),
            ..RestrictionsPatch::default()
        };
        let expiry = reporting(&[RestrictionKind::ExpiresAt]).applied_to(Some(&stored()));
        assert_eq!(
            expiry.unwrap().unwrap().report_only,
            kinds(&[RestrictionKind::ExpiresAt])
        );
        let enforced = reporting(&[]).applied_to(Some(&stored()));
        assert_eq!(enforced.unwrap().unwrap().report_only, RestrictionKinds::NONE);
        assert_eq!(
            reporting(&[RestrictionKind::Scopes, RestrictionKind::RateLimit]).applied_to(Some(&stored())),
            Err(NotRestricted(RestrictionKind::RateLimit))
        );
        assert_eq!(
            reporting(&[RestrictionKind::Scopes]).applied_to(None),
            Err(NotRestricted(RestrictionKind::Scopes))
        );
    }

    #[test]
    fn clearing_leaves_none() {
        assert_eq!(RestrictionsPatch::clearing().applied_to(Some(&stored())), Ok(None));
    }
}
