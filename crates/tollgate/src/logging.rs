//! The log: on standard error, for `serve` a line for each thing worth knowing, for `dev` a short line for each request.

use std::fmt;
use std::io::{self, IsTerminal};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Compact, Format, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Requests are logged under this name, at level `debug`.
const REQUESTS: &str = "tollgate::http";
/// What `dev` logs, unless it is told otherwise.
pub(crate) const DEV: &str = "warn,tollgate::http=debug";
/// What the other commands log, unless they are told otherwise.
pub(crate) const QUIET: &str = "warn";

/// Starts the log of a server. `filter` was checked before.
pub(crate) fn serve(filter: &str) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // A log that was started before, by a test, stays.
    let _ = builder.try_init();
}

/// Starts the log of `dev` and of the short commands.
pub(crate) fn short(filter: &str) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .event_format(Short(Format::default().compact().without_time()));
    let _ = builder.try_init();
}

/// `POST /client-tokens 201 1.3 ms` for a request, with the code behind it when a client token was refused; the usual line for the rest.
struct Short(Format<Compact, ()>);

impl<S, N> FormatEvent<S, N> for Short
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if event.metadata().target() != REQUESTS {
            return self.0.format_event(context, writer, event);
        }
        let mut request = Request::default();
        event.record(&mut request);
        let Request {
            method,
            path,
            status,
            micros,
            denial,
        } = request;
        let millis = micros / 1000;
        let tenths = micros / 100 % 10;
        writeln!(writer, "{method} {path} {status} {millis}.{tenths} ms{denial}")
    }
}

/// What a request's event says.
#[derive(Default)]
struct Request {
    method: String,
    path: String,
    status: u64,
    micros: u128,
    /// Why a client token was refused, after a blank.
    denial: String,
}

impl Visit for Request {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "status" => self.status = value,
            "micros" => self.micros = value.into(),
            _ => {}
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        if field.name() == "micros" {
            self.micros = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "path" => self.path = crate::output::visible(value),
            "denial" => self.denial = format!(" {value}"),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "method" {
            self.method = format!("{value:?}");
        }
    }
}
