//! From names to addresses, by the machine's resolver or another one.
//!
//! The machine's resolver takes a thread for each look-up, for as long as the name's servers are silent, and can't be
//! stopped. So a name is looked up once at a time, however many attempts wait for it: a destination with silent name
//! servers costs one thread.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::Shared;

/// What a look-up gives: addresses, or why there are none.
pub type Found = Result<Vec<IpAddr>, String>;
type Lookup = Pin<Box<dyn Future<Output = Found> + Send>>;

/// Finds the addresses of names. Cheap to clone.
#[derive(Clone)]
pub struct Names {
    look_up: Arc<dyn Fn(String) -> Lookup + Send + Sync>,
    /// Look-ups that haven't ended.
    under_way: Arc<Mutex<HashMap<String, Shared<Lookup>>>>,
}

impl Names {
    /// Asks another resolver than the machine's.
    pub fn new<F: Future<Output = Found> + Send + 'static>(
        look_up: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            look_up: Arc::new(move |name| look_up(name).boxed()),
            under_way: Arc::default(),
        }
    }

    /// Joins the look-up of this name that is under way, or begins one.
    pub(crate) async fn find(&self, name: &str) -> Found {
        let lookup = {
            let mut under_way = self.lock();
            let begin = || self.clone().begin(name.to_owned());
            under_way.entry(name.to_owned()).or_insert_with(begin).clone()
        };
        lookup.await
    }

    /// Goes on although nobody waits any more: its thread does so, too.
    fn begin(self, name: String) -> Shared<Lookup> {
        let task = tokio::spawn(async move {
            let found = (self.look_up)(name.clone()).await;
            self.lock().remove(&name);
            found
        });
        let lookup = task.map(|ended| ended.unwrap_or_else(|error| Err(error.to_string())));
        lookup.boxed().shared()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Shared<Lookup>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Names {
    /// Asks the machine's resolver.
    fn default() -> Self {
        Self::new(|name| async move {
            let found = tokio::net::lookup_host((name, 0)).await;
            let addresses = found.map_err(|error| error.to_string())?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn a_name_is_looked_up_once_at_a_time() {
        let (asked, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let names = Names::new({
            let (asked, answered) = (Arc::clone(&asked), Arc::clone(&answered));
            move |name| {
                let (asked, answered) = (Arc::clone(&asked), Arc::clone(&answered));
                async move {
                    asked.fetch_add(1, Ordering::SeqCst);
                    answered.acquire().await.expect("it stays open").forget();
                    Err(name)
                }
            }
        });
        // Who gives up doesn't end it for the others.
        let gave_up = names.find("a.example");
        assert_eq!(gave_up.now_or_never(), None);
        let both = async { tokio::join!(names.find("a.example"), names.find("a.example")) };
        answered.add_permits(1);
        assert_eq!(both.await, (Err("a.example".to_owned()), Err("a.example".to_owned())));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        answered.add_permits(1);
        assert_eq!(names.find("a.example").await, Err("a.example".to_owned()));
        assert_eq!(asked.load(Ordering::SeqCst), 2, "nothing is remembered");
        assert!(names.lock().is_empty());
    }
}
