//! Kind VirtualMachineImport: one VM of one Migration. The schema is the one of the vm-import-operator that the MTV
//! 2.1 guide describes, with one more status field, `longshore`, for what our controller must not forget.

pub mod longshore;
pub mod reasons;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Time;
pub use longshore::LongshoreStatus;

/// Which VM to import, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, JsonSchema)]
#[kube(
    group = "v2v.kubevirt.io",
    version = "v1beta1",
    kind = "VirtualMachineImport",
    namespaced,
    shortname = "vmimport",
    status = "VirtualMachineImportStatus",
    doc = "One virtual machine of one migration.",
    derive = "PartialEq",
    derive = "Default",
    printcolumn(name = "VM", type_ = "string", json_path = ".spec.targetVmName"),
    printcolumn(name = "PHASE", type_ = "string", json_path = ".status.longshore.phase"),
    printcolumn(name = "SUCCEEDED", type_ = "string", json_path = ".status.conditions[?(@.type=='Succeeded')].status"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct VirtualMachineImportSpec {
    /// Secret with the provider's credentials.
    pub provider_credentials_secret: NamedRef,
    /// A ResourceMapping of the same group; not used by Longshore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_mapping: Option<NamedRef>,
    /// The VM at its source.
    pub source: ImportSource,
    /// Copy while the VM runs.
    #[serde(default)]
    pub warm: bool,
    /// The cutover of a warm import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalize_date: Option<Time>,
    /// Name of the target VM; absent: the source's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_vm_name: Option<String>,
    /// Start the target VM after the import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_vm: Option<bool>,
}

/// An object by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedRef {
    /// Its name.
    pub name: String,
    /// Its namespace; absent: the import's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The VM at its source; one of the two is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportSource {
    /// From oVirt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ovirt: Option<OvirtSource>,
    /// From vSphere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmware: Option<VmwareSource>,
}

/// A VM of oVirt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OvirtSource {
    /// The VM.
    pub vm: OvirtVm,
    /// What becomes of its networks and disks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mappings: Option<ImportMappings>,
}

/// A VM of oVirt by id or name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OvirtVm {
    /// Identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The cluster in which a name is looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<SourceRef>,
}

/// A VM of vSphere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VmwareSource {
    /// The VM.
    pub vm: SourceRef,
    /// What becomes of its networks and disks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mappings: Option<ImportMappings>,
}

/// A source object by id or name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceRef {
    /// Identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What becomes of networks and disks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportMappings {
    /// One entry a network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_mappings: Vec<NetworkMapping>,
    /// One entry a storage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub storage_mappings: Vec<StorageMapping>,
    /// One entry a disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disk_mappings: Vec<StorageMapping>,
}

/// One network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkMapping {
    /// The source network.
    pub source: SourceRef,
    /// The target network.
    pub target: NamedRef,
    /// pod or multus.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
}

/// One storage or disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageMapping {
    /// The source storage or disk.
    pub source: SourceRef,
    /// The storage class.
    pub target: NamedRef,
    /// Filesystem or Block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_mode: Option<String>,
    /// Such as ReadWriteOnce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_mode: Option<String>,
}

/// How the import stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualMachineImportStatus {
    /// Name of the target VM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_vm_name: Option<String>,
    /// Valid, MappingRulesVerified, Processing, Succeeded; see [`reasons`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ImportCondition>,
    /// The target's volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_volumes: Vec<DataVolumeItem>,
    /// The passes of a warm import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_import: Option<WarmImport>,
    /// What Longshore must not forget about this VM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longshore: Option<LongshoreStatus>,
}

/// A condition of an import.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportCondition {
    /// One of [`reasons`]' condition types.
    #[serde(rename = "type")]
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// One of [`reasons`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heartbeat_time: Option<Time>,
    /// When the status last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

/// One volume of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataVolumeItem {
    /// Its name.
    pub name: String,
}

/// The passes of a warm import.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarmImport {
    /// When the next pass begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_stage_time: Option<Time>,
    /// Passes that succeeded.
    pub successes: i64,
    /// Passes that failed.
    pub failures: i64,
    /// Of those, since the last success.
    pub consecutive_failures: i64,
    /// The first snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_snapshot: Option<String>,
}

impl VirtualMachineImportStatus {
    /// Whether our own status is at its beginning: nothing was done for this VM.
    pub fn untouched(&self) -> bool {
        self.longshore.as_ref().is_none_or(|l| l.ledger.is_empty())
    }
}
