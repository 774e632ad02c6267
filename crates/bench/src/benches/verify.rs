//! What a verdict costs: `verify` alone in nanoseconds of processor time, of tokens that are known, unknown and mistyped, with
//! 1, 2 and 4 threads, while a writer changes a thousand tokens a second; with 1 and 10 million tokens. And what they
//! take to load and to keep.
//!
//! Beside it stands what the machine takes for two reads of as much memory, the second of a place that the first gives: nothing
//! that looks a token up in a table and then in its row can be quicker.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tollgate_domain::ambient::Entropy;
use tollgate_domain::client_token::TokenText;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::verdict::{Asked, TokenFacts};
use tollgate_verifier::{Now, Settings as VerifierSettings, Verifier};

use crate::Settings;
use crate::machine::{load_average, resident_memory, thread_nanos};
use crate::report::{Report, spread};
use crate::rounds::{Dice, median};

/// Sizes of the index.
const SIZES: [u64; 2] = [1_000_000, 10_000_000];
/// Tokens of a workspace.
const IN_WORKSPACE: u64 = 1_000;
/// Facts that are made before they are applied, as a store's page would be.
const PAGE: usize = 100_000;
/// Tokens that are presented, drawn from all; made before, so that reading them costs as little as a request's header.
const PRESENTED: usize = 1 << 20;
/// Tokens that the writer changes, one each millisecond.
const CHANGED: u64 = 10_000;
const BETWEEN_CHANGES: Duration = Duration::from_millis(1);
/// Verdicts between two looks at the clock.
const AT_ONCE: usize = 1024;
const SITE: Asked<'_> = Asked {
    origin: Some("https://shop.example.com"),
    referer: None,
    client_address: None,
    scope: None,
    environment: None,
};
const NO_SITE: Asked<'_> = Asked { origin: None, ..SITE };

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    for size in SIZES {
        measure(settings, report, size)?;
    }
    Ok(())
}

/// The bytes of a token are drawn from its number.
struct Drawn(AtomicU64);

impl Entropy for Drawn {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let seed = self.0.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&Dice::new(seed).next().to_le_bytes()[..chunk.len()]);
        }
    }
}

fn text(number: u64) -> TokenText {
    TokenText::generate(Environment::Live, &Drawn(AtomicU64::new(number << 16)))
}

fn facts(number: u64) -> TokenFacts {
    TokenFacts {
        workspace: WorkspaceId::from_bits((number / IN_WORKSPACE).into()),
        id: ClientTokenId::from_bits(u128::from(Dice::new(number).next()) << 64 | u128::from(number)),
        token: text(number),
        revoked: false,
        revoke_at: None,
        restrictions: None,
        version: 1,
    }
}

/// What is presented, and what should become of it.
struct Presented {
    name: &'static str,
    texts: Vec<String>,
    asked: Asked<'static>,
    allowed: bool,
}

fn presented(dice: &mut Dice, size: u64) -> Vec<Presented> {
    let known: Vec<String> = (0..PRESENTED)
        .map(|_| text(dice.next() % size).as_str().to_owned())
        .collect();
    let unknown = (0..PRESENTED)
        .map(|_| text(size + dice.next() % (1 << 40)).as_str().to_owned())
        .collect();
    let mistyped = known.iter().map(|text| mistype(text)).collect();
    vec![
        Presented {
            name: "known",
            texts: known.clone(),
            asked: NO_SITE,
            allowed: true,
        },
        Presented {
            name: "known, from a site",
            texts: known,
            asked: SITE,
            allowed: true,
        },
        Presented {
            name: "unknown",
            texts: unknown,
            asked: NO_SITE,
            allowed: false,
        },
        Presented {
            name: "bad checksum",
            texts: mistyped,
            asked: NO_SITE,
            allowed: false,
        },
    ]
}

/// Its last character differs.
fn mistype(text: &str) -> String {
    let end = if text.ends_with('0') { '1' } else { '0' };
    format!("{}{end}", &text[..text.len() - 1])
}

fn now(time: Timestamp) -> Now {
    Now {
        time,
        instant: Instant::now(),
    }
}

fn measure(settings: &Settings, report: &mut Report, size: u64) -> anyhow::Result<()> {
    let all = presented(&mut settings.dice(), size);
    let verifier = Verifier::new(VerifierSettings::default(), &Drawn(AtomicU64::new(1)));
    let millions = size / 1_000_000;
    println!("\nVerdicts with {millions} M tokens (load {})", load_average());
    load(&verifier, report, size)?;
    let reads = Reads::of(size)?;
    let mut nanos = Vec::new();
    for _ in 0..settings.rounds {
        nanos.push(reads.nanos(settings.round() / 4)?);
    }
    drop(reads);
    let (middle, least, most) = median(&nanos);
    let line = format!(
        "two reads of as much memory: {middle:.0} ns ({})",
        spread(least, most, 0)
    );
    println!("  {line}");
    report.figure(format!("verify, {millions} M tokens, {line}"));
    println!(
        "  {:<24} {:>7} {:>10} {:>17} {:>12}",
        "", "threads", "ns each", "spread", "verdicts/s"
    );
    let time = Timestamp::parse("2026-03-02T09:15:04Z")?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| change(&verifier, &done));
        for what in &all {
            for threads in [1, 2, 4] {
                let mut rounds = Vec::new();
                let mut rates = Vec::new();
                for _ in 0..settings.rounds {
                    let each = round(&verifier, what, threads, time, settings.round() / 4)?;
                    rates.push(each.iter().map(|(_, rate)| rate).sum());
                    let nanos: Vec<_> = each.iter().map(|(nanos, _)| *nanos).collect();
                    rounds.push(median(&nanos).0);
                }
                let (middle, least, most) = median(&rounds);
                let (rate, ..) = median(&rates);
                println!(
                    "  {:<24} {threads:>7} {middle:>10.0} {:>17} {rate:>12.0}",
                    what.name,
                    spread(least, most, 0)
                );
                if threads == 1 {
                    let (name, spread) = (what.name, spread(least, most, 0));
                    report.figure(format!(
                        "verify, {name}, {millions} M tokens, 1 thread: {middle:.0} ns ({spread})"
                    ));
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        let late = writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
        println!(
            "  the writer's slowest change took {late:?}; uncounted: {:?}",
            verifier.lost_usage()
        );
        Ok::<_, anyhow::Error>(())
    })
}

fn load(verifier: &Verifier, report: &mut Report, size: u64) -> anyhow::Result<()> {
    let mut page: Vec<TokenFacts> = (0..PAGE as u64).map(facts).collect();
    let before = resident_memory(std::process::id())?.own;
    let count = usize::try_from(size)?;
    let began = thread_nanos()?;
    verifier.reserve(count);
    let mut took = thread_nanos()? - began;
    let mut next = 0;
    while next < size {
        page.clear();
        page.extend((next..size).take(PAGE).map(facts));
        next += page.len() as u64;
        let began = thread_nanos()?;
        verifier.apply_all(&page)?;
        took += thread_nanos()? - began;
    }
    verifier.followed(size, Instant::now());
    let grown = resident_memory(std::process::id())?.own - before;
    ensure!(
        verifier.len() == count,
        "{} of {count} tokens are there",
        verifier.len()
    );
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52")]
    let resident = grown * 1024.0 * 1024.0 / size as f64;
    let memory = verifier.memory().index;
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52")]
    let held = (memory.rows + memory.table + memory.workspaces + memory.further) as f64 / size as f64;
    let line = format!(
        "{} M tokens: {resident:.1} bytes of resident memory each ({held:.1} by its own account), loaded in {:.0} ms of processor time",
        size / 1_000_000,
        took / 1e6
    );
    println!("  {line}");
    report.figure(format!("verify, {line}"));
    Ok(())
}

/// Nanoseconds of processor time of each thread for a verdict, and its verdicts a second.
fn round(
    verifier: &Verifier,
    what: &Presented,
    threads: usize,
    time: Timestamp,
    length: Duration,
) -> anyhow::Result<Vec<(f64, f64)>> {
    let part = what.texts.len() / threads;
    thread::scope(|scope| {
        let running: Vec<_> = what
            .texts
            .chunks(part)
            .map(|texts| scope.spawn(move || present(verifier, texts, what, time, length)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?)
            .collect()
    })
}

fn present(
    verifier: &Verifier,
    texts: &[String],
    what: &Presented,
    time: Timestamp,
    length: Duration,
) -> anyhow::Result<(f64, f64)> {
    let (began, used) = (Instant::now(), thread_nanos()?);
    let (mut done, mut wrong) = (0_u32, 0);
    for some in texts.chunks_exact(AT_ONCE).cycle() {
        let now = now(time);
        for text in some {
            let verdict = black_box(verifier.verify(black_box(text), &what.asked, now));
            wrong += u32::from(verdict.decision.is_ok() != what.allowed);
        }
        done += u32::try_from(some.len())?;
        if began.elapsed() >= length {
            break;
        }
    }
    let (used, took) = (thread_nanos()? - used, began.elapsed().as_secs_f64());
    ensure!(
        wrong == 0,
        "{wrong} of {done} verdicts on {} tokens were wrong",
        what.name
    );
    Ok((used / f64::from(done), f64::from(done) / took))
}

/// Memory of the size of an index: a table of row numbers, and rows.
struct Reads {
    table: Vec<u32>,
    rows: Vec<[u64; 4]>,
}

impl Reads {
    fn of(size: u64) -> anyhow::Result<Self> {
        let mut dice = Dice::new(3);
        Ok(Self {
            table: (0..size * 10 / 7)
                .map(|_| u32::try_from(dice.next() % size))
                .collect::<Result<_, _>>()?,
            rows: (0..size).map(|number| [number; 4]).collect(),
        })
    }

    /// Nanoseconds of processor time for one of each, in drawn places, one after another.
    fn nanos(&self, length: Duration) -> anyhow::Result<f64> {
        let (began, used) = (Instant::now(), thread_nanos()?);
        let (mut dice, mut done, mut last) = (Dice::new(4), 0_u32, 0_u64);
        while began.elapsed() < length {
            for _ in 0..AT_ONCE {
                // What was read last is part of the next place, so that nothing overlaps.
                let place = dice.below(self.table.len() - 1) + usize::from(last == u64::MAX);
                last = self.rows[self.table[place] as usize][2];
            }
            done += u32::try_from(AT_ONCE)?;
        }
        black_box(last);
        Ok((thread_nanos()? - used) / f64::from(done))
    }
}

/// Schedules revocations and withdraws them, adds a token now and then, and gathers usage, until it is done; gives the longest that
/// a change took.
fn change(verifier: &Verifier, done: &AtomicBool) -> anyhow::Result<Duration> {
    let mut slowest = Duration::ZERO;
    let mut sequence = verifier.sequence();
    let began = Instant::now();
    for turn in 0_u32.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let mut changed = facts(u64::from(turn) % CHANGED);
        changed.version = i64::from(turn) + 2;
        changed.revoke_at = (turn % 2 == 0).then_some(Timestamp::LAST);
        let before = Instant::now();
        verifier.apply(&changed)?;
        slowest = slowest.max(before.elapsed());
        sequence += 1;
        verifier.followed(sequence, Instant::now());
        match turn % 1000 {
            0 => verifier.gather_usage(),
            500 => drop(black_box(verifier.take_usage())),
            _ => {}
        }
        thread::sleep((began + BETWEEN_CHANGES * (turn + 1)).saturating_duration_since(Instant::now()));
    }
    Ok(slowest)
}
