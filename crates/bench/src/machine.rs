//! What is measured on: the processor, the cost of a sync on the disk, and what `/proc` tells of a process.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::Settings;
use crate::report::spread;

/// Ticks a second in `/proc`: fixed by Linux's interface, whatever the kernel's own clock.
const TICKS: f64 = 100.0;
/// Syncs to measure; a slow disk makes fewer, see [`SYNCING`].
const SYNCS: usize = 2_000;
/// How long they may take altogether.
const SYNCING: Duration = Duration::from_secs(2);

/// Prints what this run is measured on.
pub(crate) fn describe(settings: &Settings) -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism()?;
    println!("{} x {processors}, load {}", processor(), load_average());
    let dir = settings.fresh_dir()?;
    println!("disk: a sync costs {}", sync_cost(dir.path())?);
    println!(
        "rounds: {} of {} ms a side, seed {}",
        settings.rounds, settings.round_ms, settings.seed
    );
    Ok(())
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "unknown processor".to_owned(), |(_, name)| name.to_owned())
}

/// Runnable tasks over the last minute: more than a little says that the machine isn't quiet.
pub(crate) fn load_average() -> String {
    let loads = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    loads.split(' ').next().unwrap_or_default().to_owned()
}

/// Writes 16 KiB and syncs, again and again, as a write-ahead log does: first at the end of a growing file, then over what
/// is there, which needs no change to the file's own records. The medians, with their quartiles.
pub(crate) fn sync_cost(dir: &Path) -> anyhow::Result<String> {
    let file = fs::File::create(dir.join("syncs"))?;
    let page = [7_u8; 16 * 1024];
    let cost = || -> anyhow::Result<String> {
        let began = Instant::now();
        let mut costs = Vec::with_capacity(SYNCS);
        let mut place = 0;
        while costs.len() < SYNCS && began.elapsed() < SYNCING {
            let before = Instant::now();
            file.write_all_at(&page, place)?;
            file.sync_data()?;
            costs.push(before.elapsed().as_secs_f64() * 1e3);
            place += page.len() as u64;
        }
        costs.sort_unstable_by(f64::total_cmp);
        let at = |part: usize| costs[(costs.len() - 1) * part / 4];
        Ok(format!("{:.3} ms (quartiles {})", at(2), spread(at(1), at(3), 3)))
    };
    Ok(format!(
        "{} at the end of a growing file, {} within it",
        cost()?,
        cost()?
    ))
}

/// Seconds of processor time, user and system, that the process has used, of its ended and awaited children too.
pub(crate) fn processor_time(pid: u32) -> anyhow::Result<f64> {
    let [user, system, waited_user, waited_system] = stat(pid)?.times;
    Ok((user + system + waited_user + waited_system) / TICKS)
}

/// Nanoseconds of processor time that the calling thread has used.
pub(crate) fn thread_nanos() -> anyhow::Result<f64> {
    let path = "/proc/thread-self/schedstat";
    let text = fs::read_to_string(path).with_context(|| format!("can't read {path}"))?;
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.with_context(|| format!("{path} isn't what the kernel's documentation says"))
}

/// The parts of `/proc/<pid>/stat` that are of use here.
pub(crate) struct Stat {
    pub(crate) parent: u32,
    pub(crate) name: String,
    times: [f64; 4],
}

pub(crate) fn stat(pid: u32) -> anyhow::Result<Stat> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("can't read {path}"))?;
    let unreadable = || format!("{path} isn't what proc(5) says");
    // The name is in parentheses and may hold anything, parentheses too.
    let (before, after) = text.rsplit_once(") ").with_context(unreadable)?;
    let (_, name) = before.split_once(" (").with_context(unreadable)?;
    let fields: Vec<&str> = after.split(' ').collect();
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or_default();
    let time = |number| field(number).parse().with_context(unreadable);
    Ok(Stat {
        parent: field(4).parse().with_context(unreadable)?,
        name: name.to_owned(),
        times: [time(14)?, time(15)?, time(16)?, time(17)?],
    })
}

/// MiB of memory that a process holds.
pub(crate) struct Resident {
    pub(crate) total: f64,
    /// Without the pages of the program's file and its libraries, which the system can drop and share.
    pub(crate) own: f64,
}

/// What the process holds now.
pub(crate) fn resident_memory(pid: u32) -> anyhow::Result<Resident> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("can't read {path}"))?;
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        Ok::<_, anyhow::Error>(kib.with_context(|| format!("{path} has no {name}"))? / 1024.0)
    };
    Ok(Resident {
        total: mib("VmRSS:")?,
        own: mib("RssAnon:")?,
    })
}
