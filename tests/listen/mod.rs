//! `tollgate listen`: events on a developer's machine, in order, signed, none lost.

mod listener;
mod place;
mod receiver;

use std::path::Path;

use serde_json::{Value, json};
use tollgate_domain::id::{EventId, NotificationSettingId};
use tollgate_domain::notification;

use self::listener::Listener;
use self::receiver::{EXCUSE, Receiver, Request};
use crate::client::Client;
use crate::support::{On, Server, Store, run, tollgate};

/// A server whose address stays when it is started anew, and a developer's server.
struct Desk {
    store: Store,
    key: String,
    server: Server,
    receiver: Receiver,
}

impl Desk {
    fn new(on: On) -> Self {
        let store = Store::fresh(on);
        let key = store.full_key(&store.workspace("sandbox"));
        let server = store.serve(&[]);
        Self {
            store,
            key,
            server,
            receiver: Receiver::start(),
        }
    }

    fn client(&self) -> Client {
        Client::new(&self.server.url, &self.key)
    }

    /// Makes a token; its id.
    fn create(&self, name: &str) -> String {
        let (status, made) = self.client().post("/client-tokens", &json!({ "name": name })).unwrap();
        assert_eq!(status, 201, "{made}");
        made["data"]["id"].as_str().unwrap().to_owned()
    }

    fn dir(&self) -> &Path {
        self.store.scratch()
    }

    fn listen(&self, flags: &[&str]) -> Listener {
        let url = self.receiver.url("/hooks?from=tollgate&x=a%20b");
        Listener::start((&self.server.url, &self.key), &url, self.dir(), flags)
    }

    /// The server on the same address, after it was ended.
    fn start_again(&mut self) {
        let address = self.server.url.strip_prefix("http://").unwrap().to_owned();
        let words = ["serve", "--json", "--listen", &address, "--requests-per-minute", "0"];
        self.server = Server::start(self.store.tollgate(&words));
    }

    /// All events, oldest first.
    fn events(&self) -> Vec<Value> {
        self.client().all("/events?order_by=id[ASC]", "event_id")
    }
}

/// The notification's id that follows from the event and the listener's secret.
fn notification_id(event: &str, secret: &str) -> String {
    let listener = secret.split('_').nth(2).unwrap();
    let listener = NotificationSettingId::from_tail(listener).unwrap();
    notification::id_of(EventId::parse(event).unwrap(), listener).to_string()
}

/// Holds what came against the event of the API.
fn assert_is(request: &Request, event: &Value, secret: &str) {
    request.assert_signed_with(secret);
    let body = request.json();
    for field in ["event_id", "event_type", "occurred_at", "data"] {
        assert_eq!(body[field], event[field], "{field}");
    }
    let id = event["event_id"].as_str().unwrap();
    assert_eq!(body["notification_id"], notification_id(id, secret));
    assert_eq!(body.as_object().unwrap().len(), 5);
    let start = format!("{{\"event_id\":\"{id}\",\"event_type\":");
    assert!(
        request.body.starts_with(start.as_bytes()),
        "in the order of the contract"
    );
}

#[test]
fn events_arrive_in_order_and_signed_and_the_query_is_kept() {
    let desk = Desk::new(On::Sqlite);
    desk.create("Before the first start");
    let before = desk.events().len();
    let mut listener = desk.listen(&[]);
    let (secret, standard) = (listener.secret(), &listener.began["standard_webhooks_secret"]);
    assert!(secret.starts_with("pdl_ntfset_") && standard.as_str().unwrap().starts_with("whsec_"));
    assert_eq!(listener.began["environment"], "sandbox");

    let token = desk.create("One");
    for number in 0..5 {
        desk.create(&format!("{number}"));
    }
    let revoke = run(tollgate(&["token", "revoke", &token])
        .env("TOLLGATE_API_KEY", &desk.key)
        .env("TOLLGATE_API_URL", &desk.server.url));
    revoke.success();
    let events = desk.events().split_off(before);
    assert!(events.len() >= 7);
    for event in &events {
        let request = desk.receiver.next();
        assert_eq!(request.path, "/hooks?from=tollgate&x=a%20b");
        assert_is(&request, event, listener.secret());
        let line = listener.next("event");
        assert_eq!(
            (&line["event_id"], &line["event_type"]),
            (&event["event_id"], &event["event_type"])
        );
        assert_eq!((&line["status"], &line["attempts"]), (&json!(200), &json!(1)));
    }
    let (code, last) = listener.interrupt();
    assert_eq!((code, &last["accepted"]), (Some(0), &json!(events.len())));
    desk.receiver.assert_nothing_more();
}

#[test]
fn kill_9_of_the_server_loses_nothing_on_sqlite() {
    killed(On::Sqlite);
}

#[test]
fn kill_9_of_the_server_loses_nothing_on_postgres() {
    killed(On::Postgres);
}

fn killed(on: On) {
    let mut desk = Desk::new(on);
    let before = desk.events().len();
    let mut listener = desk.listen(&[]);
    let mut came: Vec<String> = Vec::new();
    for round in 0..3 {
        for number in 0..30 {
            desk.create(&format!("{round}-{number}"));
        }
        // Some are on their way, some not yet asked for.
        came.push(desk.receiver.next().event_id());
        desk.server.kill();
        desk.start_again();
    }
    desk.create("The last");
    let sent: Vec<String> = desk.events().split_off(before).iter().map(id_of).collect();
    while came.len() < sent.len() {
        came.push(desk.receiver.next().event_id());
    }
    assert_eq!(came, sent, "none lost, none twice, none out of order");
    let (code, last) = listener.interrupt();
    assert_eq!((code, &last["accepted"]), (Some(0), &json!(sent.len())));
}

fn id_of(event: &Value) -> String {
    event["event_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_lost_server_is_told_once_and_so_is_its_return() {
    let mut desk = Desk::new(On::Sqlite);
    let mut listener = desk.listen(&[]);
    desk.server.kill();
    let lost = listener.next("server_lost");
    assert!(lost["problem"].as_str().unwrap().contains("can't reach"), "{lost}");
    desk.start_again();
    listener.next("server_back");
    desk.create("Afterwards");
    listener.next("event");
    // A key that ends is no reason to try again.
    let id = format!("apikey_{}", desk.key.split('_').nth(3).unwrap());
    let account = desk.client().get("/").unwrap().1["data"]["caller"]["account"]["id"].clone();
    let other = desk.store.full_key(account.as_str().unwrap());
    run(&mut desk.store.tollgate(&["key", "revoke", &id])).success();
    while desk.client().get("/client-tokens").unwrap().0 == 200 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Whatever is being waited for ends with this.
    desk.key = other;
    desk.create("With another key");
    let (code, errors) = listener.ended_by_itself();
    assert_eq!(code, Some(1));
    assert!(errors.starts_with("error: "), "{errors}");
}

#[test]
fn a_receiver_that_is_down_is_waited_for() {
    let mut desk = Desk::new(On::Sqlite);
    let mut listener = desk.listen(&[]);
    let address = desk.receiver.address;
    drop(std::mem::replace(&mut desk.receiver, Receiver::start()));
    desk.create("While it is down");
    desk.create("This too");
    let lost = listener.next("receiver_lost");
    assert!(lost["problem"].as_str().unwrap().contains("refused"), "{lost}");
    desk.receiver = Receiver::start_on(address);
    listener.next("receiver_back");
    let first = listener.next("event");
    assert!(
        first["attempts"].as_u64().unwrap() > 1 && first["status"] == 200,
        "{first}"
    );
    assert_eq!(listener.next("event")["attempts"], 1);
    assert_eq!(desk.receiver.next().json()["data"]["name"], "While it is down");
    assert_eq!(desk.receiver.next().json()["data"]["name"], "This too");
    desk.receiver.assert_nothing_more();
}

#[test]
fn an_event_that_is_stepped_over_can_be_had_again() {
    let mut desk = Desk::new(On::Sqlite);
    let mut listener = desk.listen(&["--retry-for", "0"]);
    let (address, secret) = (desk.receiver.address, listener.secret().to_owned());
    drop(std::mem::replace(&mut desk.receiver, Receiver::start()));
    desk.create("Lost");
    let line = listener.next("event");
    assert_eq!((&line["stepped_over"], &line["status"]), (&json!(true), &Value::Null));
    let (_, last) = listener.interrupt();
    assert_eq!(last["stepped_over"], 1);

    desk.receiver = Receiver::start_on(address);
    let place = line["sequence"].to_string();
    let mut listener = desk.listen(&["--from", &place]);
    let again = listener.next("event");
    assert_eq!((&again["sequence"], &again["status"]), (&line["sequence"], &json!(200)));
    assert_eq!(
        again["notification_id"], line["notification_id"],
        "a repetition is recognisable"
    );
    desk.receiver.next().assert_signed_with(&secret);
}

#[test]
fn a_refusal_is_told_and_not_repeated() {
    let desk = Desk::new(On::Sqlite);
    let mut listener = desk.listen(&[]);
    for status in [400, 500, 302] {
        desk.receiver.answer_with(status);
        desk.create("Refused");
        let line = listener.next("event");
        assert_eq!((&line["status"], &line["problem"]), (&json!(status), &json!(EXCUSE)));
        assert_eq!(line["stepped_over"], false);
        desk.receiver.next();
    }
    desk.receiver.answer_with(204);
    desk.create("Taken");
    assert_eq!(listener.next("event")["status"], 204);
    let (_, last) = listener.interrupt();
    assert_eq!((&last["accepted"], &last["refused"]), (&json!(1), &json!(3)));
}

#[test]
fn only_the_events_that_were_asked_for_are_forwarded() {
    let desk = Desk::new(On::Sqlite);
    let mut listener = desk.listen(&["--event", "*.revoked", "--event", "api_key.created"]);
    desk.create("Not asked for");
    desk.store.key(
        desk.client().get("/").unwrap().1["data"]["caller"]["account"]["id"]
            .as_str()
            .unwrap(),
        &["client_token.read"],
    );
    assert_eq!(listener.next("event")["event_type"], "api_key.created");
    desk.receiver.next();
    desk.receiver.assert_nothing_more();

    let words = [
        "listen",
        "--forward-to",
        "http://localhost:1",
        "--event",
        "client_tokens.*",
    ];
    let error = run(&mut tollgate(&words)).failure(2);
    assert!(
        error.contains("client_tokens.*") && error.contains("client_token.created, "),
        "{error}"
    );
    let error = run(&mut tollgate(&["listen", "--forward-to", "localhost:3000"])).failure(2);
    assert!(error.contains("--forward-to must be"), "{error}");
    let error = run(&mut tollgate(&["listen", "--forward-to", "http://localhost:3000"])).failure(2);
    assert!(error.contains("TOLLGATE_API_KEY"), "{error}");
}

#[test]
fn people_read_a_greeting_and_a_line_for_each_event() {
    let desk = Desk::new(On::Sqlite);
    let url = desk.receiver.url("/");
    let mut command = tollgate(&[
        "listen",
        "--forward-to",
        &url,
        "--from-start",
        "--event",
        "client_token.created",
    ]);
    command
        .env("TOLLGATE_API_KEY", &desk.key)
        .env("TOLLGATE_API_URL", &desk.server.url)
        .current_dir(desk.dir())
        .stdout(std::process::Stdio::piped());
    desk.create("One");
    let child = command.spawn().unwrap();
    desk.receiver.next();
    desk.create("Two");
    desk.receiver.next();
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", "INT", &id]).status();
    assert!(sent.unwrap().success());
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{said}");
    for part in [
        "pdl_ntfset_",
        "whsec_",
        &url,
        "\nclient_token.created  evt_",
        "  200  ",
        " accepted, 0 refused",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    let own = std::fs::read_dir(desk.dir().join(".tollgate")).unwrap();
    let names: Vec<String> = own
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.contains(&".gitignore".to_owned()), "{names:?}");
    assert!(
        names.iter().any(|name| name.starts_with("listen-127.0.0.1-")),
        "{names:?}"
    );
}
