//! The rivals of the delivery plane, which send signed bodies and record nothing. A process of its own, with the runtime
//! that the server has.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tollgate_domain::ambient::Clock;
use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::{EventId, NotificationId, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::payload;
use tollgate_domain::signature::EndpointSecret;
use tollgate_service::ambient::{OsEntropy, SystemClock};

use crate::machine::processor_time;
use crate::rounds::Round;
use crate::seed::{Rows, id};

#[derive(Debug, Args)]
pub(crate) struct BareClientArgs {
    /// Connections to each receiver.
    #[arg(long)]
    connections: usize,
    /// How it sends.
    #[arg(long)]
    way: Way,
    /// The receivers.
    addresses: Vec<SocketAddr>,
}

/// How a client sends. All send the same bodies with the same headers.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Way {
    /// What one writes who just wants to send webhooks: one loop that takes the destinations in turn, signs, sends, and
    /// awaits the answer, with a client that keeps its connections.
    Loop,
    /// The same client in as many loops as the server has connections.
    Pooled,
    /// hyper's connections themselves, each in a loop of its own, with requests that were signed once: what can be sent at
    /// most.
    Bare,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::Loop, Self::Pooled, Self::Bare];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Loop => "one loop of a client, which signs and sends",
            Self::Pooled => "loops of a client, which sign and send",
            Self::Bare => "bare connections, which only send",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Loop => "loop",
            Self::Pooled => "pooled",
            Self::Bare => "bare",
        }
    }
}

/// Sends for as many milliseconds as each line on standard input says, and answers how many that were, and the seconds.
#[tokio::main]
pub(crate) async fn run(args: &BareClientArgs) -> anyhow::Result<()> {
    let pool = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(args.connections)
        .build_http();
    let messages = args.addresses.iter().map(|address| Message::to(*address));
    let messages = messages.collect::<anyhow::Result<Vec<_>>>()?;
    let mut senders = Vec::with_capacity(messages.len() * args.connections);
    match args.way {
        Way::Loop => senders.push(Sender::Pooled(pool, messages)),
        Way::Pooled => {
            for message in messages {
                senders.extend((0..args.connections).map(|_| Sender::Pooled(pool.clone(), vec![message.clone()])));
            }
        }
        Way::Bare => {
            for (message, address) in messages.iter().zip(&args.addresses) {
                for _ in 0..args.connections {
                    senders.push(Sender::connect(*address, message.signed("/")?).await?);
                }
            }
        }
    }
    println!("ready");
    for line in std::io::stdin().lines() {
        let (began, mut loops) = (Instant::now(), JoinSet::new());
        let until = began + Duration::from_millis(line?.trim().parse()?);
        for sender in senders.drain(..) {
            loops.spawn(sender.send_until(until));
        }
        let mut sent = 0;
        while let Some(ended) = loops.join_next().await {
            let (sender, count) = ended??;
            senders.push(sender);
            sent += count;
        }
        println!("{sent} {}", began.elapsed().as_secs_f64());
    }
    Ok(())
}

type Body = Full<Bytes>;

enum Sender {
    Bare(http1::SendRequest<Body>, Request<Body>),
    /// Takes the messages in turn.
    Pooled(Client<HttpConnector, Body>, Vec<Message>),
}

impl Sender {
    async fn connect(address: SocketAddr, request: Request<Body>) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(driver);
        Ok(Self::Bare(connection, request))
    }

    async fn send_until(mut self, until: Instant) -> anyhow::Result<(Self, u64)> {
        let (mut sent, mut turn) = (0, 0);
        while Instant::now() < until {
            let answer = match &mut self {
                Self::Bare(connection, request) => {
                    connection.ready().await?;
                    connection.send_request(request.clone()).await?
                }
                Self::Pooled(pool, messages) => {
                    let message = &messages[turn];
                    turn = (turn + 1) % messages.len();
                    pool.request(message.signed(&message.url)?).await?
                }
            };
            ensure!(
                answer.status().is_success(),
                "an unexpected answer: {}",
                answer.status()
            );
            answer.into_body().collect().await?;
            sent += 1;
        }
        Ok((self, sent))
    }
}

/// What a delivery sends.
#[derive(Clone)]
struct Message {
    url: String,
    host: String,
    event_id: String,
    body: Bytes,
    secret: EndpointSecret,
}

impl Message {
    fn to(address: SocketAddr) -> anyhow::Result<Self> {
        let workspace = WorkspaceId::parse(&id("wsp_", 0))?;
        let mut rows = Rows::of(workspace)?;
        let row = rows.next();
        let event = Event {
            workspace,
            id: EventId::parse(&row.event_id)?,
            event_type: EventType::ClientTokenCreated,
            occurred_at: SystemClock.now(),
            subject: row.id.clone(),
            data: row.data.clone(),
            actor: Actor::CommandLine,
            address: None,
        };
        Ok(Self {
            url: format!("http://{address}/"),
            host: address.to_string(),
            event_id: event.id.to_string(),
            body: payload(&event, NotificationId::parse(&id("ntf_", 0))?).into(),
            secret: EndpointSecret::generate(NotificationSettingId::parse(&id("ntfset_", 0))?, &OsEntropy),
        })
    }

    fn signed(&self, target: &str) -> anyhow::Result<Request<Body>> {
        let (secret, body) = (&self.secret, &self.body);
        let seconds = SystemClock.now().as_millis() / 1_000;
        Request::post(target)
            .header("host", &self.host)
            .header("content-type", "application/json")
            .header("user-agent", "Paddle")
            .header("accept", "*/*")
            .header("paddle-signature", secret.paddle_signature(seconds, body))
            .header("webhook-id", &self.event_id)
            .header("webhook-timestamp", seconds)
            .header(
                "webhook-signature",
                secret.standard_signature(&self.event_id, seconds, body),
            )
            .body(Full::new(body.clone()))
            .context("no request")
    }
}

/// A client that runs. Dropping it ends the process.
pub(crate) struct BareClient {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl BareClient {
    /// Starts one and waits until it is connected.
    pub(crate) fn start(addresses: &[SocketAddr], connections: usize, way: Way) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bare-client", "--connections", &connections.to_string()])
            .args(["--way", way.name()])
            .args(addresses.iter().map(SocketAddr::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start a client")?;
        let output = BufReader::new(child.stdout.take().context("the client has no output")?);
        let mut client = Self { child, output };
        let line = client.line()?;
        ensure!(line == "ready", "the client did not start: it said {line:?}");
        Ok(client)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// A round; the processor time is the client's.
    pub(crate) fn round(&mut self, length: Duration) -> anyhow::Result<Round> {
        let before = processor_time(self.child.id())?;
        let input = self.child.stdin.as_mut().context("the client takes no input")?;
        writeln!(input, "{}", length.as_millis())?;
        let line = self.line()?;
        let (done, seconds) = line.split_once(' ').context("the client ended")?;
        Ok(Round {
            done: done.parse()?,
            seconds: seconds.parse()?,
            processor: Some(processor_time(self.child.id())? - before),
            micros: Vec::new(),
        })
    }
}

impl Drop for BareClient {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            eprintln!("could not end a client: {error}");
        }
    }
}
