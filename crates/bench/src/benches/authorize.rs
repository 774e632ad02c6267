//! Checks of client tokens over HTTP: against the same HTTP stack with a handler that looks at nothing, against
//! `redis-server` answering GET, and behind nginx against an upstream that always agrees.

use std::net::SocketAddr;

use crate::Settings;
use crate::bare_server::Way;
use crate::credentials::Presented;
use crate::load::{Language, Load};
use crate::machine::processor_time;
use crate::nginx::{self, Nginx};
use crate::redis::{self, Redis};
use crate::report::{Goal, Report, table};
use crate::rounds::{Round, compare, compare_with_each};
use crate::server::{Server, ServerArgs};
use crate::site::{CLIENTS, Site, Tenant};

/// The larger index holds so many times as many tokens.
const LARGER: u64 = 10;
/// The rates that are aimed at, with the smaller and the larger index.
const GOALS: [f64; 2] = [0.9, 0.85];

/// With how many threads Tollgate runs beside `redis-server`, which has one.
#[derive(Clone, Copy)]
enum Threads {
    /// As it comes: what the goal is about.
    All,
    /// As few as it can do with.
    One,
}

impl Threads {
    const fn words(self) -> &'static str {
        match self {
            Self::All => "all threads",
            Self::One => "one thread, as it has",
        }
    }
}

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    for (tokens, goal) in [settings.tokens, settings.tokens * LARGER].into_iter().zip(GOALS) {
        let dir = settings.fresh_dir()?;
        let args = ServerArgs::sqlite(dir.path().to_owned());
        Tenant::create(&args)?;
        let args = args.with_tokens(tokens);
        let server = Server::start(&args)?;
        against_bare(settings, report, &server, (tokens, goal))?;
        if tokens == settings.tokens {
            behind_nginx(settings, report, &server, tokens)?;
        }
        against_redis(settings, report, &server, (tokens, Threads::All))?;
        drop(server);
        against_redis(settings, report, &Server::start_single(&args)?, (tokens, Threads::One))?;
    }
    Ok(())
}

fn against_bare(
    settings: &Settings,
    report: &mut Report,
    server: &Server,
    (tokens, goal): (u64, f64),
) -> anyhow::Result<()> {
    let (bare, hyper) = (Server::start_bare(Way::Express)?, Server::start_bare(Way::Hyper)?);
    for presented in Presented::ALL {
        let requests = checks(presented, tokens, settings);
        let site = |server: &Server, expected| {
            let load = Load::connect(server.address, CLIENTS, requests.clone(), expected)?;
            anyhow::Ok(Site::of(server.pid(), load))
        };
        let mut subject = site(server, answer_to(presented))?;
        let (mut fixed, mut agreeing) = (site(&bare, b"HTTP/1.1 204")?, site(&hyper, b"HTTP/1.1 204")?);
        let mut comparison = compare_with_each(
            settings,
            ("tollgate", &mut || subject.round(settings.round())),
            &mut [
                ("a handler that looks at nothing", &mut || fixed.round(settings.round())),
                ("one of hyper's, an empty 204", &mut || agreeing.round(settings.round())),
            ],
        )?;
        let what = format!("checks of {}, {tokens} client tokens", presented.words());
        table(&format!("{what}, {CLIENTS} clients"), "checks", &mut comparison);
        let goal_of = format!("{what}, against a handler that looks at nothing");
        report.goal(&goal_of, Goal::AtLeast(goal), comparison.ratios());
        if let Some(hyper) = comparison.rivals.get(1) {
            report.ratio(&format!("{what}, against one of hyper's"), &hyper.ratios);
        }
    }
    Ok(())
}

fn against_redis(
    settings: &Settings,
    report: &mut Report,
    server: &Server,
    (tokens, threads): (u64, Threads),
) -> anyhow::Result<()> {
    let words = threads.words();
    let what = format!("a check, {tokens} client tokens, {words}: processor time against redis-server's GET");
    if !Redis::is_there() {
        report.not_run(&what, redis::HOW);
        return Ok(());
    }
    let redis = Redis::start(tokens)?;
    let requests = checks(Presented::Hits, tokens, settings);
    let gets = redis::gets(tokens, requests.len(), settings.dice());
    let language = Language {
        expected: b"$32",
        end_of_head: b"\r\n",
        measure: redis::measure,
    };
    let mut subject = Site::of(
        server.pid(),
        Load::connect(server.address, CLIENTS, requests, b"HTTP/1.1 204")?,
    );
    let mut rival = Site::of(redis.pid(), Load::connect_in(language, redis.address, CLIENTS, gets)?);
    let mut comparison = compare(
        settings,
        ("tollgate", &mut || subject.round(settings.round())),
        ("redis-server", &mut || rival.round(settings.round())),
    )?;
    table(
        &format!("checks against GETs, {tokens} of each, {words}, {CLIENTS} clients"),
        "answers",
        &mut comparison,
    );
    let ratios = comparison.processor_ratios();
    match threads {
        Threads::All => report.goal(&what, Goal::AtMost(1.0), ratios),
        Threads::One => report.ratio(&what, ratios),
    }
    Ok(())
}

fn behind_nginx(settings: &Settings, report: &mut Report, server: &Server, tokens: u64) -> anyhow::Result<()> {
    let what = "nginx with auth_request to tollgate, against one to an upstream that always agrees";
    if !Nginx::is_there() {
        report.not_run(what, nginx::HOW);
        return Ok(());
    }
    let agrees = Server::start_bare(Way::Hyper)?;
    let nginx = Nginx::start(&[server.address, agrees.address])?;
    let requests = checks(Presented::Hits, tokens, settings);
    let load = |address: SocketAddr| Load::connect(address, CLIENTS, requests.clone(), b"HTTP/1.1 200");
    let (mut ours, mut theirs) = (load(nginx.addresses[0])?, load(nginx.addresses[1])?);
    let round = |load: &mut Load, upstream: &Server| -> anyhow::Result<Round> {
        let before = processor_time(upstream.pid())?;
        let round = load.run(settings.round())?;
        let processor = Some(processor_time(upstream.pid())? - before);
        Ok(Round { processor, ..round })
    };
    let mut comparison = compare(
        settings,
        ("to tollgate", &mut || round(&mut ours, server)),
        ("to an upstream that always agrees", &mut || round(&mut theirs, &agrees)),
    )?;
    let heading =
        format!("nginx with auth_request, {tokens} client tokens, {CLIENTS} clients; the upstream's processor time");
    table(&heading, "requests", &mut comparison);
    report.goal(what, Goal::AtLeast(0.95), comparison.ratios());
    Ok(())
}

const fn answer_to(presented: Presented) -> &'static [u8] {
    match presented {
        Presented::Hits => b"HTTP/1.1 204",
        Presented::Misses | Presented::BadChecksums => b"HTTP/1.1 401",
    }
}

fn checks(presented: Presented, tokens: u64, settings: &Settings) -> Vec<Vec<u8>> {
    let request = |token: String| {
        format!("GET /tollgate/authorize HTTP/1.1\r\nhost: localhost\r\ntollgate-client-token: {token}\r\n\r\n")
            .into_bytes()
    };
    presented
        .texts(tokens, settings.dice())
        .into_iter()
        .map(request)
        .collect()
}
