//! The VM document and the workload: the VM together with the host and cluster it runs on, which is what rules
//! judge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ref;

/// Whether a VM runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PowerState {
    /// Off.
    PoweredOff,
    /// Running.
    PoweredOn,
    /// Memory on disk.
    Suspended,
    /// The provider did not say, or said something new.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A virtual machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Vm {
    /// Managed object id, such as `vm-62`.
    pub id: String,
    /// Name in the inventory.
    pub name: String,
    /// Inventory path, `/DC0/vm/folder/name`.
    pub path: String,
    /// The folder or vApp it lies in.
    pub parent: Ref,
    /// BIOS UUID, lower case with dashes.
    pub uuid: String,
    /// vCenter's own UUID of the VM.
    pub instance_uuid: String,
    /// A template can't be powered on.
    pub is_template: bool,
    /// Whether it runs.
    pub power_state: PowerState,
    /// `connected`, `disconnected`, `inaccessible`, `invalid`, `orphaned`.
    pub connection_state: String,
    /// Id of the host it runs on. Absent in a workload, which has the whole host there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// `bios` or `efi`.
    pub firmware: String,
    /// EFI secure boot is on.
    pub secure_boot: bool,
    /// A virtual TPM is present.
    pub tpm_enabled: bool,
    /// The current snapshot; an empty reference when there is none.
    pub snapshot: Ref,
    /// Changed block tracking of the VM.
    pub change_tracking_enabled: bool,
    /// Disks need consolidation.
    pub consolidation_needed: bool,
    /// Host CPUs the VM is bound to.
    pub cpu_affinity: Vec<i32>,
    /// CPUs can be added while it runs.
    pub cpu_hot_add_enabled: bool,
    /// CPUs can be removed while it runs.
    pub cpu_hot_remove_enabled: bool,
    /// Memory can be added while it runs.
    pub memory_hot_add_enabled: bool,
    /// Fault tolerance is configured.
    pub fault_tolerance_enabled: bool,
    /// Virtual CPUs in all.
    pub cpu_count: i32,
    /// Cores per socket.
    pub cores_per_socket: i32,
    /// Memory in MiB.
    #[serde(rename = "memoryMB")]
    pub memory_mb: i32,
    /// Full name of the configured guest OS.
    pub guest_name: String,
    /// Full name of the guest OS as VMware Tools report it.
    pub guest_name_from_vmware_tools: String,
    /// Host name the guest reports.
    pub host_name: String,
    /// Guest OS id, such as `debian11_64Guest`.
    pub guest_id: String,
    /// Ballooned memory in MiB; volatile.
    pub ballooned_memory: i32,
    /// Primary IP address the guest reports.
    pub ip_address: String,
    /// Bytes committed on datastores; volatile.
    pub storage_used: i64,
    /// NUMA nodes the VM is bound to.
    pub numa_node_affinity: Vec<String>,
    /// All devices that are neither disk nor NIC.
    pub devices: Vec<Device>,
    /// Network cards in device order.
    pub nics: Vec<Nic>,
    /// Disks in device order.
    pub disks: Vec<Disk>,
    /// Networks the VM is attached to.
    pub networks: Vec<Ref>,
    /// Addresses the guest reports.
    pub guest_networks: Vec<GuestNetwork>,
    /// File systems the guest reports.
    pub guest_disks: Vec<GuestDisk>,
    /// `toolsOk`, `toolsOld`, `toolsNotRunning`, `toolsNotInstalled`, or empty.
    pub tools_status: String,
    /// `guestToolsRunning`, `guestToolsNotRunning`, `guestToolsExecutingScripts`, or empty.
    pub tools_running_status: String,
    /// Version status of the Tools.
    pub tools_version_status2: String,
    /// `disk.EnableUUID` of the VM.
    pub disk_enable_uuid: bool,
    /// Nested virtualization is exposed.
    #[serde(rename = "nestedHVEnabled")]
    pub nested_hv_enabled: bool,
}

/// A device that is neither a disk nor a network card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Device {
    /// Its type at the provider, such as `VirtualUSBController`.
    pub kind: String,
    /// Device key.
    pub key: i32,
    /// PCI slot; 0 when it has none.
    pub pci_slot_number: i32,
}

/// A network card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Nic {
    /// The network it is attached to.
    pub network: Ref,
    /// MAC address, lower case.
    pub mac: String,
    /// Position by device key, from 0.
    pub order: i32,
    /// Device key.
    pub device_key: i32,
    /// Connected when the VM starts.
    pub start_connected: bool,
}

/// A disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Disk {
    /// Device key.
    pub key: i32,
    /// Unit on its controller.
    pub unit_number: i32,
    /// Device key of its controller.
    pub controller_key: i32,
    /// Backing file, `[datastore] folder/disk.vmdk`.
    pub file: String,
    /// Backing file of the parent; empty for a disk without snapshots.
    pub parent: String,
    /// The datastore the file lies on.
    pub datastore: Ref,
    /// Length in bytes.
    pub capacity: i64,
    /// The same file belongs to more than one VM.
    pub shared: bool,
    /// Raw device mapping.
    pub rdm: bool,
    /// Raw device mapping in physical mode.
    pub physical_mode: bool,
    /// `scsi`, `sata`, `ide`, `nvme`.
    pub bus: String,
    /// `persistent`, `independent_persistent`, …
    pub mode: String,
    /// Serial the guest sees.
    pub serial: String,
    /// Changed block tracking of the disk.
    pub change_tracking_enabled: bool,
    /// The backing's type at the provider, such as `VirtualDiskFlatVer2BackingInfo`. Longshore's own field.
    pub backing: String,
}

/// An address the guest reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GuestNetwork {
    /// Index of the interface in the guest.
    pub device: String,
    /// Key of the virtual device.
    pub device_config_id: i32,
    /// MAC address, lower case.
    pub mac: String,
    /// IPv4 or IPv6 address.
    pub ip: String,
    /// How it was given: `manual`, `dhcp`, …
    pub origin: String,
    /// Prefix length.
    pub prefix: i32,
    /// Name servers.
    pub dns: Vec<String>,
    /// Name of the network.
    pub network: String,
}

/// A file system the guest reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GuestDisk {
    /// Device key of the disk it lies on; 0 when unknown.
    pub key: i32,
    /// Mount point or drive.
    pub disk_path: String,
    /// Size in bytes.
    pub capacity: i64,
    /// Free bytes; 0 is sent, for a full file system is worth a concern.
    pub free_space: i64,
    /// `ext4`, `ntfs`, …
    pub filesystem_type: String,
}

/// A VM with the host and cluster it runs on: the input of rules and the body of `vm.changed.v1`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// The VM without its `host`, which is below: on the wire both share one object, as Forklift's workload has it.
    #[serde(flatten)]
    pub vm: Vm,
    /// The host the VM runs on, or none when the provider doesn't show it.
    #[serde(rename = "host", default)]
    pub host: Option<WorkloadHost>,
}

impl Workload {
    /// Joins a VM with the host it runs on.
    pub fn new(mut vm: Vm, host: Option<WorkloadHost>) -> Self {
        vm.host.clear();
        Self { vm, host }
    }
}

/// The host of a workload, without its lists of VMs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadHost {
    /// Managed object id.
    pub id: String,
    /// Name.
    pub name: String,
    /// In maintenance mode.
    pub in_maintenance: bool,
    /// The cluster it belongs to; none for a stand-alone host.
    pub cluster: Option<WorkloadCluster>,
}

/// The cluster of a workload; lists of VMs are cut to the VM at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadCluster {
    /// Managed object id.
    pub id: String,
    /// Name.
    pub name: String,
    /// vSphere HA.
    pub das_enabled: bool,
    /// Distributed resource scheduling.
    pub drs_enabled: bool,
    /// `manual`, `partiallyAutomated`, `fullyAutomated`, or empty.
    pub drs_behavior: String,
    /// Distributed power management.
    pub dpm_enabled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_has_one_host_and_survives_the_wire() {
        let vm = Vm { id: "vm-1".into(), host: "host-1".into(), ..Vm::default() };
        let workload = Workload::new(vm, Some(WorkloadHost { id: "host-1".into(), ..WorkloadHost::default() }));
        let text = serde_json::to_string(&workload).unwrap();
        assert_eq!(text.matches("\"host\":").count(), 1, "{text}");
        assert_eq!(serde_json::from_str::<Workload>(&text).unwrap(), workload);
    }
}
