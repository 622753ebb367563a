//! What Longshore reports about a plan, and the snapshots of objects that tell one migration of it from another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PlanSpec, VmStatus};
use crate::serde_rules::is_false;
use crate::{Condition, Time};

/// How a plan stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStatus {
    /// What holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The generation that the conditions are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Its migrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<PlanMigration>,
    /// The storage is handed over by NetApp Shift.
    #[serde(rename = "netAppShiftDestination", default, skip_serializing_if = "is_false")]
    pub netapp_shift_destination: bool,
}

/// The migrations of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanMigration {
    /// When the last one began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When the last one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Time>,
    /// One entry a migration, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Snapshot>,
    /// One entry a VM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vms: Vec<VmStatus>,
}

/// The objects that one migration went by, and how it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// What holds about this migration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The providers.
    pub provider: SnapshotPair,
    /// The plan.
    pub plan: SnapshotRef,
    /// The maps.
    pub map: SnapshotMap,
    /// The migration.
    pub migration: SnapshotRef,
}

/// Two providers at a point in time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotPair {
    /// The source provider.
    pub source: SnapshotRef,
    /// The target provider.
    pub destination: SnapshotRef,
}

/// Two maps at a point in time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotMap {
    /// The NetworkMap.
    pub network: SnapshotRef,
    /// The StorageMap.
    pub storage: SnapshotRef,
}

/// One object at a point in time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid, by which it is recognised.
    pub uid: String,
    /// Its generation then.
    pub generation: i64,
}

impl Default for PlanSpec {
    /// Empty, with the defaults of the schema: five settings are on unless somebody turns them off.
    fn default() -> Self {
        Self {
            preserve_static_ips: true,
            migrate_shared_disks: true,
            use_compatibility_mode: true,
            run_preflight_inspection: true,
            delete_vm_on_fail_migration: true,
            description: None,
            target_namespace: String::new(),
            provider: super::ProviderPair::default(),
            map: super::PlanMaps::default(),
            vms: Vec::new(),
            warm: false,
            type_: None,
            transfer_network: None,
            archived: false,
            preserve_cluster_cpu_model: false,
            rdm_as_lun: false,
            scsi_reservation: false,
            pvc_name_template: None,
            pvc_name_template_use_generate_name: None,
            volume_name_template: None,
            network_name_template: None,
            target_labels: Default::default(),
            target_node_selector: Default::default(),
            target_affinity: None,
            convertor_labels: Default::default(),
            convertor_node_selector: Default::default(),
            convertor_affinity: None,
            service_account: None,
            conversion_temp_storage_class: None,
            conversion_temp_storage_size: None,
            customization_scripts: None,
            virt_v2v_image: None,
            xfs_compatibility: false,
            skip_guest_conversion: false,
            install_legacy_drivers: None,
            enable_nested_virtualization: None,
            target_power_state: None,
            delete_guest_conversion_pod: false,
            skip_zone_node_selector: false,
            tag_mapping: None,
            disk_bus: None,
        }
    }
}
