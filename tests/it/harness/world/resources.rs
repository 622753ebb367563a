//! What tests do with resources over and over: connect the source, apply a plan, start it, wait for its end.

use forklift_api::virtual_machine_import::LongshoreStatus;
use forklift_api::{Condition, Migration, NetworkMap, Plan, Provider, StorageMap, VirtualMachineImport, labels};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::World;
use crate::harness::manifests::{self, yaml};
use crate::harness::until;

/// An object that has conditions.
pub trait Judged: Resource<DynamicType = ()> + DeserializeOwned + Serialize {
    /// Its conditions.
    fn conditions(&self) -> &[Condition];
}

macro_rules! judged {
    ($($kind:ty),*) => {$(
        impl Judged for $kind {
            fn conditions(&self) -> &[Condition] {
                self.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default()
            }
        }
    )*};
}
judged!(Provider, NetworkMap, StorageMap, Plan, Migration);

/// The condition of this type that is True.
pub fn holds<'a>(object: &'a impl Judged, type_: &str) -> Option<&'a Condition> {
    object.conditions().iter().find(|condition| condition.type_ == type_ && condition.is_true())
}

impl World {
    /// The Secret of the vCenter as it should be, with the authority to trust.
    pub fn credentials(&self) -> Value {
        let ready = &self.vcenter.ready;
        let ca = std::fs::read_to_string(&ready.ca).unwrap();
        json!({ "user": ready.user, "password": self.vcenter.password, "cacert": ca })
    }

    /// Applies Secret, both providers and both maps, and waits until they are Ready.
    pub fn connect(&self) {
        self.cli.apply(&yaml(&[
            manifests::secret("vcenter", &self.credentials()),
            manifests::vsphere("vcenter", &self.vcenter.ready.url),
            manifests::host(),
            manifests::network_map(
                "networks",
                &[
                    ("VM Network", json!({ "type": "pod" })),
                    ("Backend", json!({ "type": "multus", "name": "backend", "namespace": "lan" })),
                ],
            ),
            manifests::storage_map("storage", &[("vmfs-1", "fast"), ("nfs 1", "slow")]),
        ]));
        for provider in ["vcenter", "host"] {
            self.ready::<Provider>(provider);
        }
        self.ready::<NetworkMap>("networks");
        self.ready::<StorageMap>("storage");
    }

    /// Waits until an object has a condition that is True.
    pub fn condition<K: Judged>(&self, name: &str, type_: &str) -> Condition {
        until(&format!("{} {name} gets the condition {type_}", K::kind(&())), || {
            let object = self.cli.get::<K>(name).ok_or("it does not exist")?;
            holds(&object, type_).cloned().ok_or_else(|| serde_json::to_string_pretty(object.conditions()).unwrap())
        })
    }

    /// Waits until an object is Ready.
    pub fn ready<K: Judged>(&self, name: &str) {
        self.condition::<K>(name, "Ready");
    }

    /// Applies a plan and waits until it is Ready.
    pub fn plan(&self, name: &str, vms: &[&str], more: &Value) {
        self.cli.apply(&yaml(&[manifests::plan(name, vms, more)]));
        self.ready::<Plan>(name);
    }

    /// Applies a Migration; `vms` are all that its plan names, for the watcher.
    pub fn migrate(&self, name: &str, plan: &str, vms: &[&str]) {
        self.watcher.migration_of(vms);
        self.cli.apply(&yaml(&[manifests::migration(name, plan)]));
    }

    /// Waits until a migration has ended; returns it. Every source that it failed to migrate must be as it was.
    pub fn ended(&self, name: &str) -> Migration {
        let migration = until(&format!("migration {name} ends"), || {
            let migration = self.cli.get::<Migration>(name).ok_or("it does not exist")?;
            let ended = migration.status.as_ref().is_some_and(|status| status.completed.is_some());
            if ended { Ok(migration) } else { Err(serde_json::to_string_pretty(&migration.status).unwrap()) }
        });
        for vm in migration.status.iter().flat_map(|status| &status.vms).filter(|vm| vm.error.is_some()) {
            self.watcher.assert_power_restored(vm.vm.name.as_deref().unwrap());
        }
        migration
    }

    /// The only import of a migration, if there is one.
    pub fn import(&self, migration: &str) -> Option<VirtualMachineImport> {
        let uid = self.cli.get::<Migration>(migration)?.uid();
        let all = self.cli.list::<VirtualMachineImport>();
        all.into_iter().find(|import| import.labels().get(labels::MIGRATION) == uid.as_ref())
    }

    /// The state of the only VM of a migration.
    pub fn state(&self, migration: &str) -> LongshoreStatus {
        let status = self.import(migration).and_then(|import| import.status).and_then(|status| status.longshore);
        status.unwrap_or_else(|| panic!("migration {migration} has no import with a state"))
    }

    /// Waits until the state of a migration's only VM is as wanted.
    pub fn state_where(
        &self,
        migration: &str,
        what: &str,
        wanted: impl Fn(&LongshoreStatus) -> bool,
    ) -> LongshoreStatus {
        until(&format!("the VM of migration {migration}: {what}"), || {
            let import = self.import(migration).ok_or("it has no import")?;
            let state = import.status.and_then(|status| status.longshore).ok_or("its import has no state")?;
            if wanted(&state) { Ok(state) } else { Err(serde_json::to_string_pretty(&state).unwrap()) }
        })
    }

    /// Waits until a migration has ended and its one VM failed for `reason`; returns the VM's state.
    pub fn failed(&self, migration: &str, reason: &str) -> LongshoreStatus {
        let ended = self.ended(migration);
        assert!(holds(&ended, "Failed").is_some(), "{:#?}", ended.status);
        let state = self.state(migration);
        let failure = state.failure.clone().unwrap_or_else(|| panic!("it has no failure: {state:#?}"));
        assert_eq!(failure.reason, reason, "{failure:#?}");
        state
    }
}
