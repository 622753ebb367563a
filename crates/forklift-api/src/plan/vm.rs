//! One VM of a plan: what the user set, and how it stands in a migration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::{Phase, PowerState};
use crate::serde_rules::is_false;
use crate::{Condition, ObjectRef, Ref, Step, Time, VmError};

/// What the user says about one VM.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanVm {
    /// Identity at the provider, such as `vm-42`; id or name is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name, or the end of the inventory path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only for sources that are Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// A qualifier of the name.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// What runs before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookRef>,
    /// Secret with keys of encrypted disks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub luks: Option<ObjectRef>,
    /// Unlock encrypted disks over the network.
    #[serde(default, skip_serializing_if = "is_false")]
    pub nbde_clevis: bool,
    /// The disk that boots, such as `/dev/sda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_disk: Option<String>,
    /// Instance type of the target VM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Name of the target VM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_name: Option<String>,
    /// Power state of the target VM; absent: the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_power_state: Option<TargetPowerState>,
    /// Template of volume claim names; absent: the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pvc_name_template: Option<String>,
    /// Template of volume names; absent: the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_name_template: Option<String>,
    /// Template of network names; absent: the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_name_template: Option<String>,
    /// Remove VM and volumes of a failed migration, whatever the plan says.
    #[serde(default, skip_serializing_if = "is_false")]
    pub delete_vm_on_fail_migration: bool,
    /// Copy shared disks; absent: the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrate_shared_disks: Option<bool>,
    /// Hardware virtualization for the guest; absent: the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_nested_virtualization: Option<bool>,
    /// Raw device mappings become LUN disks; absent: the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rdm_as_lun: Option<bool>,
    /// SCSI reservation; absent: the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scsi_reservation: Option<bool>,
}

impl PlanVm {
    /// How the user names the VM.
    pub fn reference(&self) -> Ref {
        Ref {
            id: self.id.clone(),
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            type_: self.type_.clone(),
        }
    }
}

/// A hook of one VM.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HookRef {
    /// The Hook.
    pub hook: ObjectRef,
    /// PreHook or PostHook.
    pub step: String,
}

/// Whether a target VM runs after its migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetPowerState {
    /// It runs.
    On,
    /// It doesn't.
    Off,
    /// As the source was.
    Auto,
}

/// How one VM stands in a migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VmStatus {
    /// The VM as the plan names it, with id and name filled in.
    #[serde(flatten)]
    pub vm: PlanVm,
    /// What the machinery does.
    #[schemars(with = "String")]
    pub phase: Phase,
    /// What a person sees.
    pub pipeline: Vec<Step>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Time>,
    /// What ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<VmError>,
    /// The passes of a warm migration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<Warm>,
    /// The source's power state before we touched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub restore_power_state: Option<PowerState>,
    /// bios or uefi, as conversion found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// The guest system, as conversion found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    /// Index of the disk that boots, as conversion found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_boot_disk: Option<i64>,
    /// The target's name, where the source's can't be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<String>,
    /// All disks are copied.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disks_copied: bool,
    /// What holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// The passes of a warm migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warm {
    /// Passes that succeeded.
    pub successes: i64,
    /// Passes that failed.
    pub failures: i64,
    /// Of those, since the last success.
    pub consecutive_failures: i64,
    /// When the next pass begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_precopy_at: Option<Time>,
    /// The passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precopies: Vec<Precopy>,
}

/// One pass of a warm migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Precopy {
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Time>,
    /// The snapshot it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// The provider's task that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_task_id: Option<String>,
    /// The provider's task that removed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_task_id: Option<String>,
    /// The change id of each disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deltas: Vec<DiskDelta>,
}

/// The change id of one disk in one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskDelta {
    /// The disk.
    pub disk: String,
    /// Its change id.
    pub delta_id: String,
}
