//! SIGTERM and SIGINT: the first asks to stop, the second doesn't wait.

use std::process::exit;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancelled when the program is asked to stop.
pub(crate) fn stop_requested() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        let mut either = async || {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        };
        either().await;
        tracing::info!("stopping: requests in flight are finished first; ask again to stop at once");
        stopping.cancel();
        either().await;
        tracing::warn!("stopped at once; what was acknowledged is stored");
        exit(1);
    });
    Ok(stop)
}
