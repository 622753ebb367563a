//! Work for the transfer service. A job carries everything but secrets: the worker reads the provider and its
//! secret from the store. The fields for many passes (warm) are here from the first day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{MigrationUid, PlanUid, ProviderUid, VmId};
use crate::message::Message;
use crate::subject::{self, Subject, TokenError};

/// The name of copy jobs in subjects.
pub const COPY: &str = "copy";

/// `copy.requested.v1`: copy all disks of one VM, prove them, report one outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CopyRequested {
    /// The migration the VM is moved by.
    pub migration: MigrationUid,
    /// Its plan.
    pub plan: PlanUid,
    /// Namespace of the VirtualMachineImport, the Migration and the Provider.
    pub namespace: String,
    /// Counts from 1; an outcome answers exactly one attempt.
    pub attempt: u32,
    /// UID of the source provider.
    pub provider: ProviderUid,
    /// Name of the source provider in `namespace`.
    pub provider_name: String,
    /// The VM at the source.
    pub vm: VmId,
    /// Its name, for messages to people.
    pub vm_name: String,
    /// Which pass over the disks: cold has only the last one.
    pub pass: Pass,
    /// What to copy where.
    pub disks: Vec<DiskJob>,
}

/// One pass of one copy path: cold is a single last pass, warm is many and a last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pass {
    /// Counts from 0.
    pub number: u32,
    /// No further pass follows: the source is off and stays as it is.
    pub last: bool,
}

/// One disk of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DiskJob {
    /// Device key at the source, stable for the disk's life in its VM.
    pub key: i32,
    /// Name in subjects, logs and status, `disk-<key>`.
    pub name: String,
    /// Where it is read.
    pub source: DiskSource,
    /// Length in bytes.
    pub capacity: u64,
    /// Where it is written.
    pub target: DiskTarget,
    /// The change id the pass starts from; `None` reads everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_change_id: Option<String>,
}

/// Where a disk's bytes are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "route", rename_all = "camelCase")]
pub enum DiskSource {
    /// The flat file behind a descriptor on a VMFS or NFS datastore, over the vCenter's HTTPS.
    VsphereDatastore {
        /// Backing file of the disk, `[datastore] folder/disk.vmdk`.
        file: String,
        /// Inventory path of the datacenter, without a leading slash, such as `folder/DC0`.
        datacenter: String,
        /// The datastore's name.
        datastore: String,
    },
}

/// Where a disk's bytes are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum DiskTarget {
    /// A raw file on this machine, made before the job by the controller.
    LocalFile {
        /// Absolute path.
        path: String,
    },
}

impl Message for CopyRequested {
    const TYPE: &'static str = "copy.requested.v1";

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::job(COPY, &self.migration, &self.vm)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("{}/{}/{}", self.migration, self.vm, self.attempt))
    }
}
