//! What a change of the code gains: this build, against another one of this program.

use std::path::Path;

use anyhow::Context;

use crate::Settings;
use crate::benches::deliveries::receiver_of;
use crate::report::{Report, table};
use crate::rounds::compare;
use crate::server::{Server, ServerArgs};
use crate::shop::{Place, Shop};
use crate::site::{CLIENTS, Site, Tenant};

/// Deliveries of a round for each millisecond of its length.
const BY_MS: u64 = 15;

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let other = settings
        .other
        .as_deref()
        .context("--other must name another build of this program")?;
    creates(settings, report, other)?;
    for place in Place::all(settings) {
        for destinations in [1, 10, 100] {
            deliveries(settings, report, (place, destinations), other)?;
        }
    }
    Ok(())
}

fn creates(settings: &Settings, report: &mut Report, other: &Path) -> anyhow::Result<()> {
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
    report.ratio("SQLite, this build against the other", comparison.ratios());
    Ok(())
}

fn deliveries(
    settings: &Settings,
    report: &mut Report,
    (place, destinations): (Place<'_>, usize),
    other: &Path,
) -> anyhow::Result<()> {
    let (receiver, workspaces) = receiver_of(destinations)?;
    let this = std::env::current_exe()?;
    let open =
        |program: &Path, name: &str| Shop::open_by(program, settings, (place, name), &workspaces, (&Vec::new(), 0));
    let (mut subject, mut rival) = (open(&this, "this")?, open(other, "other")?);
    let deliveries = settings.round_ms * BY_MS;
    let mut comparison = compare(
        settings,
        ("this build", &mut || subject.round(&receiver, deliveries)),
        ("the other build", &mut || rival.round(&receiver, deliveries)),
    )?;
    let heading = format!("{}: deliveries to {destinations}", place.name());
    table(&heading, "sent", &mut comparison);
    let name = format!("{heading}, this build against the other");
    report.ratio(&name, comparison.ratios());
    Ok(())
}
