//! What reconcilers share: stores, the bus, the indexes, the target, and the clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bus::Bus;
use forklift_api::{Migration, NetworkMap, ObjectRef, Plan, Provider, StorageMap, VirtualMachineImport};
use jiff::Timestamp;
use kube::runtime::reflector;
use store::{Secrets, Store};

use crate::error::Error;
use crate::index::Index;
use crate::options::Options;
use crate::schedule::Load;
use crate::source::Sources;
use crate::target::Target;
use crate::transfers::Transfers;

/// Everything a reconciler may use.
pub(crate) struct Context {
    pub options: Options,
    pub store: Store,
    pub secrets: Secrets,
    pub bus: Bus,
    pub target: Arc<dyn Target>,
    pub sources: Sources,
    pub caches: Caches,
    index: RwLock<Index>,
    transfers: RwLock<Transfers>,
    /// Imports that were given their turn, by uid; the caches may lag behind it.
    turns: Mutex<HashMap<String, Load>>,
}

/// The newest known state of each kind, for looking around; what is written is read afresh first.
pub(crate) struct Caches {
    pub providers: reflector::Store<Provider>,
    pub network_maps: reflector::Store<NetworkMap>,
    pub storage_maps: reflector::Store<StorageMap>,
    pub plans: reflector::Store<Plan>,
    pub migrations: reflector::Store<Migration>,
    pub imports: reflector::Store<VirtualMachineImport>,
}

impl Caches {
    /// Every cache holds all there is. A writer that is gone means that the process stops.
    pub async fn filled(&self) {
        let _ = tokio::join!(
            self.providers.wait_until_ready(),
            self.network_maps.wait_until_ready(),
            self.storage_maps.wait_until_ready(),
            self.plans.wait_until_ready(),
            self.migrations.wait_until_ready(),
            self.imports.wait_until_ready(),
        );
    }
}

impl Context {
    pub fn new(
        options: Options,
        (store, secrets, bus): (Store, Secrets, Bus),
        target: Arc<dyn Target>,
        caches: Caches,
    ) -> Self {
        Self {
            sources: Sources::new(secrets.clone()),
            options,
            store,
            secrets,
            bus,
            target,
            caches,
            index: RwLock::default(),
            transfers: RwLock::default(),
            turns: Mutex::default(),
        }
    }

    /// Wall-clock time: what is written into resources is compared after restarts, so it can't be monotonic.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn transfers(&self) -> RwLockReadGuard<'_, Transfers> {
        self.transfers.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn transfers_mut(&self) -> RwLockWriteGuard<'_, Transfers> {
        self.transfers.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn turns(&self) -> MutexGuard<'_, HashMap<String, Load>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object a reference names; its namespace is the referring object's unless it says another.
    pub async fn referred<K: store::Object>(&self, reference: &ObjectRef, namespace: &str) -> Result<Option<K>, Error> {
        let Some(name) = reference.name.as_deref().filter(|name| !name.is_empty()) else { return Ok(None) };
        let namespace = reference.namespace.as_deref().filter(|own| !own.is_empty()).unwrap_or(namespace);
        Ok(self.store.get::<K>(namespace, name).await?)
    }
}
