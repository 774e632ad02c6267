//! What a change of the code gains: this build, against another one of this program.

use anyhow::Context;

use crate::Settings;
use crate::report::{Report, table};
use crate::rounds::compare;
use crate::server::{Server, ServerArgs};
use crate::site::{CLIENTS, Site, Tenant};

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let other = settings
        .other
        .as_deref()
        .context("--other must name another build of this program")?;
    let (ours, theirs) = (settings.fresh_dir()?, settings.fresh_dir()?);
    let (subject, rival) = (
        ServerArgs::sqlite(ours.path().to_owned()),
        ServerArgs::sqlite(theirs.path().to_owned()),
    );
    let mut subject = Site::of_creates(&subject, &Tenant::create(&subject)?)?;
    let tenant = Tenant::create(&rival)?;
    let mut rival = Site::of_creates_at(Server::start_by(other, &rival)?, &tenant)?;
    let mut comparison = compare(
        settings,
        ("this build", &mut || subject.round(settings.round())),
        ("the other build", &mut || rival.round(settings.round())),
    )?;
    let heading = format!("SQLite: durable creates over HTTP, {CLIENTS} clients");
    table(&heading, "creates", &mut comparison);
    report.ratio("SQLite, this build against the other", &comparison.ratios);
    Ok(())
}
