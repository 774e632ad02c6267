//! Email destinations, with a real mail server.

use serde_json::json;

use super::script::Script;
use super::{Stage, destination, text};
use crate::support::{On, Store, run};

#[test]
fn an_email_destination_gets_mail() {
    let server = Script::python("mail_server.py");
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let stage = Stage::start(
        On::Sqlite,
        &["--smtp-url", &url, "--smtp-from", "Tollgate <tollgate@shop.example>"],
    );
    let setting = destination(&stage.api, "email", "ops@shop.example").unwrap();
    assert_eq!((&setting["type"], &setting["active"]), (&json!("email"), &json!(true)));
    let token = stage.token("Mail & more: ünïcode");
    let mail = server.next();
    println!("{mail:#}");
    assert_eq!(mail["envelope_from"], "tollgate@shop.example");
    assert_eq!(mail["envelope_to"], json!(["ops@shop.example"]));
    assert_eq!(mail["from"], "Tollgate <tollgate@shop.example>");
    assert_eq!(mail["to"], "ops@shop.example");
    assert_eq!(
        mail["subject"],
        format!("client_token.created ({})", text(&token["id"]))
    );
    assert_eq!((&mail["type"], &mail["has_date"]), (&json!("text/plain"), &json!(true)));

    let notification = settled(&stage, 1);
    assert_eq!(notification["status"], "delivered");
    let body = text(&mail["text"]);
    for word in [
        text(&notification["id"]),
        text(&notification["payload"]["event_id"]),
        "Mail & more: ünïcode",
    ] {
        assert!(body.contains(word), "{word} in {body}");
    }
    let log = stage.got(&format!("/notifications/{}/logs", text(&notification["id"])));
    assert_eq!(log[0]["response_code"], 250);
    assert!(text(&log[0]["response_body"]).contains("Taken as mail 1"), "{log}");
}

#[test]
fn mail_that_is_refused_is_told_in_the_log() {
    let server = Script::python("mail_server.py");
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let stage = Stage::start(
        On::Sqlite,
        &["--smtp-url", &url, "--smtp-from", "tollgate@shop.example"],
    );
    destination(&stage.api, "email", "nobody@shop.example").unwrap();
    stage.token("Refused");
    let notification = settled(&stage, 1);
    assert_eq!(notification["status"], "needs_retry");
    let path = format!("/notifications/{}/logs", text(&notification["id"]));
    assert_eq!(stage.got(&path)[0]["response_code"], 0);
    let ours = stage.got(&format!("/tollgate{path}"));
    assert!(text(&ours[0]["problem"]).contains("No such mailbox"), "{ours}");
}

#[test]
fn without_a_mail_server_an_email_destination_is_refused() {
    let stage = Stage::start(On::Sqlite, &[]);
    let error = destination(&stage.api, "email", "ops@shop.example").unwrap_err();
    println!("{error:#}");
    assert_eq!(error["type"], "request_error");
    assert!(
        error.to_string().contains("smtp_url"),
        "it says what to configure: {error}"
    );
}

#[test]
fn links_for_people_are_mailed_and_no_name_does_harm() {
    let server = Script::python("mail_server.py");
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let store = Store::fresh(On::Sqlite);
    let name = format!("\u{202e}<script>\"><img src=x>{}", "🔑".repeat(100));
    let made = run(&mut store.tollgate(&[
        "workspace",
        "create",
        "--name",
        &name,
        "--environment",
        "sandbox",
        "--json",
    ]));
    let workspace = text(&made.json()["id"]).to_owned();
    let invite = |email: &str, more: &[&str]| {
        let words = [
            "user",
            "invite",
            "--workspace",
            &workspace,
            "--role",
            "admin",
            "--email",
            email,
        ];
        run(&mut store.tollgate(&[&words, more].concat()))
    };
    let sent = [
        "--mail",
        "--public-url",
        "https://tollgate.example/",
        "--smtp-url",
        &url,
        "--smtp-from",
        "Tollgate <tollgate@shop.example>",
    ];
    let invited = invite("ada@shop.example", &sent);
    assert!(invited.err.contains("It was mailed to ada@shop.example"), "{invited:?}");
    let path = invited.success();
    let mail = server.next();
    println!("{mail:#}");
    assert_eq!(
        (&mail["to"], &mail["type"]),
        (&json!("ada@shop.example"), &json!("text/plain"))
    );
    assert_eq!(mail["subject"], "You are invited to a workspace on Tollgate");
    let lines: Vec<&str> = text(&mail["text"]).lines().collect();
    let shown = format!("    {}", name.trim_start_matches('\u{202e}'));
    assert!(lines.contains(&shown.as_str()), "{lines:?}");
    let link = format!("https://tollgate.example{}", path.trim());
    assert!(lines.contains(&link.as_str()), "{lines:?}");

    // The link that was shown is as good.
    let refused = invite("nobody@shop.example", &sent);
    assert!(refused.err.contains("could not be mailed"), "{refused:?}");
    assert!(refused.success().starts_with("/dashboard/invitation/"));
    // Nothing is made that can't be mailed.
    let error = invite(
        "bob@shop.example",
        &["--mail", "--public-url", "https://tollgate.example"],
    )
    .failure(2);
    assert!(error.contains("--smtp-url"), "{error}");
}

/// The one notification, once it was attempted so often.
fn settled(stage: &Stage, times: u64) -> serde_json::Value {
    loop {
        let all = stage.got("/notifications");
        if all[0]["times_attempted"].as_u64() >= Some(times) {
            return all[0].clone();
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
