//! Documents of what VMs run on and lie in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ref;

/// An ESXi host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Host {
    /// Managed object id, such as `host-21`.
    pub id: String,
    /// Name, mostly its address.
    pub name: String,
    /// Inventory path.
    pub path: String,
    /// What it lies in.
    pub parent: Ref,
    /// Id of its cluster; empty for a stand-alone host.
    pub cluster: String,
    /// `green`, `yellow`, `red`, `gray`.
    pub status: String,
    /// In maintenance mode.
    pub in_maintenance: bool,
    /// Address of the vCenter that manages it.
    pub management_server_ip: String,
    /// SHA-1 of its certificate.
    pub thumbprint: String,
    /// Time zone name.
    pub timezone: String,
    /// CPU packages.
    pub cpu_sockets: i16,
    /// CPU cores in all.
    pub cpu_cores: i16,
    /// Memory.
    pub memory_bytes: i64,
    /// `VMware ESXi`.
    pub product_name: String,
    /// Its version.
    pub product_version: String,
    /// Networks it gives to VMs.
    pub networks: Vec<Ref>,
    /// Datastores it sees.
    pub datastores: Vec<Ref>,
    /// Its kernel network adapters.
    pub network_adapters: Vec<HostNetworkAdapter>,
}

/// A kernel network adapter of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HostNetworkAdapter {
    /// Name of its port group.
    pub name: String,
    /// IPv4 address.
    pub ip_address: String,
    /// Network mask.
    pub subnet_mask: String,
    /// Mbit/s; 0 when unknown.
    pub link_speed: i32,
    /// Bytes.
    pub mtu: i32,
}

/// A compute cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Cluster {
    /// Managed object id, such as `domain-c7`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Inventory path.
    pub path: String,
    /// What it lies in.
    pub parent: Ref,
    /// Id of the host folder it lies in.
    pub folder: String,
    /// Its hosts.
    pub hosts: Vec<Ref>,
    /// Networks of its hosts.
    pub networks: Vec<Ref>,
    /// Datastores of its hosts.
    pub datastores: Vec<Ref>,
    /// vSphere HA.
    pub das_enabled: bool,
    /// Distributed resource scheduling.
    pub drs_enabled: bool,
    /// `manual`, `partiallyAutomated`, `fullyAutomated`, or empty.
    pub drs_behavior: String,
    /// Distributed power management.
    pub dpm_enabled: bool,
}

/// A network VMs can be attached to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// Managed object id, such as `network-7` or `dvportgroup-11`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Inventory path.
    pub path: String,
    /// What it lies in.
    pub parent: Ref,
    /// `Standard`, `DvPortGroup`, `DvSwitch`, `OpaqueNetwork`.
    pub variant: String,
    /// Key of a distributed port group.
    pub key: String,
    /// The distributed switch of a port group.
    pub dv_switch: Option<Ref>,
}

/// A datastore.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Datastore {
    /// Managed object id, such as `datastore-59`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Inventory path.
    pub path: String,
    /// What it lies in.
    pub parent: Ref,
    /// `VMFS`, `NFS`, `NFS41`, `vsan`, `VVOL`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Size in bytes.
    pub capacity: i64,
    /// Free bytes; volatile.
    pub free: i64,
    /// `normal`, `enteringMaintenance`, `inMaintenance`.
    pub maintenance: String,
}

/// A folder of the inventory tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Folder {
    /// Managed object id, such as `group-v3`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Inventory path.
    pub path: String,
    /// What it lies in.
    pub parent: Ref,
}

/// A datacenter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Datacenter {
    /// Managed object id, such as `datacenter-2`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Inventory path, `/folder/DC0`; the datastore route needs it.
    pub path: String,
    /// What it lies in.
    pub parent: Ref,
}
