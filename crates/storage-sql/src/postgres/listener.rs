//! Hears of other nodes' commits: one connection that listens, and asks for the head when it is told of a new place, at
//! the latest after [`EVERY`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_postgres::Notification;
use tracing::{info, warn};

use super::connect::Connector;
use super::failure::Failure;
use super::pulse::Bell;
use super::reads::HEAD;
use super::rows;

/// The channel; the payload is the head, a blank, and the schema it is of; behind these [`AGAIN`] when a commit had no event,
/// and so the head is the old one.
pub(super) const CHANNEL: &str = "tollgate_sequence";

/// As the statement that tells writes it.
const AGAIN: &str = " again";

/// How long it may be silent before we ask.
const EVERY: Duration = Duration::from_millis(500);
/// How long an answer may take before the connection counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Listens until `stop` says so or is dropped.
pub(super) async fn run(connector: Connector, schema: String, bell: Bell, mut stop: watch::Receiver<bool>) {
    let mut pause = FIRST_PAUSE;
    let mut lost = false;
    loop {
        let mut has_answered = false;
        let failure = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            failure = follow(&connector, &schema, &bell, |_| {
                if lost && !has_answered {
                    info!("listening to PostgreSQL again");
                }
                has_answered = true;
            }) => failure,
        };
        warn!(error = %failure, "not hearing from PostgreSQL, connecting again");
        lost = true;
        pause = if has_answered {
            FIRST_PAUSE
        } else {
            LONGEST_PAUSE.min(pause * 2)
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(pause) => {}
        }
    }
}

/// Follows the sequence over one connection, as long as it answers.
async fn follow(connector: &Connector, schema: &str, bell: &Bell, mut answered: impl FnMut(u64)) -> Failure {
    let news = Arc::new(Notify::new());
    let on_notification = {
        let (news, schema, bell) = (Arc::clone(&news), schema.to_owned(), bell.clone());
        move |notification: &Notification| {
            // Our own commits have been told by the writer; those of another schema are none of ours.
            match told(notification.payload(), &schema) {
                Some(Told::Head(head)) if !bell.has_told(head) => news.notify_one(),
                Some(Told::Again) => bell.again(),
                Some(Told::Head(_)) | None => {}
            }
        }
    };
    let failure: Result<(), Failure> = async {
        let connecting = timeout(PATIENCE, connector.connect_hearing(on_notification)).await;
        let (client, _driver) = connecting.map_err(|_| Failure::Plain("no connection in time"))??;
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        let head = client.prepare(HEAD).await?;
        loop {
            let asked_at = Instant::now();
            let row = timeout(PATIENCE, client.query_one(&head, &[]))
                .await
                .map_err(|_| Failure::Plain("no answer in time"))??;
            let head = rows::head(&row).map_err(|_| Failure::Plain("the head of the sequence can't be read"))?;
            bell.heard(head, asked_at);
            answered(head);
            let _ = timeout(EVERY, news.notified()).await;
        }
    }
    .await;
    failure.err().unwrap_or(Failure::Plain("stopped listening"))
}

/// What a notification says.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Head(u64),
    /// Something was committed, but no event.
    Again,
}

/// `None` when it is of another schema.
fn told(payload: &str, schema: &str) -> Option<Told> {
    let (head, of) = payload.split_once(' ')?;
    if of == schema {
        return head.parse().ok().map(Told::Head);
    }
    (of.strip_suffix(AGAIN) == Some(schema)).then_some(Told::Again)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_of_our_schema_is_heard() {
        assert_eq!(told("12 tollgate", "tollgate"), Some(Told::Head(12)));
        assert_eq!(told("12 tollgate again", "tollgate"), Some(Told::Again));
        assert_eq!(told("12 another", "tollgate"), None);
        assert_eq!(told("12 another again", "tollgate"), None);
        assert_eq!(told("12", "tollgate"), None);
        assert_eq!(told("twelve tollgate", "tollgate"), None);
    }
}
