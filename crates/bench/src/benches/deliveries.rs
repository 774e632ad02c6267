//! Webhooks: from events accepted over HTTP to deliveries received and recorded, against HTTP clients that send the same
//! signed bodies to the same receiver, and neither accept nor record anything.
//!
//! The goal is set against the plain one: one loop of an ordinary client, which sends one body after the other, as whoever
//! just wants to send webhooks would write it. The two others have as many connections as the server and are limited by
//! the processors only; nobody who accepts and records each delivery on the same processors comes near them, so they are
//! figures without a goal: they tell what all that costs.

use crate::Settings;
use crate::bare_client::{BareClient, Way};
use crate::postgres::HOW;
use crate::receiver::Receiver;
use crate::report::{Goal, Report, spread, table};
use crate::rounds::{Turn, compare_with_each, median};
use crate::shop::{Destinations, Place, Shop};

/// Destinations of a workspace, at most. The contract's number.
const OF_A_WORKSPACE: usize = 10;
/// With how many destinations to measure, and how many deliveries a round makes for each millisecond of its length: as
/// many as are aimed at.
const SIZES: [(usize, u64); 3] = [(1, 12), (10, 20), (100, 20)];

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    for place in Place::all(settings) {
        for (destinations, by_ms) in SIZES {
            measure(settings, report, place, destinations, by_ms * settings.round_ms)?;
        }
    }
    if settings.postgres.is_none() {
        report.not_run("PostgreSQL, deliveries", HOW);
    }
    Ok(())
}

/// A receiver with so many destinations, and the workspaces that they are in.
pub(crate) fn receiver_of(destinations: usize) -> anyhow::Result<(Receiver, Vec<Destinations>)> {
    let receiver = Receiver::start(destinations)?;
    let urls: Vec<String> = receiver
        .addresses
        .iter()
        .map(|address| format!("http://{address}/"))
        .collect();
    let workspaces = urls.chunks(OF_A_WORKSPACE).map(<[String]>::to_vec).collect();
    Ok((receiver, workspaces))
}

fn measure(
    settings: &Settings,
    report: &mut Report,
    place: Place<'_>,
    destinations: usize,
    deliveries: u64,
) -> anyhow::Result<()> {
    let (receiver, workspaces) = receiver_of(destinations)?;
    let mut shop = Shop::open(settings, (place, "deliveries"), &workspaces, (&Vec::new(), 0))?;
    // As many as the server has for each when all have something due.
    let defaults = tollgate_delivery::Settings::default();
    let connections = (defaults.in_all / destinations).min(defaults.per_destination);
    let (before, used) = (receiver.taken(0)?, receiver.processor_time()?);
    let name = place.name();
    let clients = Way::ALL.map(|way| BareClient::start(&receiver.addresses, connections, way));
    let mut turns = Vec::with_capacity(clients.len());
    for client in clients {
        let mut client = client?;
        turns.push(move || client.round(settings.round()));
    }
    let mut rivals: Vec<(&str, Turn<'_>)> = Way::ALL
        .iter()
        .zip(&mut turns)
        .map(|(way, turn)| (way.words(), turn as Turn<'_>))
        .collect();
    let mut comparison = compare_with_each(
        settings,
        ("tollgate, from accepted to recorded", &mut || {
            shop.round(&receiver, deliveries)
        }),
        &mut rivals,
    )?;
    let heading = format!("{name}: deliveries to {destinations}, {connections} connections to each");
    table(&heading, "sent", &mut comparison);
    for (way, rival) in Way::ALL.iter().zip(&comparison.rivals) {
        let goal = format!("{name}, deliveries to {destinations}, against {}", way.words());
        match way {
            Way::Loop => report.goal(&goal, Goal::AtLeast(0.5), &rival.ratios),
            Way::Pooled | Way::Bare => report.ratio(&goal, &rival.ratios),
        }
    }
    let (middle, least, most) = median(&comparison.subject.rates);
    report.figure(format!(
        "{name}, deliveries to {destinations}: {middle:.0}/s ({}), {:.0} us of processor time each",
        spread(least, most, 0),
        comparison.subject.processor_micros().unwrap_or(f64::NAN)
    ));
    let taken = receiver.taken(0)? - before;
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 requests")]
    let receiving = (receiver.processor_time()? - used) * 1e6 / taken as f64;
    println!(
        "  {} deliveries were recorded; the receiver took {taken} requests, for {receiving:.1} us each",
        shop.recorded()?
    );
    Ok(())
}
