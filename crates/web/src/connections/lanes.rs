//! Threads on which connections begin, and checks stay: each sees its own connections' requests come and answers them itself.
//! So a check waits for no other work of the server's, and wakes no other thread, which would cost more than its answer.
//!
//! They are half as many as the runtime has workers, at least one: a thread answers about 200,000 checks a second, and
//! the network's part of the work, other requests, and whoever asks, if it is a proxy on this machine, need processors too.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Runtimes of one thread each, which end when this is dropped, with whatever runs on them.
pub(super) struct Lanes {
    all: Vec<Handle>,
    next: usize,
    _end: DropGuard,
}

impl Lanes {
    /// As many as become the runtime that this is called on.
    pub(super) fn start() -> io::Result<Self> {
        let count = (Handle::current().metrics().num_workers() / 2).max(1);
        let end = CancellationToken::new();
        Ok(Self {
            all: (0..count).map(|_| start(end.clone())).collect::<io::Result<_>>()?,
            next: 0,
            _end: end.drop_guard(),
        })
    }

    /// Each in turn.
    pub(super) fn next(&mut self) -> &Handle {
        self.next = (self.next + 1) % self.all.len();
        &self.all[self.next]
    }
}

fn start(end: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("checks".to_owned())
        .spawn(move || runtime.block_on(end.cancelled()))?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 5)]
    async fn half_as_many_as_workers_take_turns() {
        let mut lanes = Lanes::start().unwrap();
        let mut threads = Vec::new();
        for _ in 0..4 {
            let thread = lanes.next().spawn(async { thread::current().id() });
            threads.push(thread.await.unwrap());
        }
        assert_ne!(threads[0], threads[1]);
        assert_eq!(threads[..2], threads[2..]);
    }

    #[tokio::test]
    async fn there_is_one_for_a_single_worker_and_it_ends_with_what_runs_on_it() {
        let mut lanes = Lanes::start().unwrap();
        let (held, dropped) = oneshot::channel::<()>();
        let (begins, begun) = oneshot::channel();
        lanes.next().spawn(async move {
            begins.send(()).expect("somebody waits");
            pending::<()>().await;
            drop(held);
        });
        begun.await.expect("it runs");
        drop(lanes);
        dropped.await.expect_err("what ran is gone");
    }
}
