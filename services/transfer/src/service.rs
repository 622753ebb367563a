//! The service as a whole: what it is made of, how it starts and stops.

use std::io;
use std::sync::Arc;

use bus::{Bus, ConsumeError, Consumer};
use contract::job::CopyRequested;
use runtime::{Probe, Process};
use store::{Secrets, Store};

use crate::board::Board;
use crate::job::Desk;
use crate::metrics::TransferMetrics;
use crate::options::Options;
use crate::source::{Providers, VcenterProviders};
use crate::workers::Workers;
use crate::{announce, api, queue};

/// Why the service doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The threads that copy can't be started.
    #[error("the copying threads can't be started; see to the limits of the process")]
    Threads(#[source] io::Error),
    /// The queue of jobs can't be read.
    #[error("the transfer service can't read its queue of jobs")]
    Queue(#[source] ConsumeError),
}

/// The transfer service, ready to run.
pub struct Transfer {
    desk: Desk,
    queue: Consumer<CopyRequested>,
    probe: Probe,
}

impl Transfer {
    /// Starts the copying threads and opens the queue; takes no job yet.
    pub async fn open(
        options: Options,
        bus: Bus,
        store: Store,
        secrets: Secrets,
        process: Process,
    ) -> Result<Self, Error> {
        let providers = Arc::new(VcenterProviders::new(store, secrets));
        Self::with_providers(options, bus, providers, &process).await
    }

    pub(crate) async fn with_providers(
        options: Options,
        bus: Bus,
        providers: Arc<dyn Providers>,
        process: &Process,
    ) -> Result<Self, Error> {
        let probe = process.health.probe("transfer");
        let workers = Workers::start(options.threads(), options.blocking_threads()).map_err(Error::Threads)?;
        let mut queue = bus.consume(queue::durable(options.jobs));
        queue.open().await.map_err(Error::Queue)?;
        let desk = Desk {
            bus,
            shutdown: process.shutdown.clone(),
            providers,
            workers: Arc::new(workers),
            board: Board::default(),
            metrics: TransferMetrics::register(&process.metrics),
            options,
        };
        Ok(Self { desk, queue, probe })
    }

    /// The service's HTTP API: `/transfers`.
    pub fn router(&self) -> axum::Router {
        api::router(self.desk.board.clone())
    }

    /// Takes jobs until shutdown. Jobs under way are stopped, their targets closed, their messages given back.
    pub async fn run(self) -> Result<(), Error> {
        let Self { desk, queue, probe } = self;
        probe.ready();
        tokio::join!(queue::run(&desk, queue), announce::announce(&desk.bus, &desk.shutdown));
        probe.not_ready("stopping");
        Ok(())
    }
}
