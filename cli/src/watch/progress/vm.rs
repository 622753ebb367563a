//! One VM of a migration, read from its VirtualMachineImport.

use forklift_api::VirtualMachineImport;
use serde_json::Value;

/// One disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// `disk-<key>`.
    pub name: String,
    /// Bytes done, read or skipped.
    pub done: i64,
    /// Length in bytes.
    pub total: i64,
}

/// How a VM ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is on the target.
    Succeeded {
        /// The VirtualMachine manifest, on a `local` target.
        manifest: Option<String>,
        /// The command that runs it.
        command: Option<String>,
        /// All its disks were proven.
        proven: bool,
    },
    /// It is not.
    Failed {
        /// Where it failed.
        phase: String,
        /// Object, cause, next action.
        message: String,
    },
    /// Somebody ended it.
    Canceled,
}

/// One VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vm {
    /// Uid of its import.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Forklift's phase name.
    pub phase: String,
    /// Its disks.
    pub disks: Vec<Disk>,
    /// Bytes a second.
    pub rate: Option<i64>,
    /// `Reason: message` of what it waits for.
    pub wait: Option<String>,
    /// Seconds from its turn to its end.
    pub seconds: Option<i64>,
    /// Set when it has ended.
    pub end: Option<End>,
}

/// Reads an import. One of another version of this program is shown as far as it can be read.
pub fn read(object: &Value) -> Vm {
    let import: VirtualMachineImport = serde_json::from_value(object.clone()).unwrap_or_default();
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    let status = import.status.and_then(|status| status.longshore).unwrap_or_default();
    let name = text("/spec/source/vmware/vm/name").or(text("/spec/targetVmName")).or(text("/metadata/name"));
    let disks: Vec<Disk> = status
        .disks
        .iter()
        .map(|disk| Disk { name: disk.name.clone(), done: disk.done_bytes.min(disk.capacity), total: disk.capacity })
        .collect();
    let end = match &status.failure {
        // A failure is known before it is undone; it is the end only when the undo is.
        Some(failure) if status.completed.is_some() => {
            Some(End::Failed { phase: failure.phase.to_string(), message: failure.message.clone() })
        }
        None if status.canceled && status.completed.is_some() => Some(End::Canceled),
        None if status.succeeded() => Some(End::Succeeded {
            manifest: status.manifest.clone(),
            command: status.command.clone(),
            proven: status.disks.iter().all(|disk| disk.proof.is_some()),
        }),
        _ => None,
    };
    let seconds = status
        .started
        .as_ref()
        .zip(status.completed.as_ref())
        .map(|(begin, end)| end.0.as_second() - begin.0.as_second());
    Vm {
        id: text("/metadata/uid").unwrap_or_default(),
        name: name.unwrap_or_default(),
        phase: status.phase.to_string(),
        disks,
        rate: None,
        wait: status.wait.as_ref().map(|wait| format!("{}: {}", wait.reason, wait.message)),
        seconds,
        end,
    }
}
