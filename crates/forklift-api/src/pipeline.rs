//! The visible progress of one VM: steps with their tasks (usually one a disk), each with its progress, errors and
//! warnings.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Time;
use crate::names::{StepName, StepPhase};

/// How far, in the unit that the annotation [`crate::labels::UNIT`] names (MB = 1,048,576 bytes) or in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// All there is to do.
    pub total: i64,
    /// Of that, done.
    pub completed: i64,
}

/// What went wrong, and in which phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VmError {
    /// The phase in which it happened.
    pub phase: String,
    /// One text each: object, cause, next action.
    pub reasons: Vec<String>,
}

/// One piece of a step's work, usually one disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// What it works on: for a vSphere disk its backing file's path.
    pub name: String,
    /// For a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Pending, Running or Completed; absent before it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub phase: Option<StepPhase>,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How far it is.
    pub progress: Progress,
    /// Such as the unit of the progress.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<VmError>,
    /// What should be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<VmError>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Time>,
}

/// One visible step of a VM's migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// One of [`StepName`], or another writer's word.
    #[schemars(with = "String")]
    pub name: StepName,
    /// For a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Pending, Running or Completed; absent before it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub phase: Option<StepPhase>,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The sum of its tasks, if it has any.
    pub progress: Progress,
    /// Such as the unit of the progress.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<VmError>,
    /// What should be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<VmError>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Time>,
    /// Its pieces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
}

impl Step {
    /// A step that has not begun, of `total` units.
    pub fn new(name: StepName, description: &str, total: i64) -> Self {
        Self {
            name,
            description: Some(description.to_owned()),
            progress: Progress { total, completed: 0 },
            ..Self::default()
        }
    }

    /// Makes the step's progress the sum of its tasks'.
    pub fn sum_tasks(&mut self) {
        if !self.tasks.is_empty() {
            self.progress = Progress {
                total: self.tasks.iter().map(|t| t.progress.total).sum(),
                completed: self.tasks.iter().map(|t| t.progress.completed).sum(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_as_far_as_its_tasks_together() {
        let task = |total, completed| Task { progress: Progress { total, completed }, ..Task::default() };
        let mut step =
            Step { tasks: vec![task(10, 3), task(5, 5)], ..Step::new(StepName::DiskTransfer, "Copy disks.", 0) };
        step.sum_tasks();
        assert_eq!(step.progress, Progress { total: 15, completed: 8 });
    }
}
