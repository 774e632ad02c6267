//! Workspaces with destinations in a store, a server over it, and clients whose requests make events.

use std::path::Path;
use std::time::Instant;

use tollgate_domain::event::EventType;
use tollgate_domain::notification_setting::{DestinationType, TrafficSource};
use tollgate_service::{Caller, NewNotificationSetting, Service};

use crate::Settings;
use crate::load::Load;
use crate::machine::processor_time;
use crate::postgres::{Processes, Schema};
use crate::receiver::Receiver;
use crate::recorded::Recorded;
use crate::rounds::Round;
use crate::server::{Server, ServerArgs};
use crate::site::{CLIENTS, Tenant, runtime};

/// Where a store is made.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Sqlite,
    Postgres(&'a str),
}

impl Place<'_> {
    /// Each store there is: the embedded one, and PostgreSQL's where a server is named.
    pub(crate) fn all(settings: &Settings) -> impl Iterator<Item = Place<'_>> {
        let postgres = settings.postgres.as_deref().map(Place::Postgres);
        [Place::Sqlite].into_iter().chain(postgres)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// A workspace to be: the URLs of its destinations.
pub(crate) type Destinations = Vec<String>;

/// Destinations, and clients whose requests make events for them.
/// Dropped in the order of its fields: the server before its store.
pub(crate) struct Shop {
    load: Load,
    /// How many deliveries an event makes.
    fan_out: u64,
    recorded: Recorded,
    processes: Option<Processes>,
    server: Server,
    _schema: Option<Schema>,
    _dir: tempfile::TempDir,
}

impl Shop {
    /// Opens one in a store of its own. Clients make events in `workspaces`, all of which have as many
    /// destinations; in `others`, as many as are wanted are made at once, and wait.
    pub(crate) fn open(
        settings: &Settings,
        store: (Place<'_>, &str),
        workspaces: &[Destinations],
        others: (&Destinations, u64),
    ) -> anyhow::Result<Self> {
        Self::open_by(&std::env::current_exe()?, settings, store, workspaces, others)
    }

    /// The same, with a server by another build of this program.
    pub(crate) fn open_by(
        program: &Path,
        settings: &Settings,
        (place, name): (Place<'_>, &str),
        workspaces: &[Destinations],
        (others, events): (&Destinations, u64),
    ) -> anyhow::Result<Self> {
        let dir = settings.fresh_dir()?;
        let schema = match place {
            Place::Sqlite => None,
            Place::Postgres(server) => Some(Schema::create(server, name)?),
        };
        let args = schema.as_ref().map_or_else(
            || ServerArgs::sqlite(dir.path().to_owned()),
            |schema| ServerArgs::postgres(schema.url.clone()),
        );
        let (tenants, other) = runtime()?.block_on(async {
            let store = args.open().await?;
            let mut tenants = Vec::with_capacity(workspaces.len());
            for destinations in workspaces {
                tenants.push(tenant(store.service(), destinations).await?.0);
            }
            let (other, _) = tenant(store.service(), others).await?;
            store.close().await;
            anyhow::Ok((tenants, other))
        })?;
        let server = Server::start_by(program, &args)?;
        let load = |requests| Load::connect(server.address, CLIENTS, requests, b"HTTP/1.1 201");
        if events > 0 {
            load(vec![other.create_request()])?.run_times(events)?;
        }
        Ok(Self {
            load: load(tenants.iter().map(Tenant::create_request).collect())?,
            fan_out: workspaces.first().map_or(0, |destinations| destinations.len() as u64),
            recorded: Recorded::of(&args)?,
            processes: match place {
                Place::Sqlite => None,
                Place::Postgres(server) => Some(Processes::of(server)?),
            },
            server,
            _schema: schema,
            _dir: dir,
        })
    }

    /// Makes events for so many deliveries, and waits until all are received and recorded. Processor time is the server's,
    /// and the database's.
    pub(crate) fn round(&mut self, receiver: &Receiver, deliveries: u64) -> anyhow::Result<Round> {
        let Self { load, recorded, .. } = self;
        let (taken_before, recorded_before) = (receiver.taken(0)?, recorded.count()?);
        let server = self.server.pid();
        let mut round = || -> anyhow::Result<Round> {
            let (before, began) = (processor_time(server)?, Instant::now());
            let done = load.run_times(deliveries.div_ceil(self.fan_out))?.done * self.fan_out;
            receiver.taken(taken_before + done)?;
            recorded.wait_for(recorded_before + done)?;
            Ok(Round {
                done,
                seconds: began.elapsed().as_secs_f64(),
                processor: Some(processor_time(server)? - before),
                micros: Vec::new(),
            })
        };
        match &self.processes {
            Some(processes) => processes.add_to(round),
            None => round(),
        }
    }

    /// How many deliveries were recorded since the store was made.
    pub(crate) fn recorded(&mut self) -> anyhow::Result<u64> {
        self.recorded.count()
    }
}

/// A workspace with these destinations, and who may do everything there.
pub(crate) async fn tenant(service: &Service, destinations: &[String]) -> anyhow::Result<(Tenant, Caller)> {
    let (tenant, operator) = Tenant::create_in(service).await?;
    for destination in destinations {
        let new = NewNotificationSetting {
            description: "Benchmark".to_owned(),
            destination_type: DestinationType::Url,
            destination: destination.clone(),
            api_version: 1,
            include_sensitive_fields: false,
            traffic_source: TrafficSource::Platform,
            subscribed_events: vec![EventType::ClientTokenCreated.name().to_owned()],
        };
        service.create_notification_setting(&operator, &new).await?;
    }
    Ok((tenant, operator))
}
