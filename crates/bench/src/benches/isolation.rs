//! What destinations that never answer take from one that does: its deliveries a second beside ten that hang until the
//! time-out, with more waiting for each than it will ever get, against the same alone.

use crate::Settings;
use crate::postgres::HOW;
use crate::receiver::Receiver;
use crate::report::{Goal, Report, table};
use crate::rounds::compare;
use crate::shop::{Place, Shop};

/// How many hang; in a workspace of their own.
const HANGING: usize = 10;
/// Events that wait for them: 64 attempts of each end in five seconds.
const WAITING: u64 = 2_000;
/// Deliveries of a round for each millisecond of its length.
const BY_MS: u64 = 12;

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    for place in Place::all(settings) {
        measure(settings, report, place)?;
    }
    if settings.postgres.is_none() {
        report.not_run("PostgreSQL, isolation", HOW);
    }
    Ok(())
}

fn measure(settings: &Settings, report: &mut Report, place: Place<'_>) -> anyhow::Result<()> {
    let receiver = Receiver::start(1 + HANGING)?;
    let (healthy, hanging) = receiver.addresses.split_at(1);
    let healthy = [healthy.iter().map(|address| format!("http://{address}/")).collect()];
    let hanging = hanging.iter().map(|address| format!("http://{address}/hang")).collect();
    let mut alone = Shop::open(settings, (place, "alone"), &healthy, (&Vec::new(), 0))?;
    let mut beside = Shop::open(settings, (place, "beside"), &healthy, (&hanging, WAITING))?;
    let deliveries = BY_MS * settings.round_ms;
    let mut comparison = compare(
        settings,
        ("beside ten that hang", &mut || beside.round(&receiver, deliveries)),
        ("alone", &mut || alone.round(&receiver, deliveries)),
    )?;
    let name = place.name();
    table(
        &format!("{name}: deliveries to one destination"),
        "sent",
        &mut comparison,
    );
    report.goal(
        &format!("{name}, a destination beside ten that hang, against the same alone"),
        Goal::AtLeast(0.9),
        comparison.ratios(),
    );
    Ok(())
}
