//! What runs now and how far it is, for progress messages and the HTTP API. It holds no secret and no address.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::job::CopyRequested;
use jiff::Timestamp;
use serde::Serialize;

/// All running jobs. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    jobs: Arc<Mutex<BTreeMap<u64, Arc<JobEntry>>>>,
    next: Arc<AtomicU64>,
}

/// One running job.
#[derive(Debug)]
pub(crate) struct JobEntry {
    migration: String,
    vm: String,
    vm_name: String,
    attempt: u32,
    started: Timestamp,
    phase: Mutex<Phase>,
    pub(crate) disks: Vec<DiskEntry>,
}

/// How far a disk is; written by the copy, read by whoever reports.
#[derive(Clone, Debug)]
pub(crate) struct DiskEntry {
    pub(crate) name: String,
    pub(crate) total: u64,
    done: Arc<AtomicU64>,
    read: Arc<AtomicU64>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Phase {
    Opening,
    Copying,
    Verifying,
    Stopping,
}

/// A running job as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobView {
    migration: String,
    vm: String,
    vm_name: String,
    attempt: u32,
    phase: Phase,
    started: Timestamp,
    disks: Vec<DiskView>,
}

/// A disk as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiskView {
    name: String,
    done_bytes: u64,
    total_bytes: u64,
    read_bytes: u64,
}

/// A place on the board; dropping it takes the job off.
#[derive(Debug)]
pub(crate) struct Place {
    board: Board,
    id: u64,
    pub(crate) entry: Arc<JobEntry>,
}

impl Board {
    pub(crate) fn enter(&self, job: &CopyRequested, now: Timestamp) -> Place {
        let disk = |disk: &contract::job::DiskJob| DiskEntry {
            name: disk.name.clone(),
            total: disk.capacity,
            done: Arc::default(),
            read: Arc::default(),
        };
        let entry = Arc::new(JobEntry {
            migration: job.migration.to_string(),
            vm: job.vm.to_string(),
            vm_name: job.vm_name.clone(),
            attempt: job.attempt,
            started: now,
            phase: Mutex::new(Phase::Opening),
            disks: job.disks.iter().map(disk).collect(),
        });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(id, Arc::clone(&entry));
        Place { board: self.clone(), id, entry }
    }

    /// All running jobs, the oldest first.
    pub(crate) fn list(&self) -> Vec<JobView> {
        self.lock().values().map(|entry| entry.view()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<JobEntry>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.board.lock().remove(&self.id);
    }
}

impl JobEntry {
    pub(crate) fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    fn view(&self) -> JobView {
        JobView {
            migration: self.migration.clone(),
            vm: self.vm.clone(),
            vm_name: self.vm_name.clone(),
            attempt: self.attempt,
            phase: *self.phase.lock().unwrap_or_else(PoisonError::into_inner),
            started: self.started,
            disks: self.disks.iter().map(DiskEntry::view).collect(),
        }
    }
}

impl DiskEntry {
    /// Notes how far the copy is.
    pub(crate) fn note(&self, progress: &blockcopy::Progress<'_>) {
        self.done.store(progress.done_bytes, Ordering::Relaxed);
        self.read.store(progress.read_bytes, Ordering::Relaxed);
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    fn view(&self) -> DiskView {
        DiskView {
            name: self.name.clone(),
            done_bytes: self.done(),
            total_bytes: self.total,
            read_bytes: self.read.load(Ordering::Relaxed),
        }
    }
}
