//! Whether one VM can be migrated as it is now: its state, its disks, its concerns, and where its networks and
//! datastores go. A datastore file is trusted only if the disk is plain and flat on VMFS or NFS.

use contract::concern::Category as ConcernCategory;
use contract::id::VmId;
use contract::vsphere::{Disk, PowerState, Vm};

use super::Input;
use super::findings::{Finding, Findings};
use super::mapping::{network_targets, storage_class};
use super::vms::item;
use crate::index::{ProviderIndex, VmRecord};
use crate::vm::manifest::NicTarget;

static TEMPLATE: Finding =
    Finding::critical("VMMigrationTypeUnsupported", "Template", "a template can't be migrated; make a VM of it first");
static SUSPENDED: Finding = Finding::critical(
    "VMPowerStateUnsupported",
    "Suspended",
    "the VM is suspended; resume it and shut it down, or discard its saved state",
);
static UNKNOWN_POWER: Finding = Finding::critical(
    "VMPowerStateUnsupported",
    "Unknown",
    "the VM's power state is not known (is its host connected?)",
);
static TOOLS: Finding = Finding::critical(
    "GuestToolsIssue",
    "ToolsNotRunning",
    "the VM runs without VMware Tools running in the guest, so it can't be shut down in an orderly way; start the Tools or shut the VM down by hand",
);
static SNAPSHOTS: Finding = Finding::critical(
    "VMHasSnapshots",
    "SnapshotPresent",
    "the VM has snapshots, so its disk files are not its current disks; remove all snapshots and consolidate",
);
static DISK_SIZE: Finding =
    Finding::critical("InvalidDiskSizes", "NotPositive", "a disk has no size; correct it at the source");
static NO_DISKS: Finding = Finding::critical("VMStorageNotSupported", "NoDisks", "the VM has no disk");
static ROUTE: Finding = Finding::critical(
    "VMStorageNotSupported",
    "NoRoute",
    "a disk can't be read over the datastore route, which needs a plain flat file on VMFS or NFS; other routes are not implemented yet",
);
static SHARED: Finding = Finding::critical(
    "SharedDisks",
    "NotImplemented",
    "a disk belongs to more than one VM; migrating shared disks is not implemented yet",
);
static CONCERNS: Finding = Finding::critical(
    "VMCriticalConcerns",
    "Concerns",
    "validation rules raised critical concerns; resolve them at the source",
);
static PENDING: Finding = Finding::critical(
    "ConcernsPending",
    "NotAssessed",
    "validation has not judged the VM's current state yet; this passes by itself while the validation service runs",
);
static HOST: Finding = Finding::warn("HostNotReady", "InMaintenanceMode", "the VM's ESXi host is in maintenance mode");
static NETWORK: Finding =
    Finding::critical("VMNetworksNotMapped", "NotMapped", "a network of the VM is not in the network map; add it");
static STORAGE: Finding =
    Finding::critical("VMStorageNotMapped", "NotMapped", "a datastore of the VM is not in the storage map; add it");
static TWO_PODS: Finding = Finding::critical(
    "VMMultiplePodNetworkMappings",
    "NotUnique",
    "more than one network card of the VM would be on the pod network; map the others to multus networks or to `ignored`",
);

/// Backings that are one flat file each. Source: vSphere API, VirtualDiskFlatVer2BackingInfo.
const FLAT: &str = "VirtualDiskFlatVer2BackingInfo";
/// Datastore types whose flat files are readable as they are (design §2.3).
const READABLE: [&str; 3] = ["VMFS", "NFS", "NFS41"];

pub(super) fn check(record: &VmRecord, inventory: &ProviderIndex, active_rules: Option<&str>, findings: &mut Findings) {
    let vm = &record.workload.vm;
    let mut found = |finding: &Finding| findings.add(finding, Some(item(vm)));
    if vm.is_template {
        found(&TEMPLATE);
    }
    match vm.power_state {
        PowerState::Suspended => found(&SUSPENDED),
        PowerState::Unknown => found(&UNKNOWN_POWER),
        PowerState::PoweredOn if vm.tools_running_status != "guestToolsRunning" => found(&TOOLS),
        PowerState::PoweredOn | PowerState::PoweredOff => {}
    }
    if !vm.snapshot.is_none() {
        found(&SNAPSHOTS);
    }
    if vm.disks.is_empty() {
        found(&NO_DISKS);
    }
    if record.workload.host.as_ref().is_some_and(|host| host.in_maintenance) {
        found(&HOST);
    }
    for disk in &vm.disks {
        check_disk(vm, disk, inventory, findings);
    }
    check_concerns(record, inventory, active_rules, findings);
}

fn check_disk(vm: &Vm, disk: &Disk, inventory: &ProviderIndex, findings: &mut Findings) {
    let named = |why: &str| Some(format!("{} disk '{}'{why}", item(vm), disk.file));
    if disk.capacity <= 0 {
        findings.add(&DISK_SIZE, named(""));
    }
    if disk.shared {
        findings.add(&SHARED, named(""));
    }
    let datastore = inventory.datastores.get(&disk.datastore.id);
    let refusal = match datastore {
        _ if disk.rdm => Some(": raw device mapping".to_owned()),
        _ if disk.backing != FLAT => Some(format!(": backing {}", disk.backing)),
        // A parent without a snapshot of the VM is a linked clone, or a snapshot that vCenter forgot.
        _ if !disk.parent.is_empty() => Some(format!(": it depends on '{}'", disk.parent)),
        None => Some(": its datastore is not visible".to_owned()),
        Some(datastore) if !READABLE.contains(&datastore.kind.as_str()) => {
            Some(format!(": datastore '{}' is of type {}", datastore.name, datastore.kind))
        }
        Some(datastore) if inventory.datacenter_of(&datastore.path).is_none() => {
            Some(format!(": the datacenter of datastore '{}' is not visible", datastore.name))
        }
        Some(_) => None,
    };
    if let Some(why) = refusal {
        findings.add(&ROUTE, named(&why));
    }
}

fn check_concerns(record: &VmRecord, inventory: &ProviderIndex, active_rules: Option<&str>, findings: &mut Findings) {
    let vm = &record.workload.vm;
    match inventory.assessment(&VmId::from(vm.id.as_str())) {
        Some(assessed)
            if assessed.vm_revision == record.revision && active_rules == Some(assessed.rules_revision.as_str()) =>
        {
            for concern in assessed.concerns.iter().filter(|concern| concern.category == ConcernCategory::Critical) {
                findings.add(&CONCERNS, Some(format!("{} ({})", item(vm), concern.label)));
            }
        }
        _ => findings.add(&PENDING, Some(item(vm))),
    }
}

/// Where each card and each disk goes; what has no place is a finding, and then the lists are shorter.
pub(super) fn map(
    input: &Input<'_>,
    inventory: &ProviderIndex,
    vm: &Vm,
    findings: &mut Findings,
) -> (Vec<NicTarget>, Vec<String>) {
    let mut nics: Vec<NicTarget> = Vec::new();
    if let Some(map) = input.network_map {
        for (position, nic) in vm.nics.iter().enumerate() {
            let targets = network_targets(inventory, &map.spec.map, &nic.network.id);
            // The same source several times is a pool: each card takes the next of its network's targets.
            let earlier = vm.nics[..position].iter().filter(|other| other.network == nic.network).count();
            match targets.get(if targets.len() > 1 { earlier } else { 0 }) {
                Some(target) => nics.push(target.clone()),
                None => findings.add(
                    &NETWORK,
                    Some(format!("{} network '{}'", item(vm), network_name(inventory, &nic.network.id))),
                ),
            }
        }
        if nics.iter().filter(|target| **target == NicTarget::Pod).count() > 1 {
            findings.add(&TWO_PODS, Some(item(vm)));
        }
    }
    let mut classes = Vec::new();
    if let Some(map) = input.storage_map {
        for disk in &vm.disks {
            match storage_class(inventory, &map.spec.map, &disk.datastore.id) {
                Some(class) => classes.push(class.to_owned()),
                None => findings.add(
                    &STORAGE,
                    Some(format!("{} datastore '{}'", item(vm), datastore_name(inventory, &disk.datastore.id))),
                ),
            }
        }
    }
    (nics, classes)
}

fn network_name<'a>(inventory: &'a ProviderIndex, id: &'a str) -> &'a str {
    inventory.networks.get(id).map_or(id, |network| &network.name)
}

fn datastore_name<'a>(inventory: &'a ProviderIndex, id: &'a str) -> &'a str {
    inventory.datastores.get(id).map_or(id, |datastore| &datastore.name)
}
