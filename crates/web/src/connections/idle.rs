//! Notices a connection on which no request comes, however slowly its bytes do, for two additions a request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::service::Service;
use pin_project_lite::pin_project;
use tokio::time::{MissedTickBehavior, interval};

/// How often a connection is looked at. Whatever it waits for has this long at least, and twice as long at most.
const LOOK: Duration = Duration::from_secs(30);

/// A service that knows whether it is at work.
pub(super) struct Busy<S> {
    service: S,
    requests: Arc<Requests>,
}

/// Requests of a connection.
#[derive(Default)]
pub(super) struct Requests {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Requests {
    /// One came and was answered at once.
    pub(super) fn answered(&self) {
        // Without a locked addition: who answers at once is alone on the connection.
        for count in [&self.begun, &self.ended] {
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }
}

/// Tells when nothing has come for too long.
pub(super) struct Idle(Arc<Requests>);

impl<S> Busy<S> {
    pub(super) fn new(service: S) -> Self {
        Self {
            service,
            requests: Arc::default(),
        }
    }

    pub(super) fn idle(&self) -> Idle {
        Idle(Arc::clone(&self.requests))
    }

    pub(super) fn requests(&self) -> Arc<Requests> {
        Arc::clone(&self.requests)
    }
}

impl Idle {
    /// Ends when between two looks no request was at work and none came.
    pub(super) async fn for_too_long(self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks.tick().await; // the first is at once
        let mut before = None;
        loop {
            let ended = self.0.ended.load(Ordering::Relaxed);
            let begun = self.0.begun.load(Ordering::Relaxed);
            let at_rest = (begun == ended).then_some(begun);
            if at_rest.is_some() && at_rest == before {
                return;
            }
            before = at_rest;
            looks.tick().await;
        }
    }
}

impl<S: Service<R>, R> Service<R> for Busy<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Counted<S::Future>;

    fn call(&self, request: R) -> Self::Future {
        self.requests.begun.fetch_add(1, Ordering::Relaxed);
        Counted {
            ends: Ends(Arc::clone(&self.requests)),
            answer: self.service.call(request),
        }
    }
}

/// Counts when it is over, or given up.
struct Ends(Arc<Requests>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

pin_project! {
    /// A request at work.
    pub(super) struct Counted<F> {
        ends: Ends,
        #[pin]
        answer: F,
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().answer.poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, pending, ready};

    use futures_util::future::Either;

    use super::*;

    /// Answers `false` at once, and `true` never.
    struct Sometimes;

    impl Service<bool> for Sometimes {
        type Response = ();
        type Error = Infallible;
        type Future = Either<Ready<Result<(), Infallible>>, std::future::Pending<Result<(), Infallible>>>;

        fn call(&self, never: bool) -> Self::Future {
            if never {
                Either::Right(pending())
            } else {
                Either::Left(ready(Ok(())))
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_requests_is_idle_after_30_seconds_and_not_before() {
        let busy = Busy::new(Sometimes);
        let began = tokio::time::Instant::now();
        busy.idle().for_too_long().await;
        assert_eq!(began.elapsed(), LOOK);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_now_and_then_keeps_it() {
        let busy = Busy::new(Sometimes);
        let idle = busy.idle().for_too_long();
        tokio::pin!(idle);
        for _ in 0..10 {
            let wait = tokio::time::sleep(Duration::from_secs(29));
            tokio::select! {
                () = &mut idle => panic!("a request came in time"),
                () = wait => {}
            }
            busy.call(false).await.expect("it answers");
        }
        let last = tokio::time::Instant::now();
        idle.await;
        assert!((LOOK..=2 * LOOK).contains(&last.elapsed()), "{:?}", last.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_at_work_keeps_it_however_long_it_takes() {
        let busy = Busy::new(Sometimes);
        let at_work = busy.call(true);
        let idle = busy.idle().for_too_long();
        tokio::pin!(idle);
        tokio::select! {
            () = &mut idle => panic!("a request is at work"),
            () = tokio::time::sleep(LOOK * 10) => {}
        }
        drop(at_work); // given up
        idle.await;
    }
}
