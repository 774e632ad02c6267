//! `tollgate explain-signature`, by its words; each check has tests of its own beside the code.

use std::io::Write;
use std::process::{Command, Stdio};

use tollgate_domain::signature::EndpointSecret;

use crate::support::{run, tollgate};

const SECRET: &str = "pdl_ntfset_01khxpvseb2c6yh7kamebc4fdp_5Anr1xdJQw7KwV0bHDMuoky6yvUNfjDI";
const BODY: &str = r#"{"event_id":"evt_01kk9qj3e303apn41qrp5t6kps","data":{"name":"One"}}"#;
const SECONDS: u64 = 1_773_074_452;

struct Case {
    dir: tempfile::TempDir,
    header: String,
}

impl Case {
    fn new(body: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("body.json"), body).unwrap();
        let header = EndpointSecret::from_text(SECRET).paddle_signature(SECONDS, BODY.as_bytes());
        Self { dir, header }
    }

    fn explain(&self, flags: &[&str]) -> Command {
        let words = [
            "explain-signature",
            "--header",
            &self.header,
            "--body-file",
            "body.json",
        ];
        let mut command = tollgate(&[&words, flags].concat());
        command.current_dir(self.dir.path());
        command
    }
}

#[test]
fn a_good_signature_is_exit_code_0_wherever_the_secret_is_from() {
    let case = Case::new(BODY);
    std::fs::write(case.dir.path().join("secret"), format!("{SECRET}\n")).unwrap();
    let at = ["--at", "2026-03-09T16:40:54Z"];
    let said = run(&mut case.explain(&[&at[..], &["--secret", SECRET]].concat())).success();
    assert!(
        said.ends_with("The signature is good.") && said.contains("2 s before the time given"),
        "{said}"
    );
    run(&mut case.explain(&[&at[..], &["--secret-file", "secret"]].concat())).success();
    let json = run(case
        .explain(&["--at", "1773074452", "--json"])
        .env("TOLLGATE_ENDPOINT_SECRET", SECRET))
    .json();
    assert_eq!(json["good"], true);

    let words = [
        "explain-signature",
        "--header",
        &case.header,
        "--body-file",
        "-",
        "--at",
        "1773074452",
    ];
    let mut child = tollgate(&words)
        .env("TOLLGATE_ENDPOINT_SECRET", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(BODY.as_bytes()).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn each_failing_check_is_exit_code_1_and_told() {
    let good = Case::new(BODY);
    let anew = Case::new(&BODY.replace(':', ": "));
    let mut malformed = Case::new(BODY);
    malformed.header = malformed.header.replace(';', "; ");
    let other = SECRET.replace("fdp", "fdq");
    for (case, secret, at, check, words) in [
        (
            &good,
            other.as_str(),
            "1773074452",
            "signature",
            "nor over another form",
        ),
        (&good, &SECRET[4..], "1773074452", "secret", "pdl_, is missing"),
        (&anew, SECRET, "1773074452", "body", "parsed and written anew"),
        (&malformed, SECRET, "1773074452", "header", "has a blank in it"),
        (&good, SECRET, "1773078052", "age", "3600 s before the time given"),
    ] {
        let mut command = case.explain(&["--at", at]);
        let done = run(command.env("TOLLGATE_ENDPOINT_SECRET", secret));
        assert_eq!((done.code, done.err.as_str()), (Some(1), ""), "{done:?}");
        let line = done.out.lines().find(|line| line.contains("WRONG")).unwrap();
        assert!(line.starts_with(check) && line.contains(words), "{done:?}");
        assert!(done.out.ends_with("The signature is not good.\n"), "{done:?}");
        assert!(!done.out.contains("5Anr1"), "no secret is shown: {done:?}");
    }
}

#[test]
fn words_that_make_no_sense_are_exit_code_2() {
    let case = Case::new(BODY);
    let error = run(&mut case.explain(&[])).failure(2);
    assert!(
        error.contains("TOLLGATE_ENDPOINT_SECRET") && error.contains("--secret-file"),
        "{error}"
    );
    run(&mut case.explain(&["--secret", SECRET, "--secret-file", "secret"])).failure(2);
    run(&mut case.explain(&["--secret", SECRET, "--at", "yesterday"])).failure(2);
    let words = [
        "explain-signature",
        "--secret",
        SECRET,
        "--header",
        "x",
        "--body-file",
        "nowhere",
    ];
    let error = run(&mut tollgate(&words)).failure(1);
    assert!(error.contains("can't read nowhere"), "{error}");
}
