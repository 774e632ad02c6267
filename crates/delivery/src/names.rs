//! From names to addresses, by the machine's resolver or another one.
//!
//! The machine's resolver takes a thread for each look-up, for as long as the name's servers are silent, and can't be
//! stopped. So a name is looked up once at a time, however many attempts wait for it: a destination with silent name
//! servers costs one thread.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::Shared;

/// What a look-up gives: addresses, or why there are none.
pub type Found = Result<Vec<IpAddr>, String>;
type Lookup = Pin<Box<dyn Future<Output = Found> + Send>>;

/// Finds the addresses of names.
#[derive(Clone)]
pub struct Names(Arc<dyn Fn(String) -> Lookup + Send + Sync>);

impl Names {
    /// Asks another resolver than the machine's, each time.
    pub fn new<F: Future<Output = Found> + Send + 'static>(
        look_up: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |name| look_up(name).boxed()))
    }

    pub(crate) async fn find(&self, name: &str) -> Found {
        (self.0)(name.to_owned()).await
    }
}

impl Default for Names {
    /// Asks the machine's resolver.
    fn default() -> Self {
        let under_way = UnderWay::default();
        Self::new(move |name| under_way.clone().join(name))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

/// The machine's look-ups that haven't ended.
#[derive(Clone, Default)]
struct UnderWay(Arc<Mutex<HashMap<String, Shared<Lookup>>>>);

impl UnderWay {
    /// The look-up of this name that is under way, or a new one.
    async fn join(self, name: String) -> Found {
        let lookup = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let this = self.clone();
            all.entry(name.clone()).or_insert_with(|| this.start(name)).clone()
        };
        lookup.await
    }

    /// Goes on although nobody waits any more: its thread does so, too.
    fn start(self, name: String) -> Shared<Lookup> {
        let task = tokio::spawn(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            let addresses = found.map_err(|error| error.to_string())?;
            Ok(addresses.map(|address| address.ip()).collect())
        });
        let lookup = task.map(|ended| ended.unwrap_or_else(|error| Err(error.to_string())));
        lookup.boxed().shared()
    }
}
