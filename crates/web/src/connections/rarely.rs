//! Waits for what rarely comes beside what often does: looked at when it woke the task, not whenever anything did.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use pin_project_lite::pin_project;

pin_project! {
    /// A future that is polled once, and then when it has woken somebody.
    pub(super) struct Rarely<F> {
        #[pin]
        future: F,
        bell: Option<Arc<Bell>>,
    }
}

impl<F> Rarely<F> {
    pub(super) const fn new(future: F) -> Self {
        Self { future, bell: None }
    }
}

/// Wakes the task and remembers that it did.
struct Bell {
    rang: AtomicBool,
    task: Waker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rang.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

impl<F: Future> Future for Rarely<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let bell = match this.bell {
            // The load alone costs next to nothing. Whoever rings after it wakes the task after it, too.
            Some(bell) if bell.task.will_wake(context.waker()) => {
                if !bell.rang.load(Ordering::Relaxed) || !bell.rang.swap(false, Ordering::Acquire) {
                    return Poll::Pending;
                }
                bell
            }
            // Another task waits for it now.
            bell => bell.insert(Arc::new(Bell {
                rang: AtomicBool::new(false),
                task: context.waker().clone(),
            })),
        };
        let waker = Waker::from(Arc::clone(bell));
        this.future.poll(&mut Context::from_waker(&waker))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn it_is_polled_when_it_rang_and_not_when_something_else_did() {
        let (polls, end, other) = (AtomicUsize::new(0), Notify::new(), Notify::new());
        let notified = end.notified();
        tokio::pin!(notified);
        let counted = poll_fn(|context| {
            polls.fetch_add(1, Ordering::Relaxed);
            notified.as_mut().poll(context)
        });
        let rarely = Rarely::new(counted);
        tokio::pin!(rarely);
        for _ in 0..10 {
            other.notify_one();
            tokio::select! {
                biased;
                () = &mut rarely => panic!("nothing ended"),
                () = other.notified() => {}
            }
        }
        assert_eq!(polls.load(Ordering::Relaxed), 1);
        end.notify_one();
        rarely.await;
        assert_eq!(polls.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn it_wakes_the_task_that_waits_for_it() {
        let mut rarely = Box::pin(Rarely::new(tokio::time::sleep(Duration::from_secs(30))));
        // First polled by one task, then by another.
        let first = tokio::spawn(async move {
            let early = tokio::time::timeout(Duration::from_secs(1), &mut rarely).await;
            (early.is_err(), rarely)
        });
        let (is_pending, rarely) = first.await.expect("it ends");
        assert!(is_pending);
        tokio::spawn(rarely).await.expect("it ends");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_ring_is_lost_between_two_threads() {
        for _ in 0..2_000 {
            let (end, ended) = tokio::sync::oneshot::channel();
            let waits = tokio::spawn(Rarely::new(ended));
            tokio::task::yield_now().await;
            end.send(()).expect("it waits");
            let ended = tokio::time::timeout(Duration::from_secs(10), waits).await;
            ended.expect("in time").expect("it ends").expect("it was sent");
        }
    }
}
