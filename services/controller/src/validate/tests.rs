//! Plans that can run and plans that can't: each refusal names the object and what to do.

use contract::assessment::VmAssessed;
use contract::concern::{Category as ConcernCategory, Concern};
use contract::inventory::{Changed, Collection, InventoryEvent, ProviderState, VmEvent};
use contract::revision::Revision;
use contract::vsphere::{Datacenter, Datastore, Disk, Network, Nic, PowerState, Ref, Vm, Workload};
use forklift_api::{Condition, Time};
use serde_json::{Value, json};

use super::*;
use crate::index::Index;

const PROVIDER: &str = "uid-vc";

/// A world in which the plan `base()` is Ready; tests spoil one thing each.
struct World {
    vm: Vm,
    others: Vec<Vm>,
    datastore: Datastore,
    concerns: Vec<Concern>,
    assessed: bool,
    rules: String,
    plan: Value,
    networks: Value,
    storage: Value,
    succeeded: HashSet<String>,
    taken: HashSet<String>,
}

fn vm(id: &str, name: &str) -> Vm {
    Vm {
        id: id.into(),
        name: name.into(),
        path: format!("/DC/vm/{id}/{name}"),
        power_state: PowerState::PoweredOn,
        tools_running_status: "guestToolsRunning".into(),
        disks: vec![Disk {
            key: 2000,
            file: "[ssd] web/web.vmdk".into(),
            datastore: Ref::new("Datastore", "datastore-1"),
            capacity: 1 << 30,
            backing: "VirtualDiskFlatVer2BackingInfo".into(),
            ..Disk::default()
        }],
        nics: vec![Nic { network: Ref::new("Network", "network-1"), ..Nic::default() }],
        ..Vm::default()
    }
}

fn world() -> World {
    World {
        vm: vm("vm-1", "web"),
        others: Vec::new(),
        datastore: Datastore {
            id: "datastore-1".into(),
            name: "ssd".into(),
            path: "/DC/datastore/ssd".into(),
            kind: "VMFS".into(),
            ..Datastore::default()
        },
        concerns: Vec::new(),
        assessed: true,
        rules: "r".into(),
        plan: json!({ "targetNamespace": "shop", "skipGuestConversion": true, "vms": [{ "name": "web" }],
            "provider": { "source": { "name": "vc" }, "destination": { "name": "host" } },
            "map": { "network": { "name": "n" }, "storage": { "name": "s" } } }),
        networks: json!([{ "source": { "name": "lan" }, "destination": { "type": "pod" } }]),
        storage: json!([{ "source": { "name": "ssd" }, "destination": { "storageClass": "fast" } }]),
        succeeded: HashSet::new(),
        taken: HashSet::new(),
    }
}

fn ready(kind: &str, spec: &Value) -> Value {
    let group = "forklift.konveyor.io/v1beta1";
    let condition = json!({ "type": "Ready", "status": "True", "category": "Required", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    json!({ "apiVersion": group, "kind": kind, "metadata": { "name": "x", "namespace": "d", "uid": PROVIDER }, "spec": spec, "status": { "conditions": [condition] } })
}

impl World {
    fn index(&self) -> Index {
        let mut index = Index::default();
        let revision = Revision { epoch: 1, n: 1 };
        let changed = |vm: &Vm| {
            let object = Workload::new(vm.clone(), None);
            InventoryEvent::Vm(VmEvent::Changed(Box::new(Changed { provider: PROVIDER.into(), revision, object })))
        };
        for vm in std::iter::once(&self.vm).chain(&self.others) {
            index.apply(changed(vm));
            if self.assessed {
                index.assess(VmAssessed {
                    provider: PROVIDER.into(),
                    vm: vm.id.as_str().into(),
                    vm_revision: revision,
                    rules_revision: "r".into(),
                    concerns: self.concerns.clone(),
                    removed: false,
                });
            }
        }
        let network = Network {
            id: "network-1".into(),
            name: "lan".into(),
            path: "/DC/network/lan".into(),
            ..Network::default()
        };
        let datacenter = Datacenter { id: "dc-1".into(), path: "/DC".into(), ..Datacenter::default() };
        index.apply(InventoryEvent::Network(Changed { provider: PROVIDER.into(), revision, object: network }));
        index.apply(InventoryEvent::Datastore(Changed {
            provider: PROVIDER.into(),
            revision,
            object: self.datastore.clone(),
        }));
        index.apply(InventoryEvent::Datacenter(Changed { provider: PROVIDER.into(), revision, object: datacenter }));
        index.apply(InventoryEvent::Provider(ProviderState {
            provider: PROVIDER.into(),
            generation: 1,
            secret_version: "1".into(),
            revision,
            collection: Collection::Synced,
            fingerprint: None,
            vm_count: 1,
        }));
        index
    }

    fn judge(&self) -> Vec<Condition> {
        let pair = json!({ "source": {}, "destination": {} });
        let read = |value: Value| serde_json::from_value::<Plan>(value).unwrap();
        let plan = read(ready("Plan", &self.plan));
        let source: Provider = serde_json::from_value(ready(
            "Provider",
            &json!({ "type": "vsphere", "url": "https://vc/sdk", "secret": {} }),
        ))
        .unwrap();
        let host: Provider =
            serde_json::from_value(ready("Provider", &json!({ "type": "openshift", "secret": {} }))).unwrap();
        let network_map: NetworkMap =
            serde_json::from_value(ready("NetworkMap", &json!({ "provider": pair, "map": self.networks }))).unwrap();
        let storage_map: StorageMap =
            serde_json::from_value(ready("StorageMap", &json!({ "provider": pair, "map": self.storage }))).unwrap();
        let index = self.index();
        let verdict = super::plan(&Input {
            plan: &plan,
            source: Some(&source),
            destination: Some(&host),
            network_map: Some(&network_map),
            storage_map: Some(&storage_map),
            inventory: index.provider(&PROVIDER.into()),
            active_rules: Some(&self.rules),
            succeeded: &self.succeeded,
            executing: false,
            taken_names: &self.taken,
        });
        verdict.findings.conditions(&Time(jiff::Timestamp::UNIX_EPOCH))
    }

    /// The one blocking condition; its text names `object`.
    #[track_caller]
    fn refused(&self, type_: &str, object: &str) {
        let found = self.judge();
        let blocking: Vec<&Condition> = found.iter().filter(|condition| condition.blocks()).collect();
        assert_eq!(blocking.iter().map(|c| c.type_.as_str()).collect::<Vec<_>>(), [type_], "{found:?}");
        let text = format!("{:?} {:?}", blocking[0].items, blocking[0].message);
        assert!(text.contains(object), "{text}");
    }
}

#[test]
fn a_plain_running_vm_with_tools_can_go() {
    assert!(world().judge().iter().all(|condition| !condition.blocks()), "{:?}", world().judge());
}

#[test]
fn warm_is_refused_and_never_turned_into_cold() {
    let mut world = world();
    world.plan["warm"] = json!(true);
    world.refused("WarmMigrationNotReady", "remove `warm: true`");
}

#[test]
fn conversion_is_refused_with_the_setting_that_helps() {
    let mut world = world();
    world.plan["skipGuestConversion"] = json!(false);
    world.refused("GuestConversionNotImplemented", "skipGuestConversion: true");
}

#[test]
fn a_snapshot_is_refused_with_the_vm_named() {
    let mut world = world();
    world.vm.snapshot = Ref::new("VirtualMachineSnapshot", "snapshot-1");
    world.refused("VMHasSnapshots", "web");
}

#[test]
fn a_running_vm_without_tools_is_refused_and_a_stopped_one_is_not() {
    let mut world = world();
    world.vm.tools_running_status = "guestToolsNotRunning".into();
    world.refused("GuestToolsIssue", "web");
    world.vm.power_state = PowerState::PoweredOff;
    assert!(world.judge().iter().all(|condition| !condition.blocks()));
}

#[test]
fn a_suspended_vm_is_refused() {
    let mut world = world();
    world.vm.power_state = PowerState::Suspended;
    world.refused("VMPowerStateUnsupported", "web");
}

#[test]
fn unmapped_networks_and_datastores_are_named() {
    let mut no_network = world();
    no_network.networks = json!([]);
    no_network.refused("VMNetworksNotMapped", "lan");
    let mut no_storage = world();
    no_storage.storage = json!([]);
    no_storage.refused("VMStorageNotMapped", "ssd");
}

#[test]
fn a_name_that_fits_two_vms_is_refused_with_both_paths() {
    let mut world = world();
    world.others = vec![vm("vm-2", "web")];
    world.refused("DuplicateVM", "/DC/vm/vm-2/web");
    world.plan["vms"] = json!([{ "id": "vm-2" }]);
    assert!(world.judge().iter().all(|condition| !condition.blocks()));
}

#[test]
fn a_vm_that_is_not_there_or_listed_twice_is_refused() {
    let mut gone = world();
    gone.plan["vms"] = json!([{ "id": "vm-9" }]);
    gone.refused("VMNotFound", "vm-9");
    let mut twice = world();
    twice.plan["vms"] = json!([{ "id": "vm-1" }, { "name": "web" }]);
    twice.refused("DuplicateVM", "vm-1");
}

#[test]
fn only_plain_flat_files_on_vmfs_and_nfs_are_read() {
    let mut vsan = world();
    vsan.datastore.kind = "vsan".into();
    vsan.refused("VMStorageNotSupported", "type vsan");
    let mut sparse = world();
    sparse.vm.disks[0].backing = "VirtualDiskSeSparseBackingInfo".into();
    sparse.refused("VMStorageNotSupported", "SeSparse");
    let mut child = world();
    child.vm.disks[0].parent = "[ssd] web/base.vmdk".into();
    child.refused("VMStorageNotSupported", "base.vmdk");
    let mut shared = world();
    shared.vm.disks[0].shared = true;
    shared.refused("SharedDisks", "web.vmdk");
}

#[test]
fn critical_concerns_and_missing_assessments_block() {
    let mut concerned = world();
    concerned.concerns = vec![Concern {
        id: "x".into(),
        category: ConcernCategory::Critical,
        label: "Passthrough device detected".into(),
        assessment: String::new(),
    }];
    concerned.refused("VMCriticalConcerns", "Passthrough device detected");
    let mut pending = world();
    pending.assessed = false;
    pending.refused("ConcernsPending", "web");
    let mut outdated = world();
    outdated.rules = "newer rules".into();
    outdated.refused("ConcernsPending", "web");
}

#[test]
fn two_cards_on_the_pod_network_are_refused() {
    let mut world = world();
    world.vm.nics.push(world.vm.nics[0].clone());
    world.refused("VMMultiplePodNetworkMappings", "web");
    world.networks = json!([
        { "source": { "name": "lan" }, "destination": { "type": "pod" } },
        { "source": { "name": "lan" }, "destination": { "type": "ignored" } },
    ]);
    assert!(world.judge().iter().all(|condition| !condition.blocks()), "a pool gives each card the next target");
}

#[test]
fn a_hook_is_refused_because_nobody_would_run_it() {
    let mut world = world();
    world.plan["vms"] = json!([{ "name": "web", "hooks": [{ "step": "PreHook", "hook": { "name": "h" } }] }]);
    world.refused("SettingNotImplemented", "spec.vms[0].hooks");
}

#[test]
fn a_taken_name_is_refused_before_the_run() {
    let mut world = world();
    world.taken = ["web".to_owned()].into();
    world.refused("VMAlreadyExists", "web");
}

#[test]
fn a_migrated_vm_is_not_judged_again_but_its_source_must_stay_off() {
    let mut world = world();
    world.succeeded = ["vm-1".to_owned()].into();
    world.vm.snapshot = Ref::new("VirtualMachineSnapshot", "snapshot-1");
    world.vm.power_state = PowerState::PoweredOff;
    assert!(world.judge().iter().all(|condition| !condition.blocks()));
    world.vm.power_state = PowerState::PoweredOn;
    world.refused("SourcePoweredOn", "web");
}
