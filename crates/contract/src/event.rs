//! What the controller tells subscribers: the history of plans and the end of migrations (stream PLANS).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{MigrationUid, PlanUid, VmId};
use crate::message::Message;
use crate::subject::{self, Subject, TokenError};

/// `plan.progressed.v1`: a VM of a plan entered a phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanProgressed {
    /// The plan.
    pub plan: PlanUid,
    /// `namespace/name` of the plan.
    pub plan_name: String,
    /// The migration that runs it.
    pub migration: MigrationUid,
    /// The VM that moved on.
    pub vm: VmId,
    /// Its name.
    pub vm_name: String,
    /// Forklift's phase name.
    pub phase: String,
    /// Resource version of the VirtualMachineImport that recorded it.
    pub resource_version: String,
}

impl Message for PlanProgressed {
    const TYPE: &'static str = "plan.progressed.v1";

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::plan_progress(&self.plan)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("{}/{}/{}", self.plan, self.vm, self.resource_version))
    }
}

/// `migration.finished.v1`: a migration ended, well or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MigrationFinished {
    /// The migration.
    pub migration: MigrationUid,
    /// Its plan.
    pub plan: PlanUid,
    /// VMs that are done.
    pub succeeded: Vec<VmId>,
    /// VMs that are not.
    pub failed: Vec<VmId>,
}

impl Message for MigrationFinished {
    const TYPE: &'static str = "migration.finished.v1";

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::migration_finished(&self.migration)
    }

    fn identity(&self) -> Option<String> {
        Some(self.migration.to_string())
    }
}
