//! What a person sees of a VM's migration: Forklift's pipeline, derived from the import's state alone. On Plan and
//! Migration only names and totals go, so that no object grows much with the plan.

use forklift_api::names::PowerState;
use forklift_api::virtual_machine_import::longshore::{DiskStatus, LongshoreStatus};
use forklift_api::{
    Category, Condition, Phase, PlanVm, Progress, Step, StepName, StepPhase, Task, Time, VmError, VmStatus, labels,
};

/// Forklift counts disk progress in MB of 1,048,576 bytes.
const MB: i64 = 1 << 20;

/// The phases in the order a VM goes through them here; each belongs to one visible step.
const ORDER: [Phase; 7] = [
    Phase::Started,
    Phase::CreateDataVolumes,
    Phase::StorePowerState,
    Phase::PowerOffSource,
    Phase::WaitForPowerOff,
    Phase::CopyDisks,
    Phase::CreateVM,
];

/// The status of one VM on its Plan and Migration.
pub fn vm_status(id: &str, name: &str, target: &str, status: &LongshoreStatus) -> VmStatus {
    VmStatus {
        vm: PlanVm { id: Some(id.to_owned()), name: Some(name.to_owned()), ..PlanVm::default() },
        phase: status.phase.clone(),
        pipeline: pipeline(status),
        started: status.started.clone(),
        completed: status.completed.clone(),
        error: status
            .failure
            .as_ref()
            .map(|failure| VmError { phase: failure.phase.to_string(), reasons: vec![failure.message.clone()] }),
        restore_power_state: status.source_was_on.map(|on| if on { PowerState::On } else { PowerState::Off }),
        new_name: (target != name).then(|| target.to_owned()),
        disks_copied: !status.disks.is_empty() && status.disks.iter().all(|disk| disk.proof.is_some()),
        conditions: conditions(status),
        ..VmStatus::default()
    }
}

fn conditions(status: &LongshoreStatus) -> Vec<Condition> {
    let at = |time: &Option<Time>| time.clone().unwrap_or(Time(jiff::Timestamp::UNIX_EPOCH));
    let mut conditions = Vec::new();
    if status.succeeded() {
        conditions.push(Condition::new("Succeeded", Category::Advisory, at(&status.completed)).durable());
    }
    if status.canceled {
        conditions.push(Condition::new("Canceled", Category::Advisory, at(&status.progressed)).durable());
    } else if let Some(failure) = &status.failure {
        let failed = Condition::new("Failed", Category::Advisory, at(&status.progressed)).durable();
        conditions.push(failed.reason(&failure.reason).message(failure.message.clone()));
    }
    if let Some(wait) = &status.wait {
        let pending = Condition::new("Pending", Category::Advisory, wait.since.clone());
        conditions.push(pending.reason(&wait.reason).message(wait.message.clone()));
    }
    conditions
}

/// The visible steps of a cold raw copy.
pub fn pipeline(status: &LongshoreStatus) -> Vec<Step> {
    let mut transfer = step(status, StepName::DiskTransfer, "Transfer disks.", Phase::CopyDisks, Phase::CopyDisks);
    transfer.annotations.insert(labels::UNIT.to_owned(), labels::UNIT_MB.to_owned());
    transfer.tasks = status.disks.iter().map(|disk| task(disk, transfer.phase.as_ref())).collect();
    transfer.sum_tasks();
    vec![
        step(status, StepName::Initialize, "Initialize migration.", Phase::Started, Phase::WaitForPowerOff),
        transfer,
        step(status, StepName::VirtualMachineCreation, "Create VM.", Phase::CreateVM, Phase::CreateVM),
    ]
}

fn step(status: &LongshoreStatus, name: StepName, description: &str, first: Phase, last: Phase) -> Step {
    let began = |phase: &Phase| status.phases.iter().find(|start| start.phase == *phase).map(|start| start.at.clone());
    let position = |phase: &Phase| ORDER.iter().position(|other| other == phase);
    let (from, to) = (position(&first).unwrap_or(0), position(&last).unwrap_or(0));
    let mut step = Step::new(name, description, 1);
    let first_of = |range: &[Phase]| range.iter().filter_map(began).min_by_key(|time| time.0);
    step.started = if first == Phase::Started { status.started.clone() } else { first_of(&ORDER[from..=to]) };
    let next = ORDER.get(to + 1..).and_then(first_of);
    let failed_here =
        status.failure.as_ref().filter(|f| position(&f.phase).is_some_and(|at| (from..=to).contains(&at)));
    let end = next.or_else(|| status.succeeded().then(|| status.completed.clone()).flatten());
    step.phase = match (&step.started, &end, failed_here) {
        (Some(_), _, Some(_)) | (Some(_), Some(_), _) => Some(StepPhase::Completed),
        (Some(_), None, None) => Some(StepPhase::Running),
        (None, ..) => Some(StepPhase::Pending),
    };
    if let Some(failure) = failed_here {
        step.error = Some(VmError { phase: failure.phase.to_string(), reasons: vec![failure.message.clone()] });
        step.completed = status.completed.clone();
    } else if let Some(end) = end {
        step.completed = Some(end);
        step.progress.completed = 1;
    }
    if step.phase == Some(StepPhase::Running) {
        step.reason = status.wait.as_ref().map(|wait| wait.message.clone());
    }
    step
}

fn task(disk: &DiskStatus, step: Option<&StepPhase>) -> Task {
    let done = disk.proof.is_some();
    Task {
        name: disk.file.clone(),
        phase: if done { Some(StepPhase::Completed) } else { step.cloned() },
        progress: Progress { total: megabytes(disk.capacity), completed: megabytes(disk.done_bytes) },
        annotations: [(labels::UNIT.to_owned(), labels::UNIT_MB.to_owned())].into(),
        ..Task::default()
    }
}

fn megabytes(bytes: i64) -> i64 {
    bytes / MB + i64::from(bytes % MB != 0)
}

#[cfg(test)]
mod tests {
    use forklift_api::virtual_machine_import::longshore::{Failure, PhaseStart};

    use super::*;

    fn at(second: i64) -> Time {
        Time(jiff::Timestamp::from_second(second).unwrap())
    }

    fn running() -> LongshoreStatus {
        let start = |phase, second| PhaseStart { phase, at: at(second) };
        LongshoreStatus {
            phase: Phase::CopyDisks,
            started: Some(at(1)),
            phases: vec![
                start(Phase::CreateDataVolumes, 1),
                start(Phase::StorePowerState, 2),
                start(Phase::CopyDisks, 5),
            ],
            ..LongshoreStatus::default()
        }
    }

    fn phases(status: &LongshoreStatus) -> Vec<StepPhase> {
        pipeline(status).into_iter().map(|step| step.phase.unwrap()).collect()
    }

    #[test]
    fn steps_follow_the_phases() {
        assert_eq!(phases(&running()), [StepPhase::Completed, StepPhase::Running, StepPhase::Pending]);
        let done = LongshoreStatus { phase: Phase::Completed, completed: Some(at(9)), ..running() };
        assert_eq!(pipeline(&done)[1].completed, Some(at(9)));
    }

    #[test]
    fn a_failure_is_shown_in_the_step_it_happened_in() {
        let failure = Failure { phase: Phase::CopyDisks, reason: "TargetFull".into(), message: "full".into() };
        let failed = LongshoreStatus { failure: Some(failure), ..running() };
        let steps = pipeline(&failed);
        assert_eq!(steps[1].error.as_ref().unwrap().reasons, ["full"]);
        assert!(steps[0].error.is_none() && steps[2].error.is_none());
    }
}
