//! Where a listener goes on, and what it keeps for that.

use super::Desk;
use crate::support::{On, run, tollgate};

#[test]
fn starting_again_goes_on_where_it_ended_with_the_same_secret() {
    let desk = Desk::new(On::Sqlite);
    desk.create("Before the first start");
    let mut first = desk.listen(&[]);
    let secret = first.secret().to_owned();
    desk.create("One");
    let one = first.next("event");
    desk.receiver.next();

    let state = desk.dir().join("listen.json");
    let words = [
        "listen",
        "--forward-to",
        "http://localhost:1",
        "--state",
        state.to_str().unwrap(),
    ];
    let error = run(tollgate(&words)
        .env("TOLLGATE_API_KEY", &desk.key)
        .env("TOLLGATE_API_URL", &desk.server.url))
    .failure(1);
    assert!(error.contains("another `tollgate listen`"), "{error}");
    first.kill();

    desk.create("Two, meanwhile");
    let mut second = desk.listen(&[]);
    assert_eq!(
        (second.secret(), &second.began["sequence"]),
        (secret.as_str(), &one["sequence"])
    );
    second.next("event");
    let request = desk.receiver.next();
    assert_eq!(request.json()["data"]["name"], "Two, meanwhile");
    request.assert_signed_with(&secret);
    second.kill();

    desk.create("Three, not wanted");
    let mut fresh = desk.listen(&["--fresh"]);
    assert_eq!(fresh.secret(), secret);
    desk.create("Four");
    fresh.next("event");
    assert_eq!(desk.receiver.next().json()["data"]["name"], "Four");
    fresh.kill();

    let mut all = desk.listen(&["--from-start"]);
    for event in desk.events() {
        assert_eq!(all.next("event")["event_id"], event["event_id"]);
    }
    run(&mut tollgate(&[
        "listen",
        "--forward-to",
        "http://a",
        "--fresh",
        "--from",
        "1",
    ]))
    .failure(2);
}

#[test]
fn a_server_whose_data_was_put_back_is_noticed() {
    let mut desk = Desk::new(On::Sqlite);
    let (data, backup) = (desk.dir().join("data"), desk.dir().join("backup"));
    desk.server.signal("TERM");
    desk.server.ended();
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&data, &backup])
        .status();
    assert!(copied.unwrap().success());
    desk.start_again();
    let mut listener = desk.listen(&[]);
    for name in ["One", "Two"] {
        desk.create(name);
        listener.next("event");
        desk.receiver.next();
    }
    listener.kill();
    desk.server.kill();
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&backup, &data).unwrap();
    desk.start_again();

    let mut listener = desk.listen(&[]);
    let reset = listener.next("sequence_reset");
    assert!(reset["to"].as_u64() < reset["from"].as_u64(), "{reset}");
    desk.create("In the store that was put back");
    listener.next("event");
    assert_eq!(
        desk.receiver.next().json()["data"]["name"],
        "In the store that was put back"
    );
}
