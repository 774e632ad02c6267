//! What a handler leaves unread of a request's body is read before the answer goes out.
//!
//! A request can be refused before its body has arrived, since many clients send head and body apart. Were the answer
//! sent then, the connection would have to be closed, and a client that has taken the answer and sends its next
//! request on the same connection would find it gone. So small bodies are waited for, shortly.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{Version, header};
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;

use crate::extract::body::LARGEST;

/// How long the rest of a body may take; then the connection ends after all.
const PATIENCE: Duration = Duration::from_secs(1);

/// A body that is lent to the handler, and what is left of it afterwards.
pub(crate) struct Rest(Arc<Mutex<Body>>);

/// The handler's end.
struct Lent(Arc<Mutex<Body>>);

/// Keeps hold of the request's body, when there is one whose rest would end the connection.
pub(crate) fn keep(request: &mut Request) -> Option<Rest> {
    let has_connection_of_its_own = request.version() < Version::HTTP_2;
    // Who asks for leave to send a body is refused without one.
    let asks_for_leave = request.headers().contains_key(header::EXPECT);
    let too_large = request.body().size_hint().lower() > LARGEST as u64;
    if request.body().is_end_stream() || !has_connection_of_its_own || asks_for_leave || too_large {
        return None;
    }
    let shared = Arc::new(Mutex::new(std::mem::take(request.body_mut())));
    *request.body_mut() = Body::new(Lent(Arc::clone(&shared)));
    Some(Rest(shared))
}

impl Rest {
    /// Reads and throws away what is left, within bounds.
    pub(crate) async fn read(self) {
        let read = async {
            let mut room = LARGEST;
            while let Some(Ok(frame)) = std::future::poll_fn(|context| self.poll(context)).await {
                match room.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                    Some(less) => room = less,
                    None => return,
                }
            }
        };
        // Whoever takes longer is answered now, and loses the connection.
        let _ = tokio::time::timeout(PATIENCE, read).await;
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock();
        if body.is_end_stream() {
            Poll::Ready(None)
        } else {
            Pin::new(&mut *body).poll_frame(context)
        }
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.0.lock()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().size_hint()
    }
}
