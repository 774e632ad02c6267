//! A running `tollgate listen --json`, whose lines can be awaited.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver as Queue};
use std::time::Instant;

use serde_json::Value;

use super::receiver::PATIENCE;
use crate::support::tollgate;

/// Killed when dropped.
pub(super) struct Listener {
    child: Child,
    lines: Queue<Value>,
    /// What it said at the start.
    pub(super) began: Value,
}

impl Listener {
    /// Forwards to `url` with the state file in `dir`; these flags come on top.
    pub(super) fn start((api, key): (&str, &str), url: &str, dir: &Path, flags: &[&str]) -> Self {
        let state = dir.join("listen.json");
        let words = [
            "listen",
            "--json",
            "--forward-to",
            url,
            "--state",
            state.to_str().unwrap(),
        ];
        let mut command = tollgate(&[&words, flags].concat());
        command.env("TOLLGATE_API_KEY", key).env("TOLLGATE_API_URL", api);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (said, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines() {
                let _ = said.send(serde_json::from_str(&line.unwrap()).unwrap());
            }
        });
        let mut listener = Self {
            child,
            lines,
            began: Value::Null,
        };
        listener.began = listener.next("listening");
        listener
    }

    pub(super) fn secret(&self) -> &str {
        self.began["signing_secret"].as_str().unwrap()
    }

    /// The next line, which must be of this kind.
    pub(super) fn next(&mut self, kind: &str) -> Value {
        let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
            panic!("no line of kind {kind}: {}", self.errors());
        };
        assert_eq!(line["kind"], kind, "{line}");
        line
    }

    /// What it said on standard error; ends it.
    pub(super) fn errors(&mut self) -> String {
        self.kill();
        let mut said = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut said).unwrap();
        }
        said
    }

    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, as Ctrl-C does; its exit code and its last line.
    pub(super) fn interrupt(&mut self) -> (Option<i32>, Value) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", "INT", &id]).status();
        assert!(sent.unwrap().success());
        let last = self.last();
        (self.ended().code(), last)
    }

    /// Waits until it has ended without being asked; its exit code and what it said on standard error.
    pub(super) fn ended_by_itself(&mut self) -> (Option<i32>, String) {
        self.last();
        (self.ended().code(), self.errors())
    }

    /// Its last line, whatever it says before.
    fn last(&self) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("it says that it has stopped");
            if line["kind"] == "stopped" {
                return line;
            }
        }
    }

    /// Waits until it has ended.
    fn ended(&mut self) -> ExitStatus {
        let asked_at = Instant::now();
        while asked_at.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("it goes on");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.kill();
    }
}
