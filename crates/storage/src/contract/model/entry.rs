//! The model's passkeys, their ceremonies, and identities.

use std::collections::BTreeMap;

use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::id::{PasskeyId, UserId};
use tollgate_domain::identity::Identity;
use tollgate_domain::passkey::{Ceremony, MOST_PASSKEYS, Passkey};
use tollgate_domain::time::Timestamp;

/// All that is stored of them.
#[derive(Clone, Default)]
pub(super) struct Entry {
    pub(super) passkeys: BTreeMap<PasskeyId, Passkey>,
    pub(super) ceremonies: BTreeMap<[u8; 32], Ceremony>,
    identities: Vec<Identity>,
}

impl Entry {
    /// Whether there was such a ceremony of this person, or of nobody yet.
    pub(super) fn use_up(&mut self, digest: SecretDigest, user: Option<UserId>, now: Timestamp) -> bool {
        let ceremony = self.ceremonies.remove(&digest.0);
        ceremony.is_some_and(|ceremony| ceremony.user == user && now < ceremony.expires_at)
    }

    /// `false` when the credential is taken, or when the person has enough of them.
    pub(super) fn add(&mut self, passkey: Passkey) -> bool {
        let taken = self.by_credential(&passkey.credential).is_some();
        let full = self.passkeys(passkey.user).len() >= MOST_PASSKEYS;
        !taken && !full && self.passkeys.insert(passkey.id, passkey).is_none()
    }

    pub(super) fn of(&mut self, user: UserId, id: PasskeyId) -> Option<&mut Passkey> {
        self.passkeys.get_mut(&id).filter(|passkey| passkey.user == user)
    }

    /// `false` when the passkey is gone, or was used since it was read.
    pub(super) fn note_use(&mut self, read: &Passkey, state: Vec<u8>, now: Timestamp) -> bool {
        let found = self.of(read.user, read.id);
        let Some(passkey) = found.filter(|passkey| passkey.state == read.state) else {
            return false;
        };
        passkey.state = state;
        passkey.last_used_at = passkey.last_used_at.max(Some(now));
        true
    }

    /// `false` when the identity is somebody else's.
    pub(super) fn link(&mut self, identity: Identity) -> bool {
        if let Some(known) = self.identity(&identity.issuer, &identity.subject) {
            return known.user == identity.user;
        }
        self.identities.push(identity);
        true
    }

    pub(super) fn passkeys(&self, user: UserId) -> Vec<Passkey> {
        let all = self.passkeys.values();
        all.filter(|passkey| passkey.user == user).cloned().collect()
    }

    pub(super) fn by_credential(&self, credential: &[u8]) -> Option<&Passkey> {
        let mut all = self.passkeys.values();
        all.find(|passkey| passkey.credential == credential)
    }

    pub(super) fn identity(&self, issuer: &str, subject: &str) -> Option<&Identity> {
        let mut all = self.identities.iter();
        all.find(|identity| identity.issuer == issuer && identity.subject == subject)
    }
}
