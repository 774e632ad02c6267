//! A receiver in another language, whose lines can be awaited.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver as Queue};
use std::time::Duration;

use serde_json::Value;

use crate::sdk::prepared;
use crate::support::repository;

const PATIENCE: Duration = Duration::from_secs(20);

/// Ends when dropped.
pub(super) struct Script {
    child: Child,
    input: ChildStdin,
    lines: Queue<Value>,
    pub(super) port: u64,
}

impl Script {
    /// In `tests/sdk/node`.
    pub(super) fn node(file: &str) -> Self {
        let mut command = Command::new("node");
        command.arg(repository().join("tests/sdk/node").join(file));
        command.env("TOLLGATE_TEST_NODE_MODULES", prepared("TOLLGATE_TEST_NODE_MODULES"));
        Self::start(command)
    }

    /// In `tests/sdk/python`.
    pub(super) fn python(file: &str) -> Self {
        let mut command = Command::new(prepared("TOLLGATE_TEST_PYTHON"));
        command.arg(repository().join("tests/sdk/python").join(file));
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (said, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                let _ = said.send(serde_json::from_str(&line.unwrap()).unwrap());
            }
        });
        let mut script = Self {
            child,
            input,
            lines,
            port: 0,
        };
        script.port = script.next()["port"].as_u64().unwrap();
        script
    }

    /// The next line.
    pub(super) fn next(&self) -> Value {
        self.lines.recv_timeout(PATIENCE).expect("the script says something")
    }

    /// Says this, and waits for the answer.
    pub(super) fn tell(&mut self, line: &Value) -> Value {
        writeln!(self.input, "{line}").unwrap();
        self.next()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
