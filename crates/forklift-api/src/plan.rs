//! Kind Plan: which VMs go from which provider to which, how, and through which maps. What is set here and not
//! acted upon is found by [`crate::settings::unsupported`].

mod status;
mod vm;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Affinity;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use status::{PlanMigration, PlanStatus, Snapshot, SnapshotMap, SnapshotPair, SnapshotRef};
pub use vm::{DiskDelta, HookRef, PlanVm, Precopy, TargetPowerState, VmStatus, Warm};

use crate::serde_rules::{is_false, yes};
use crate::{ObjectRef, ProviderPair};

/// What to migrate and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CustomResource, JsonSchema)]
#[kube(
    group = "forklift.konveyor.io",
    version = "v1beta1",
    kind = "Plan",
    namespaced,
    status = "PlanStatus",
    doc = "Which virtual machines to migrate, and how.",
    derive = "PartialEq",
    derive = "Default",
    printcolumn(name = "READY", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "EXECUTING", type_ = "string", json_path = ".status.conditions[?(@.type=='Executing')].status"),
    printcolumn(name = "SUCCEEDED", type_ = "string", json_path = ".status.conditions[?(@.type=='Succeeded')].status"),
    printcolumn(name = "FAILED", type_ = "string", json_path = ".status.conditions[?(@.type=='Failed')].status"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct PlanSpec {
    /// For a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Namespace of the VMs on the target.
    pub target_namespace: String,
    /// Source and target provider.
    pub provider: ProviderPair,
    /// Network and storage map.
    pub map: PlanMaps,
    /// The VMs.
    pub vms: Vec<PlanVm>,
    /// Copy while the VM runs; the older way to say `type: warm`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub warm: bool,
    /// cold, warm, live or conversion.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<MigrationType>,
    /// Network attachment definition that disk data takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_network: Option<ObjectRef>,
    /// Done with: temporary objects are removed and the plan can't run again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub archived: bool,
    /// Keep static IP addresses of the guest.
    #[serde(rename = "preserveStaticIPs", default = "yes")]
    pub preserve_static_ips: bool,
    /// oVirt: keep the cluster's CPU model.
    #[serde(default, skip_serializing_if = "is_false")]
    pub preserve_cluster_cpu_model: bool,
    /// vSphere: copy disks that several VMs share.
    #[serde(default = "yes")]
    pub migrate_shared_disks: bool,
    /// vSphere: raw device mappings become LUN disks.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rdm_as_lun: bool,
    /// vSphere: SCSI reservation on shared raw device mappings.
    #[serde(default, skip_serializing_if = "is_false")]
    pub scsi_reservation: bool,
    /// Template of volume claim names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pvc_name_template: Option<String>,
    /// Whether the API server adds a suffix to those names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pvc_name_template_use_generate_name: Option<bool>,
    /// Template of volume names in the VirtualMachine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_name_template: Option<String>,
    /// Template of network names in the VirtualMachine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_name_template: Option<String>,
    /// Labels of the target VMs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub target_labels: BTreeMap<String, String>,
    /// Node selector of the target VMs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub target_node_selector: BTreeMap<String, String>,
    /// Affinity of the target VMs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_affinity: Option<Affinity>,
    /// Labels of the pods that copy and convert.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub convertor_labels: BTreeMap<String, String>,
    /// Node selector of those pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub convertor_node_selector: BTreeMap<String, String>,
    /// Affinity of those pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convertor_affinity: Option<Affinity>,
    /// Service account of those pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub service_account: Option<String>,
    /// Storage class of conversion's scratch space; together with its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_temp_storage_class: Option<String>,
    /// Size of conversion's scratch space; together with its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_temp_storage_size: Option<String>,
    /// ConfigMap of scripts that run in the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customization_scripts: Option<ObjectRef>,
    /// Image that converts guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virt_v2v_image: Option<String>,
    /// Convert guests with older XFS.
    #[serde(default)]
    pub xfs_compatibility: bool,
    /// Copy disks as they are, without virtio drivers put in.
    #[serde(default)]
    pub skip_guest_conversion: bool,
    /// With a raw copy: SATA and e1000e instead of virtio.
    #[serde(default = "yes")]
    pub use_compatibility_mode: bool,
    /// Drivers for old Windows; absent: by guest system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_legacy_drivers: Option<bool>,
    /// Offer hardware virtualization to the guest; absent: as at the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_nested_virtualization: Option<bool>,
    /// Warm: look into the guest before the first copy.
    #[serde(default = "yes")]
    pub run_preflight_inspection: bool,
    /// Power state of the target VMs; absent or auto: as the source was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_power_state: Option<TargetPowerState>,
    /// Remove the conversion pod after success.
    #[serde(default, skip_serializing_if = "is_false")]
    pub delete_guest_conversion_pod: bool,
    /// Remove VM and volumes of a failed migration.
    #[serde(default = "yes")]
    pub delete_vm_on_fail_migration: bool,
    /// EC2: no node selector for the zone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub skip_zone_node_selector: bool,
    /// vSphere tags become labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_mapping: Option<TagMapping>,
    /// Bus of the target's disks; no longer used by Forklift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_bus: Option<String>,
}

/// The maps of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanMaps {
    /// The NetworkMap.
    pub network: ObjectRef,
    /// The StorageMap.
    pub storage: ObjectRef,
}

/// The way of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MigrationType {
    /// Shut down, then copy.
    Cold,
    /// Copy while it runs, shut down for the last changes.
    Warm,
    /// Between clusters, without a stop.
    Live,
    /// Disks are there already.
    Conversion,
}

/// vSphere tags as labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TagMapping {
    /// No tags become labels.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
    /// Only these tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_tags: Vec<String>,
}

impl PlanSpec {
    /// Whether the disks are to be copied while the VM runs, in either way to say it.
    pub fn is_warm(&self) -> bool {
        self.type_.map_or(self.warm, |t| t == MigrationType::Warm)
    }
}
