//! From texts to values, with an error that names the setting, its place, and what it takes.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use tollgate_domain::retry_schedule::RetrySchedule;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use ureq::http::Uri;

use super::{Given, Invalid};

pub(super) fn address(given: &Given) -> Result<SocketAddr, Invalid> {
    let text = given.value();
    text.parse().map_err(|_| given.refuse(text))
}

pub(super) fn number(given: &Given) -> Result<u32, Invalid> {
    let text = given.value();
    text.parse().map_err(|_| given.refuse(text))
}

pub(super) fn switch(given: &Given) -> Result<bool, Invalid> {
    let text = given.value();
    text.parse().map_err(|_| given.refuse(text))
}

/// For how long what the index of client tokens holds is trusted without news; `None` = for ever.
pub(super) fn index_age(seconds: &Given, when_stale: &Given) -> Result<Option<Duration>, Invalid> {
    let bound = match number(seconds)? {
        0 => return Err(seconds.refuse(seconds.value())),
        bound => Duration::from_secs(u64::from(bound)),
    };
    match when_stale.value() {
        "refuse" => Ok(Some(bound)),
        "trust" => Ok(None),
        other => Err(when_stale.refuse(other)),
    }
}

/// Whole days, from `least`.
pub(super) fn days(given: &Given, least: u32) -> Result<Duration, Invalid> {
    let days = number(given)?;
    if days < least {
        return Err(given.refuse(given.value()));
    }
    Ok(Duration::from_hours(u64::from(days) * 24))
}

/// The longest time before a retry: 30 days, in seconds.
const LONGEST_RETRY: u64 = 30 * 24 * 60 * 60;

/// The seconds before each retry.
pub(super) fn retries(given: &Given) -> Result<RetrySchedule, Invalid> {
    let delay = |text: &String| match text.parse() {
        Ok(seconds) if seconds <= LONGEST_RETRY => Ok(Duration::from_secs(seconds)),
        _ => Err(given.refuse(text)),
    };
    Ok(RetrySchedule::new(
        given.values.iter().map(delay).collect::<Result<_, _>>()?,
    ))
}

/// Networks; an address alone is a network of one.
pub(super) fn networks(given: &Given) -> Result<Vec<IpNet>, Invalid> {
    let network = |text: &String| {
        text.parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| given.refuse(text))
    };
    given.values.iter().map(network).collect()
}

/// An absolute URL that paths can be put after, without the slash at its end.
pub(super) fn base_url(given: &Given) -> Result<String, Invalid> {
    parse_base_url(given.value()).ok_or_else(|| given.refuse(given.value()))
}

pub(super) fn parse_base_url(text: &str) -> Option<String> {
    let url: Uri = text.parse().ok()?;
    let is_http = matches!(url.scheme_str(), Some("http" | "https"));
    let is_plain = !text.contains(['?', '#', '@']) && url.host().is_some_and(|host| !host.is_empty());
    (is_http && is_plain).then(|| text.trim_end_matches('/').to_owned())
}

/// What the log understands; but a word alone must be a level: the log would take a misspelled one for the name of a
/// part, and fall silent.
pub(super) fn log_filter(given: &Given) -> Result<String, Invalid> {
    let text = given.value();
    let means_something = |directive: &str| directive.contains('=') || directive.trim().parse::<LevelFilter>().is_ok();
    if text.split(',').all(means_something) && EnvFilter::builder().parse(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(given.refuse(text))
    }
}
