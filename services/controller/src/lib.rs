//! The controller: resources are the intent, the inventory is the truth, and this service brings the one to the
//! other. It alone writes the status of resources and changes the power of a source; it never touches disk bytes.

pub mod api;
mod conditions;
mod context;
mod error;
mod follow;
pub mod index;
pub mod options;
mod pipeline;
mod reconcile;
mod run;
pub mod schedule;
mod source;
pub mod step;
pub mod target;
mod transfers;
mod triggers;
pub mod validate;
pub mod vm;

use std::sync::Arc;

use bus::Bus;
use forklift_api::{Migration, NetworkMap, Plan, Provider, StorageMap, VirtualMachineImport};
use kube::runtime::reflector::store::Writer;
use runtime::Process;
use store::{Secrets, Store};

pub use error::Error;
pub use options::Options;

use context::{Caches, Context};
use target::local::Local;
use triggers::{Queues, Triggers};

/// The controller of one process.
pub struct Controller {
    context: Arc<Context>,
    writers: Writers,
    triggers: Triggers,
    queues: Queues,
    process: Process,
}

/// The writing ends of the caches.
pub(crate) struct Writers {
    providers: Writer<Provider>,
    network_maps: Writer<NetworkMap>,
    storage_maps: Writer<StorageMap>,
    plans: Writer<Plan>,
    migrations: Writer<Migration>,
    imports: Writer<VirtualMachineImport>,
}

impl Controller {
    /// Prepares a controller; nothing is read or done before [`Controller::run`].
    pub async fn open(
        options: Options,
        bus: Bus,
        store: Store,
        secrets: Secrets,
        process: Process,
    ) -> Result<Self, Error> {
        process.health.probe("controller").not_ready("the inventory is being read from the bus");
        let writers = Writers {
            providers: Writer::default(),
            network_maps: Writer::default(),
            storage_maps: Writer::default(),
            plans: Writer::default(),
            migrations: Writer::default(),
            imports: Writer::default(),
        };
        let caches = Caches {
            providers: writers.providers.as_reader(),
            network_maps: writers.network_maps.as_reader(),
            storage_maps: writers.storage_maps.as_reader(),
            plans: writers.plans.as_reader(),
            migrations: writers.migrations.as_reader(),
            imports: writers.imports.as_reader(),
        };
        let target = Arc::new(Local::new(options.classes(), options.vms()));
        let context = Arc::new(Context::new(options, (store, secrets, bus), target, caches));
        let (triggers, queues) = triggers::queues();
        Ok(Self { context, writers, triggers, queues, process })
    }

    /// The HTTP API for resources and secrets.
    pub fn router(&self) -> axum::Router {
        api::router(self.context.store.clone(), self.context.secrets.clone(), self.process.clone())
    }
}
