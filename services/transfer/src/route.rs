//! Whether a disk may be read, and how. Pure. Never stale bytes (design §2.3): a datastore file is read only if
//! the VM is off, its backing has no parent, is a plain flat file, and lies on VMFS or NFS. Everything else is a
//! refusal that names VM, disk and route; there is no second guess.

use std::fmt;

use contract::job::{DiskJob, DiskSource};

use crate::failure::{Failure, Reason};
use crate::state::{DiskState, Power, VmState};

/// The only backing that is one plain file with the disk's bytes.
const FLAT: &str = "VirtualDiskFlatVer2BackingInfo";

/// How a disk is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The flat file behind `descriptor` over the vCenter's HTTPS.
    DatastoreFile {
        /// Inventory path of the datacenter.
        datacenter: String,
        /// `[datastore] folder/disk.vmdk`.
        descriptor: String,
    },
}

/// A disk that must not be read by its route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The VM's name.
    pub vm: String,
    /// The disk, with its label.
    pub disk: String,
    /// The route that was asked for.
    pub route: &'static str,
    /// Why not.
    pub reason: Reason,
    /// Why not, and what to do.
    pub cause: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VM {}, {}, route {}: {}", self.vm, self.disk, self.route, self.cause)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.reason, refusal.to_string())
    }
}

/// Name of a route, for people.
fn name(source: &DiskSource) -> &'static str {
    match source {
        DiskSource::VsphereDatastore { .. } => "datastore file over HTTPS",
    }
}

/// Judges one disk of a job by what the vCenter says now.
pub fn check(vm: &VmState, disk: &DiskJob) -> Result<Route, Refusal> {
    let found = vm.disks.iter().find(|found| found.key == disk.key);
    let label = found.map(|found| found.label.as_str()).filter(|label| !label.is_empty());
    let refuse = |(reason, cause): (Reason, String)| Refusal {
        vm: vm.name.clone(),
        disk: label.map_or_else(|| disk.name.clone(), |label| format!("{} ({label})", disk.name)),
        route: name(&disk.source),
        reason,
        cause,
    };
    vm_at_rest(vm).map_err(refuse)?;
    let gone = || (Reason::SourceChanged, "the VM has no such disk any more; make a new plan for it".to_owned());
    let found = found.ok_or_else(gone).map_err(refuse)?;
    as_in_job(found, disk).map_err(refuse)?;
    plain_file(found).map_err(refuse)?;
    match &disk.source {
        DiskSource::VsphereDatastore { file, datacenter, datastore } => {
            if *datastore != found.datastore.name {
                let cause = format!("it lies on datastore {}, the job says {datastore}", found.datastore.name);
                return Err(refuse((Reason::SourceChanged, format!("{cause}; start the migration again"))));
            }
            Ok(Route::DatastoreFile { datacenter: datacenter.clone(), descriptor: file.clone() })
        }
    }
}

fn vm_at_rest(vm: &VmState) -> Result<(), (Reason, String)> {
    if vm.connection != "connected" {
        let state = if vm.connection.is_empty() { "unknown" } else { &vm.connection };
        let cause = format!("its state is not current, the VM is {state}; bring its host back to the vCenter");
        return Err((Reason::SourceUnreachable, cause));
    }
    match vm.power {
        Power::Off => {}
        Power::On => {
            return Err((Reason::SourcePoweredOn, "the VM is powered on; shut it down and try again".to_owned()));
        }
        Power::Suspended => {
            let cause = "the VM is suspended; resume it, shut it down and try again";
            return Err((Reason::SourcePoweredOn, cause.to_owned()));
        }
        Power::Unknown => {
            let cause = "the vCenter doesn't say whether the VM is off; check the account's rights on it";
            return Err((Reason::AccessDenied, cause.to_owned()));
        }
    }
    if vm.snapshot {
        let cause = "the VM has a snapshot, so its flat file is stale; delete all its snapshots and try again";
        return Err((Reason::SnapshotPresent, cause.to_owned()));
    }
    Ok(())
}

fn as_in_job(found: &DiskState, disk: &DiskJob) -> Result<(), (Reason, String)> {
    let DiskSource::VsphereDatastore { file, .. } = &disk.source;
    if found.backing.file != *file {
        let cause = format!("it lies in {}, the job says {file}; start the migration again", found.backing.file);
        return Err((Reason::SourceChanged, cause));
    }
    if found.capacity != disk.capacity {
        let cause = format!("it has {} bytes, the job says {}", found.capacity, disk.capacity);
        return Err((Reason::SourceChanged, format!("{cause}; start the migration again")));
    }
    Ok(())
}

fn plain_file(found: &DiskState) -> Result<(), (Reason, String)> {
    let backing = &found.backing;
    if backing.kind != FLAT {
        let cause = format!("its backing {} is not a plain flat file; this route can't read it", backing.kind);
        return Err((Reason::UnsupportedBacking, cause));
    }
    if backing.parent {
        let cause = "it is a delta on another file; consolidate the VM's disks and try again";
        return Err((Reason::UnsupportedBacking, cause.to_owned()));
    }
    let datastore = &found.datastore;
    if !matches!(datastore.kind.as_str(), "VMFS" | "NFS" | "NFS41") {
        let kind = if datastore.kind.is_empty() { "of unknown type" } else { &datastore.kind };
        let cause = format!("datastore {} is {kind}, only VMFS and NFS can be read", datastore.name);
        return Err((Reason::UnsupportedDatastore, format!("{cause}; move the disk by Storage vMotion")));
    }
    if !datastore.accessible {
        let cause = format!("datastore {} is not accessible; see to it in the vCenter", datastore.name);
        return Err((Reason::SourceUnreachable, cause));
    }
    Ok(())
}

/// Judges a disk again after its last byte was read: what is different from `before` makes the copy worthless.
pub(crate) fn unchanged(before: &VmState, after: &VmState, disk: &DiskJob) -> Result<(), Refusal> {
    check(after, disk)?;
    let same = |state: &VmState| (state.version.clone(), state.disks.iter().find(|d| d.key == disk.key).cloned());
    if same(before) == same(after) {
        return Ok(());
    }
    Err(Refusal {
        vm: after.name.clone(),
        disk: disk.name.clone(),
        route: name(&disk.source),
        reason: Reason::SourceChanged,
        cause: "the VM's configuration changed while it was copied; leave it alone and start the migration again"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests;
