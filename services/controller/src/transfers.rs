//! What the transfer service reported, kept from stream TRANSFERS: the newest progress and outcome of each VM's
//! copy. Only what belongs to the asked attempt is told; an older worker's word never counts.

use std::collections::HashMap;

use contract::id::{MigrationUid, VmId};
use contract::transfer::{Outcome, TransferEvent, TransferFinished};
use forklift_api::virtual_machine_import::longshore::DiskProof;

use crate::step::{CopyEnd, Problem};

/// Which copy a message was about.
pub type Key = (MigrationUid, VmId);

#[derive(Debug, Default)]
struct Copy {
    finished: Option<TransferFinished>,
    done: HashMap<String, (u32, u64)>,
}

/// All copies.
#[derive(Debug, Default)]
pub struct Transfers {
    copies: HashMap<Key, Copy>,
}

impl Transfers {
    /// Takes in one message and tells which copy it was about.
    pub fn apply(&mut self, event: TransferEvent) -> Key {
        match event {
            TransferEvent::Progressed(progress) => {
                let key = (progress.migration, progress.vm);
                let copy = self.copies.entry(key.clone()).or_default();
                copy.done.insert(progress.disk, (progress.attempt, progress.done_bytes));
                key
            }
            TransferEvent::Finished(finished) => {
                let key = (finished.migration.clone(), finished.vm.clone());
                self.copies.entry(key.clone()).or_default().finished = Some(finished);
                key
            }
        }
    }

    /// The stream was lost: forget what it told.
    pub fn restart(&mut self) {
        self.copies.clear();
    }

    /// How an attempt ended, if it did.
    pub fn end(&self, key: &Key, attempt: u32) -> Option<CopyEnd> {
        let finished = self.copies.get(key)?.finished.as_ref().filter(|finished| finished.attempt == attempt)?;
        Some(match &finished.outcome {
            Outcome::Succeeded { disks } => {
                CopyEnd::Succeeded(disks.iter().map(|disk| (disk.disk.clone(), proof(disk))).collect())
            }
            Outcome::Failed { reason, message } => CopyEnd::Failed(Problem::lasting(reason, message)),
            Outcome::Cancelled => CopyEnd::Cancelled,
        })
    }

    /// Disk name and bytes done of an attempt, sorted by name.
    pub fn done_bytes(&self, key: &Key, attempt: u32) -> Vec<(String, i64)> {
        let Some(copy) = self.copies.get(key) else { return Vec::new() };
        let of_attempt = copy.done.iter().filter(|(_, (of, _))| *of == attempt);
        let mut done: Vec<_> = of_attempt.map(|(disk, (_, bytes))| (disk.clone(), signed(*bytes))).collect();
        done.sort();
        done
    }
}

fn proof(disk: &contract::transfer::DiskProof) -> DiskProof {
    DiskProof {
        read_bytes: signed(disk.read_bytes),
        zero_bytes: signed(disk.zero_bytes),
        written_bytes: signed(disk.written_bytes),
        root_hash: disk.root_hash.clone(),
        manifest: disk.manifest.clone(),
    }
}

/// Kubernetes has no unsigned integers; no disk has 8 EiB.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_attempt_has_no_say() {
        let mut transfers = Transfers::default();
        let key = transfers.apply(TransferEvent::Finished(TransferFinished {
            migration: "m".into(),
            vm: "vm-1".into(),
            job: "copy".into(),
            attempt: 1,
            outcome: Outcome::Cancelled,
        }));
        assert_eq!(transfers.end(&key, 1), Some(CopyEnd::Cancelled));
        assert_eq!(transfers.end(&key, 2), None);
    }
}
