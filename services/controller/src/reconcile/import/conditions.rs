//! The conditions of an import, in the words of the vm-import-operator.

use forklift_api::virtual_machine_import::ImportCondition;
use forklift_api::virtual_machine_import::longshore::LongshoreStatus;
use forklift_api::virtual_machine_import::reasons::{Processing, Succeeded, Valid};
use forklift_api::{Phase, Time};

/// Conditions of a state; a condition whose status did not change keeps its time.
pub(super) fn of(status: &LongshoreStatus, old: &[ImportCondition], now: &Time) -> Vec<ImportCondition> {
    let condition = |type_: &str, truth: bool, reason: String, message: Option<String>| {
        let truth = if truth { "True" } else { "False" };
        let since =
            old.iter().find(|c| c.type_ == type_ && c.status == truth).and_then(|c| c.last_transition_time.clone());
        ImportCondition {
            type_: type_.to_owned(),
            status: truth.to_owned(),
            reason: Some(reason),
            message,
            last_heartbeat_time: None,
            last_transition_time: Some(since.unwrap_or_else(|| now.clone())),
        }
    };
    let failure = status.failure.as_ref().map(|failure| failure.message.clone());
    let ended = status.phase == Phase::Completed;
    let mut conditions = vec![
        condition("Valid", true, Valid::ValidationCompleted.to_string(), None),
        condition(
            "Processing",
            !ended,
            processing(status).to_string(),
            status.wait.as_ref().map(|w| w.message.clone()),
        ),
    ];
    if ended {
        let reason = if status.succeeded() { Succeeded::VirtualMachineReady } else { failed_in(status) };
        conditions.push(condition("Succeeded", status.succeeded(), reason.to_string(), failure));
    }
    conditions
}

fn processing(status: &LongshoreStatus) -> Processing {
    match &status.phase {
        Phase::Started => Processing::Pending,
        Phase::CreateVM => Processing::CreatingTargetVM,
        Phase::Completed if status.succeeded() => Processing::ProcessingCompleted,
        Phase::Completed => Processing::ProcessingFailed,
        _ => Processing::CopyingDisks,
    }
}

fn failed_in(status: &LongshoreStatus) -> Succeeded {
    match status.failure.as_ref().map(|failure| &failure.phase) {
        Some(Phase::CreateDataVolumes | Phase::CopyDisks) => Succeeded::DataVolumeCreationFailed,
        Some(Phase::Started) => Succeeded::VMNotFound,
        Some(Phase::CreateVM) => Succeeded::VMCreationFailed,
        _ => Succeeded::ValidationFailed,
    }
}
