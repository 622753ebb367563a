//! What can be configured of the controller.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::Deserialize;

use crate::schedule::Limits;
use crate::step::Deadlines;
use crate::target::StorageClasses;

/// Section `controller` of the configuration. Durations are in seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Data directory of the process; manifests of migrated VMs lie in its subfolder `vms`.
    pub data: PathBuf,
    /// Storage classes of the `local` target: name to directory, relative to the data directory.
    pub storage_classes: StorageClasses,
    /// What may run at once.
    pub limits: Limits,
    /// From the shutdown request to power-off.
    pub shutdown_seconds: i64,
    /// Between two signs of progress of a copy.
    pub copy_progress_seconds: i64,
    /// Until everything is there that must be before a source is touched.
    pub prepare_seconds: i64,
    /// How long a guest that goes down after a failed shutdown is powered on again.
    pub late_shutdown_seconds: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: "longshore-data".into(),
            storage_classes: [("standard".to_owned(), PathBuf::from("disks"))].into(),
            limits: Limits::default(),
            shutdown_seconds: 600,
            copy_progress_seconds: 300,
            prepare_seconds: 120,
            late_shutdown_seconds: 1800,
        }
    }
}

impl Options {
    /// Where manifests of migrated VMs go.
    pub(crate) fn vms(&self) -> PathBuf {
        self.data.join("vms")
    }

    /// Storage classes with absolute directories.
    pub(crate) fn classes(&self) -> StorageClasses {
        self.storage_classes.iter().map(|(name, directory)| (name.clone(), self.data.join(directory))).collect()
    }

    /// The deadlines of the state machine.
    pub fn deadlines(&self) -> Deadlines {
        Deadlines {
            shutdown: SignedDuration::from_secs(self.shutdown_seconds),
            copy_progress: SignedDuration::from_secs(self.copy_progress_seconds),
            prepare: SignedDuration::from_secs(self.prepare_seconds),
            late_shutdown: SignedDuration::from_secs(self.late_shutdown_seconds),
        }
    }
}
