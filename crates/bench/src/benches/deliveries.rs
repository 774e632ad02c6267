//! Webhooks: from events accepted over HTTP to deliveries received and recorded, against a bare HTTP client that sends the
//! same signed bodies to the same receiver over as many connections, and neither accepts nor records anything.

use crate::Settings;
use crate::bare_client::BareClient;
use crate::postgres::HOW;
use crate::receiver::Receiver;
use crate::report::{Goal, Report, spread, table};
use crate::rounds::{compare, median};
use crate::shop::{Place, Shop};

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

fn measure(
    settings: &Settings,
    report: &mut Report,
    place: Place<'_>,
    destinations: usize,
    deliveries: u64,
) -> anyhow::Result<()> {
    let receiver = Receiver::start(destinations)?;
    let urls: Vec<String> = receiver
        .addresses
        .iter()
        .map(|address| format!("http://{address}/"))
        .collect();
    let workspaces: Vec<_> = urls.chunks(OF_A_WORKSPACE).map(<[String]>::to_vec).collect();
    let mut shop = Shop::open(settings, (place, "deliveries"), &workspaces, (&Vec::new(), 0))?;
    // As many as the server has for each when all have something due.
    let defaults = tollgate_delivery::Settings::default();
    let connections = (defaults.in_all / destinations).min(defaults.per_destination);
    let (before, used) = (receiver.taken(0)?, receiver.processor_time()?);
    let name = place.name();
    for pooled in [false, true] {
        let mut rival = BareClient::start(&receiver.addresses, connections, pooled)?;
        let what = if pooled {
            "a client with a pool, which signs and sends"
        } else {
            "bare connections, which only send"
        };
        let mut comparison = compare(
            settings,
            ("tollgate, from accepted to recorded", &mut || {
                shop.round(&receiver, deliveries)
            }),
            (what, &mut || rival.round(settings.round())),
        )?;
        let heading = format!("{name}: deliveries to {destinations}, {connections} connections to each");
        table(&heading, "sent", &mut comparison);
        let goal = format!("{name}, deliveries to {destinations}, against {what}");
        if pooled {
            report.ratio(&goal, &comparison.ratios);
        } else {
            report.goal(&goal, Goal::AtLeast(0.5), &comparison.ratios);
        }
        let (middle, least, most) = median(&comparison.subject.rates);
        report.figure(format!(
            "{name}, deliveries to {destinations}: {middle:.0}/s ({}), {:.0} us of processor time each",
            spread(least, most, 0),
            comparison.subject.processor_micros().unwrap_or(f64::NAN)
        ));
    }
    let taken = receiver.taken(0)? - before;
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 requests")]
    let receiving = (receiver.processor_time()? - used) * 1e6 / taken as f64;
    println!(
        "  {} deliveries were recorded; the receiver took {taken} requests, for {receiving:.1} us each",
        shop.recorded()?
    );
    Ok(())
}
