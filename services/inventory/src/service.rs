//! The service as a whole: opens the database, gives the routes, runs the parts until the process stops.

use std::sync::Arc;

use axum::Router;
use bus::Bus;
use runtime::Process;
use runtime::data::{self, DataDir};
use store::{Secrets, Store};
use tokio::sync::Notify;

use crate::collector::Collector;
use crate::concerns::Concerns;
use crate::database::{self, Sqlite};
use crate::http::{self, Reader};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::readiness::Readiness;
use crate::sender::Sender;
use crate::supervisor::Supervisor;

/// The subfolder of the data directory that this service locks, and the file in it.
const FOLDER: &str = "inventory";
const FILE: &str = "inventory.db";

/// Why the inventory can't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory can't be used, or another process works on it.
    #[error("the inventory can't use its data directory")]
    Data(#[from] data::Error),
    /// The database can't be opened.
    #[error("the inventory can't open its database")]
    Database(#[from] database::Error),
}

/// An inventory service that is open but not running yet.
pub struct Inventory {
    reader: Reader,
    supervisor: Supervisor,
    sender: Sender,
    bus: Bus,
    process: Process,
    _lock: data::Lock,
}

impl Inventory {
    /// Opens the database under `options.data`, which no other process may be using. From here on
    /// [`Inventory::router`] can answer with what is known from the last run.
    pub async fn open(
        options: Options,
        bus: Bus,
        store: Store,
        secrets: Secrets,
        process: Process,
    ) -> Result<Self, Error> {
        let lock = DataDir::open(&options.data)?.lock(FOLDER)?;
        let database = Arc::new(Sqlite::open(&lock.path().join(FILE)).await?);
        let metrics = process.metrics.registry(Metrics::registered);
        let (wake, retry, page) = (Arc::new(Notify::new()), options.retry(), options.page_objects.max(1));
        let sender =
            Sender { store: database.clone(), bus: bus.clone(), wake: wake.clone(), metrics: metrics.clone(), retry };
        let readiness = Readiness::new(process.health.probe(FOLDER));
        let collector = Collector { store: database.clone(), wake, metrics, readiness, retry, page };
        let supervisor = Supervisor { resources: store, secrets, store: database.clone(), collector };
        let reader = Reader { store: database, concerns: Concerns::default() };
        Ok(Self { reader, supervisor, sender, bus, process, _lock: lock })
    }

    /// The routes under `/providers`. Whoever serves them decides who may ask.
    pub fn router(&self) -> Router {
        http::router(self.reader.clone())
    }

    /// Follows the providers and tells the bus until the process stops; failures on the way are logged and tried
    /// again.
    pub async fn run(self) -> Result<(), Error> {
        let stop = self.process.shutdown.token();
        let concerns = async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.reader.concerns.follow(&self.bus) => {}
            }
        };
        tokio::join!(self.supervisor.run(&stop), self.sender.run(&stop), concerns);
        Ok(())
    }
}
