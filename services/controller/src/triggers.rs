//! What makes a resource be looked at: a change of its own, of what it refers to, of the inventory, of a copy, or of
//! a secret. A trigger carries nothing but the name; the reconciler reads what is true then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use forklift_api::{Migration, NetworkMap, Plan, Provider, StorageMap, VirtualMachineImport, labels};
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};
use tokio::sync::mpsc;

use crate::context::Caches;
use crate::index::Touched;
use crate::transfers;

/// Bounded: a full queue slows its feeder down, and the reconciler that empties it never waits for a feeder.
const QUEUE: usize = 1024;

/// One queue a kind.
#[derive(Clone)]
pub(crate) struct Triggers {
    pub providers: mpsc::Sender<ObjectRef<Provider>>,
    pub network_maps: mpsc::Sender<ObjectRef<NetworkMap>>,
    pub storage_maps: mpsc::Sender<ObjectRef<StorageMap>>,
    pub plans: mpsc::Sender<ObjectRef<Plan>>,
    pub migrations: mpsc::Sender<ObjectRef<Migration>>,
    pub imports: mpsc::Sender<ObjectRef<VirtualMachineImport>>,
    /// Nothing is queued before somebody empties the queues.
    open: Arc<AtomicBool>,
}

/// The other ends.
pub(crate) struct Queues {
    pub providers: mpsc::Receiver<ObjectRef<Provider>>,
    pub network_maps: mpsc::Receiver<ObjectRef<NetworkMap>>,
    pub storage_maps: mpsc::Receiver<ObjectRef<StorageMap>>,
    pub plans: mpsc::Receiver<ObjectRef<Plan>>,
    pub migrations: mpsc::Receiver<ObjectRef<Migration>>,
    pub imports: mpsc::Receiver<ObjectRef<VirtualMachineImport>>,
}

pub(crate) fn queues() -> (Triggers, Queues) {
    let (providers, on_providers) = mpsc::channel(QUEUE);
    let (network_maps, on_network_maps) = mpsc::channel(QUEUE);
    let (storage_maps, on_storage_maps) = mpsc::channel(QUEUE);
    let (plans, on_plans) = mpsc::channel(QUEUE);
    let (migrations, on_migrations) = mpsc::channel(QUEUE);
    let (imports, on_imports) = mpsc::channel(QUEUE);
    (
        Triggers { providers, network_maps, storage_maps, plans, migrations, imports, open: Arc::default() },
        Queues {
            providers: on_providers,
            network_maps: on_network_maps,
            storage_maps: on_storage_maps,
            plans: on_plans,
            migrations: on_migrations,
            imports: on_imports,
        },
    )
}

/// Puts objects into a queue. A closed queue means that the process stops.
async fn all<K>(queue: &mpsc::Sender<ObjectRef<K>>, objects: impl IntoIterator<Item = Arc<K>>)
where
    K: Resource<DynamicType = ()>,
{
    for object in objects {
        if queue.send(ObjectRef::from_obj(object.as_ref())).await.is_err() {
            return;
        }
    }
}

impl Triggers {
    /// From here on triggers count; what they would have told before is covered by looking at everything once.
    pub async fn open(&self, caches: &Caches) {
        self.open.store(true, Ordering::SeqCst);
        all(&self.providers, caches.providers.state()).await;
        self.dependants(caches).await;
        all(&self.migrations, caches.migrations.state()).await;
        all(&self.imports, caches.imports.state()).await;
    }

    fn is_closed(&self) -> bool {
        !self.open.load(Ordering::SeqCst)
    }

    /// A provider changed: all that may refer to it.
    pub async fn provider(&self, caches: &Caches, provider: &Provider) {
        if self.is_closed() {
            return;
        }
        let _ = self.providers.send(ObjectRef::from_obj(provider)).await;
        self.dependants(caches).await;
    }

    async fn dependants(&self, caches: &Caches) {
        all(&self.network_maps, caches.network_maps.state()).await;
        all(&self.storage_maps, caches.storage_maps.state()).await;
        all(&self.plans, caches.plans.state()).await;
    }

    /// Other rules judge now: what they say of any VM may differ.
    pub async fn plans(&self, caches: &Caches) {
        if self.is_closed() {
            return;
        }
        all(&self.plans, caches.plans.state()).await;
    }

    /// A secret changed: its provider's conditions are about an older version now.
    pub async fn secret(&self, caches: &Caches) {
        if self.is_closed() {
            return;
        }
        all(&self.providers, caches.providers.state()).await;
    }

    pub async fn network_map(&self, caches: &Caches, map: &NetworkMap) {
        if self.is_closed() {
            return;
        }
        let _ = self.network_maps.send(ObjectRef::from_obj(map)).await;
        all(&self.plans, caches.plans.state()).await;
    }

    pub async fn storage_map(&self, caches: &Caches, map: &StorageMap) {
        if self.is_closed() {
            return;
        }
        let _ = self.storage_maps.send(ObjectRef::from_obj(map)).await;
        all(&self.plans, caches.plans.state()).await;
    }

    /// A plan changed: its migrations that wait for it.
    pub async fn plan(&self, caches: &Caches, plan: &Plan) {
        if self.is_closed() {
            return;
        }
        let _ = self.plans.send(ObjectRef::from_obj(plan)).await;
        let of_plan = |migration: &Arc<Migration>| migration.spec.plan.name == plan.metadata.name;
        all(&self.migrations, caches.migrations.state().into_iter().filter(of_plan)).await;
    }

    /// A migration changed: its plan, and its imports (they may be canceled).
    pub async fn migration(&self, caches: &Caches, migration: &Migration) {
        if self.is_closed() {
            return;
        }
        let _ = self.migrations.send(ObjectRef::from_obj(migration)).await;
        let its = |plan: &Arc<Plan>| plan.metadata.name == migration.spec.plan.name;
        all(&self.plans, caches.plans.state().into_iter().filter(its)).await;
        let uid = migration.uid();
        let of = |import: &Arc<VirtualMachineImport>| import.labels().get(labels::MIGRATION) == uid.as_ref();
        all(&self.imports, caches.imports.state().into_iter().filter(of)).await;
    }

    /// An import changed: its migration and its plan sum it up, and others may get their turn.
    pub async fn import(&self, caches: &Caches, import: &VirtualMachineImport) {
        if self.is_closed() {
            return;
        }
        let _ = self.imports.send(ObjectRef::from_obj(import)).await;
        let label = |name: &str| import.labels().get(name).cloned();
        let its = |migration: &Arc<Migration>| migration.uid() == label(labels::MIGRATION);
        all(&self.migrations, caches.migrations.state().into_iter().filter(its)).await;
        let plan = label(labels::PLAN);
        all(&self.plans, caches.plans.state().into_iter().filter(|p| p.uid() == plan)).await;
    }

    /// The inventory or an assessment changed.
    pub async fn touched(&self, caches: &Caches, touched: &Touched) {
        if self.is_closed() {
            return;
        }
        match touched {
            Touched::Provider(uid) => {
                let its = |provider: &Arc<Provider>| provider.uid().as_deref() == Some(uid.as_str());
                all(&self.providers, caches.providers.state().into_iter().filter(its)).await;
                self.dependants(caches).await;
            }
            Touched::Vm(_, vm) => {
                // A VM that is named only by name may have become findable, or ambiguous.
                let lists = |plan: &Arc<Plan>| {
                    plan.spec.vms.iter().any(|wanted| wanted.id.as_deref().is_none_or(|id| id == vm.as_str()))
                };
                all(&self.plans, caches.plans.state().into_iter().filter(lists)).await;
            }
        }
    }

    /// A copy moved on or ended.
    pub async fn transfer(&self, caches: &Caches, (migration, vm): &transfers::Key) {
        if self.is_closed() {
            return;
        }
        let label = |import: &Arc<VirtualMachineImport>, name: &str| import.labels().get(name).cloned();
        let its = |import: &Arc<VirtualMachineImport>| {
            label(import, labels::MIGRATION).as_deref() == Some(migration.as_str())
                && label(import, labels::VM_ID).as_deref() == Some(vm.as_str())
        };
        all(&self.imports, caches.imports.state().into_iter().filter(its)).await;
    }
}
