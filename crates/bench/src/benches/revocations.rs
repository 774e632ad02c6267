//! A revocation holds from the moment it is answered: tokens are revoked one after the other, each is presented at once, and
//! meanwhile others keep the server busy with checks. Counts how many were let in.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::Settings;
use crate::credentials::Presented;
use crate::load::{Load, measure};
use crate::report::Report;
use crate::server::{Server, ServerArgs};
use crate::site::Tenant;

const TIMES: u64 = 100_000;
/// Clients that revoke and present.
const CLIENTS: u64 = 16;
/// Clients that keep the server busy.
const OTHERS: usize = 16;
/// Tokens that those present.
const KNOWN: u64 = 100_000;

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let dir = settings.fresh_dir()?;
    let args = ServerArgs::sqlite(dir.path().to_owned());
    let tenant = Tenant::create(&args)?;
    let server = Server::start(&args.with_tokens(KNOWN))?;
    let checks = Presented::Hits.texts(KNOWN, settings.dice());
    let checks = checks.into_iter().map(|token| check(&token)).collect();
    let mut load = Load::connect(server.address, OTHERS, checks, b"HTTP/1.1 204")?;
    let (accepted, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let others = std::thread::scope(|scope| -> anyhow::Result<u64> {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| client(server.address, &tenant, &accepted)))
            .collect();
        let busy = scope.spawn(|| {
            let mut done = 0;
            while !over.load(Ordering::Relaxed) {
                done += load.run_times(1_000)?.done;
            }
            anyhow::Ok(done)
        });
        let ended: Result<Vec<()>, _> = clients
            .into_iter()
            .map(|client| {
                client
                    .join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("a client failed")))
            })
            .collect();
        over.store(true, Ordering::Relaxed);
        let done = busy
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("the load failed")))?;
        ended.map(|_| done)
    })?;
    let accepted = accepted.into_inner();
    let line =
        format!("{TIMES} times revoked, then presented at once, beside {others} other checks: {accepted} let in");
    println!("\n{line}");
    report.figure(line);
    ensure!(accepted == 0, "{accepted} tokens were let in after they were revoked");
    Ok(())
}

/// Makes a token, presents it, revokes it, and presents it at once, its share of times.
fn client(server: SocketAddr, tenant: &Tenant, accepted: &AtomicU64) -> anyhow::Result<()> {
    let mut connection = Connection(TcpStream::connect(server)?);
    connection.0.set_nodelay(true)?;
    for _ in 0..TIMES / CLIENTS {
        let made = connection.ask(&tenant.create_request(), b"HTTP/1.1 201")?;
        let made: Value = serde_json::from_slice(&made)?;
        let text = |name: &str| made["data"][name].as_str().context("a created token has it");
        let check = check(text("token")?);
        ensure!(connection.status(&check)? == *b"204", "a good token was refused");
        connection.ask(&tenant.revoke_request(text("id")?), b"HTTP/1.1 200")?;
        if connection.status(&check)? != *b"401" {
            accepted.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Asks, and waits for the answer.
struct Connection(TcpStream);

impl Connection {
    /// The body of an answer that begins like this.
    fn ask(&mut self, request: &[u8], expected: &[u8]) -> anyhow::Result<Vec<u8>> {
        let answer = self.answer(request, expected)?;
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(0);
        Ok(answer[head + 4..].to_vec())
    }

    /// The three digits.
    fn status(&mut self, request: &[u8]) -> anyhow::Result<[u8; 3]> {
        let answer = self.answer(request, b"HTTP/1.1 ")?;
        Ok([answer[9], answer[10], answer[11]])
    }

    fn answer(&mut self, request: &[u8], expected: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.0.write_all(request)?;
        let mut answer = Vec::new();
        let mut buffer = [0; 4_096];
        loop {
            let read = self.0.read(&mut buffer)?;
            ensure!(read > 0, "the server closed a connection");
            answer.extend_from_slice(&buffer[..read]);
            if let Some((_, length)) = measure(&answer, expected)?
                && answer.len() >= length
            {
                return Ok(answer);
            }
        }
    }
}

fn check(token: &str) -> Vec<u8> {
    format!("GET /tollgate/authorize HTTP/1.1\r\nhost: localhost\r\ntollgate-client-token: {token}\r\n\r\n")
        .into_bytes()
}
