//! Kind Migration: one run of a Plan. Before it exists nothing on a source changes; deleting it cancels.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::VmStatus;
use crate::serde_rules::is_false;
use crate::{Condition, ObjectRef, Ref, Time};

/// Which plan to run, and what to stop or cut over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, JsonSchema)]
#[kube(
    group = "forklift.konveyor.io",
    version = "v1beta1",
    kind = "Migration",
    namespaced,
    status = "MigrationStatus",
    doc = "One run of a plan.",
    derive = "PartialEq",
    derive = "Default",
    printcolumn(name = "READY", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "RUNNING", type_ = "string", json_path = ".status.conditions[?(@.type=='Running')].status"),
    printcolumn(name = "SUCCEEDED", type_ = "string", json_path = ".status.conditions[?(@.type=='Succeeded')].status"),
    printcolumn(name = "FAILED", type_ = "string", json_path = ".status.conditions[?(@.type=='Failed')].status"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct MigrationSpec {
    /// The plan to run.
    pub plan: ObjectRef,
    /// VMs to cancel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancel: Vec<Ref>,
    /// When warm VMs are shut down and copied for the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutover: Option<Time>,
    /// The same for single VMs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vm_cutover: Vec<VmCutover>,
    /// Only convert again; the disks are there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub resume_conversion: bool,
}

/// The cutover of one VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VmCutover {
    /// Identity at the provider.
    #[schemars(length(min = 1))]
    pub id: String,
    /// When.
    pub cutover: Time,
}

/// How the run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationStatus {
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When the last VM ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Time>,
    /// What holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The generation that the conditions are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One entry a VM of the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vms: Vec<VmStatus>,
}
