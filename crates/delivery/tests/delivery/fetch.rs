//! Plain requests: whole answers within their bounds, and nothing else.

use hyper::Request;
use tollgate_delivery::{FetchError, Fetcher};

use crate::receiver::{Receiver, Reply};

async fn fetched(receiver: &Receiver) -> Result<u16, FetchError> {
    let request = Request::post(receiver.url("/token")).body(b"code=1".to_vec()).unwrap();
    let answer = Fetcher::new().unwrap().fetch(request).await?;
    Ok(answer.status().as_u16())
}

#[tokio::test]
async fn an_answer_is_had_whatever_its_status() {
    for status in [200, 400, 500] {
        let receiver = Receiver::start(move |_| Reply::status(status)).await;
        assert_eq!(fetched(&receiver).await.unwrap(), status);
        assert_eq!(receiver.received()[0].body, "code=1");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_others() {
    let elsewhere = Receiver::start(|_| Reply::status(200)).await;
    let target = elsewhere.url("/");
    let receiver = Receiver::start(move |_| Reply::with(307, "location", target.clone())).await;
    assert_eq!(fetched(&receiver).await.unwrap(), 307);
    assert_eq!(elsewhere.received().len(), 0);
}

#[tokio::test]
async fn an_endless_answer_is_left() {
    let receiver = Receiver::start(|_| Reply::Endless).await;
    assert!(matches!(fetched(&receiver).await, Err(FetchError::TooLarge)));
}

#[tokio::test]
async fn silence_ends_after_ten_seconds() {
    let receiver = Receiver::start(|_| Reply::Never).await;
    assert!(matches!(fetched(&receiver).await, Err(FetchError::TooSlow)));
}

#[tokio::test]
async fn secrets_are_not_sent_in_clear_text_over_a_network() {
    let request = Request::post("http://id.example/token").body(Vec::new()).unwrap();
    let answer = Fetcher::new().unwrap().fetch(request).await;
    assert!(matches!(answer, Err(FetchError::Insecure(_))), "{answer:?}");
}
