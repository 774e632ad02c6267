//! What the way from HTTP to the disk costs: the server, against the bare engine inserting the same rows in batches of
//! the size that the server had in its last round.

use crate::Settings;
use crate::engine::{Commits, Engine};
use crate::report::{Goal, Report, table};
use crate::rounds::{compare, median};
use crate::server::ServerArgs;
use crate::site::{CLIENTS, Site, Tenant};

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let (ours, theirs) = (settings.fresh_dir()?, settings.fresh_dir()?);
    let args = ServerArgs::sqlite(ours.path().to_owned());
    let mut subject = Site::of_creates(&args, &Tenant::create(&args)?)?;
    let tenant = Tenant::create(&ServerArgs::sqlite(theirs.path().to_owned()))?;
    let mut rival = Engine::open(theirs.path(), tenant.workspace)?;

    let commits = Commits::of(ours.path())?;
    let batch = std::cell::Cell::new(1);
    let mut batches = Vec::new();
    let mut comparison = compare(
        settings,
        ("tollgate", &mut || {
            let before = commits.count()?;
            let round = subject.round(settings.round())?;
            let commits = commits.count()?.wrapping_sub(before).max(1);
            batch.set((round.done / u64::from(commits)).max(1));
            batches.push(f64::from(u32::try_from(batch.get())?));
            Ok(round)
        }),
        ("the bare engine", &mut || rival.round(settings.round(), batch.get())),
    )?;
    let (middle, least, most) = median(&batches);
    let heading = format!(
        "SQLite: durable creates, over HTTP with {CLIENTS} clients and in the bare engine; {middle} in a commit \
         ({least}..{most})"
    );
    table(&heading, "creates", &mut comparison);
    report.goal(
        "SQLite, against the bare engine",
        Goal::AtLeast(0.5),
        comparison.ratios(),
    );
    Ok(())
}
