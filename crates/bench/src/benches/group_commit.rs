//! What sharing a commit gains: the server as it is, against the same server committing each request alone.

use crate::Settings;
use crate::report::{Goal, Report, table};
use crate::rounds::compare;
use crate::server::ServerArgs;
use crate::site::{CLIENTS, Site, Tenant};

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let (ours, theirs) = (settings.fresh_dir()?, settings.fresh_dir()?);
    let together = ServerArgs::sqlite(ours.path().to_owned());
    let alone = ServerArgs::sqlite(theirs.path().to_owned()).one_by_one();
    let mut subject = Site::of_creates(&together, &Tenant::create(&together)?)?;
    let mut rival = Site::of_creates(&alone, &Tenant::create(&alone)?)?;
    let mut comparison = compare(
        settings,
        ("tollgate", &mut || subject.round(settings.round())),
        ("tollgate, each request committed alone", &mut || {
            rival.round(settings.round())
        }),
    )?;
    let heading = format!("SQLite: durable creates over HTTP, {CLIENTS} clients");
    table(&heading, "creates", &mut comparison);
    report.goal("SQLite, shared commits", Goal::AtLeast(4.0), comparison.ratios());
    Ok(())
}
