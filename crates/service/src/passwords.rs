//! Passwords, hashed with Argon2id. Each hash takes 19 MiB and tens of milliseconds of a processor, on purpose: so they are
//! made beside the runtime's threads, and few at once.

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tollgate_domain::ambient::Entropy;
use tollgate_domain::user::{Password, PasswordHash};

/// 19 MiB, two passes, one lane. Source: OWASP Password Storage Cheat Sheet, Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many are hashed at once; more wait for their turn, so that signing in leaves room for everything else.
const AT_ONCE: usize = 2;
/// Bytes. Source: RFC 9106, 3.1.
const SALT: usize = 16;

/// Where passwords are hashed.
#[derive(Debug)]
pub(crate) struct Passwords(Semaphore);

impl Default for Passwords {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Passwords {
    /// What is stored of a password.
    pub(crate) async fn hash(&self, password: &Password, entropy: &dyn Entropy) -> PasswordHash {
        let (password, salt) = (password.clone(), salt(entropy));
        self.aside(move || hash(password.reveal(), &salt)).await
    }

    /// Whether `presented` is the password of this hash; no password is that of none. Takes as long without a hash as
    /// with one, so that nobody learns who has a password.
    pub(crate) async fn matches(
        &self,
        hashed: Option<PasswordHash>,
        presented: Password,
        entropy: &dyn Entropy,
    ) -> bool {
        let salt = salt(entropy);
        self.aside(move || {
            let presented = presented.reveal();
            if let Some(hashed) = hashed {
                let parsed = Phc::new(hashed.reveal());
                parsed.is_ok_and(|hashed| hasher().verify_password(presented.as_bytes(), &hashed).is_ok())
            } else {
                let _ = hash(presented, &salt);
                false
            }
        })
        .await
    }

    async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _turn = self.0.acquire().await.expect("it is never closed");
        let done = tokio::task::spawn_blocking(work).await;
        done.expect("hashing doesn't panic, and nobody cancels it")
    }
}

fn salt(entropy: &dyn Entropy) -> [u8; SALT] {
    let mut salt = [0; SALT];
    entropy.fill(&mut salt);
    salt
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str, salt: &[u8; SALT]) -> PasswordHash {
    let hashed: Phc = hasher()
        .hash_password_with_salt(password.as_bytes(), salt)
        .expect("the salt and the parameters are within Argon2's limits");
    PasswordHash::from_text(&hashed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::default();
        let password = Password::choose("correct horse battery").expect("long enough");
        let hashed = passwords.hash(&password, &Fixed).await;
        assert!(
            hashed.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "what it cost is part of it: {}",
            hashed.reveal()
        );
        for (presented, expected) in [
            ("correct horse battery", true),
            ("correct horse batterx", false),
            ("", false),
        ] {
            let presented = Password::presented(presented);
            assert_eq!(
                passwords.matches(Some(hashed.clone()), presented, &Fixed).await,
                expected
            );
        }
        assert!(!passwords.matches(None, password.clone(), &Fixed).await);
        let garbage = PasswordHash::from_text("garbage");
        assert!(!passwords.matches(Some(garbage), password, &Fixed).await);
    }
}
