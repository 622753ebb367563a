//! What the transfer service reports: progress of a disk, and the one outcome of an attempt.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{MigrationUid, VmId};
use crate::message::{FromMessage, Message};
use crate::subject::{self, Subject, TokenError};

/// `transfer.progressed.v1`: at most one a second and disk; never dropped as a duplicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferProgressed {
    /// The migration.
    pub migration: MigrationUid,
    /// The VM.
    pub vm: VmId,
    /// The attempt that reports.
    pub attempt: u32,
    /// `disk-<key>`.
    pub disk: String,
    /// Bytes of the disk that are done, read or skipped.
    pub done_bytes: u64,
    /// Length of the disk.
    pub total_bytes: u64,
}

impl Message for TransferProgressed {
    const TYPE: &'static str = "transfer.progressed.v1";

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::transfer_progress(&self.migration, &self.vm, &self.disk)
    }

    fn identity(&self) -> Option<String> {
        None
    }
}

/// `transfer.finished.v1`: how one attempt of one job ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransferFinished {
    /// The migration.
    pub migration: MigrationUid,
    /// The VM.
    pub vm: VmId,
    /// Kind of the job, as in its subject.
    pub job: String,
    /// The attempt that ended.
    pub attempt: u32,
    /// How.
    pub outcome: Outcome,
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "result", rename_all = "camelCase")]
pub enum Outcome {
    /// Every disk was copied, flushed and proven.
    Succeeded {
        /// One a disk, in the order of the job.
        disks: Vec<DiskProof>,
    },
    /// The attempt failed; the target is closed.
    Failed {
        /// Stable CamelCase reason, such as `TargetFull`.
        reason: String,
        /// For a person: object, cause, next action.
        message: String,
    },
    /// The lease was revoked; the target is closed.
    Cancelled,
}

/// What was done with one disk, and the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiskProof {
    /// `disk-<key>`.
    pub disk: String,
    /// Length of the disk.
    pub capacity: u64,
    /// Bytes fetched from the source.
    pub read_bytes: u64,
    /// Bytes that were zero and therefore not allocated at the target.
    pub zero_bytes: u64,
    /// Bytes written to the target.
    pub written_bytes: u64,
    /// BLAKE3 over the hashes of all chunks, in hex.
    pub root_hash: String,
    /// Where the manifest with every chunk's hash is kept.
    pub manifest: String,
}

impl Message for TransferFinished {
    const TYPE: &'static str = "transfer.finished.v1";

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::transfer_outcome(&self.job, &self.migration, &self.vm)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("{}/{}/{}/{}", self.job, self.migration, self.vm, self.attempt))
    }
}

/// What a reader of the whole stream TRANSFERS meets.
#[derive(Clone, Debug, PartialEq)]
pub enum TransferEvent {
    /// A disk is further.
    Progressed(TransferProgressed),
    /// An attempt ended.
    Finished(TransferFinished),
}

impl FromMessage for TransferEvent {
    fn from_message(kind: &str, body: &[u8]) -> Option<Result<Self, serde_json::Error>> {
        TransferProgressed::from_message(kind, body)
            .map(|message| message.map(Self::Progressed))
            .or_else(|| TransferFinished::from_message(kind, body).map(|message| message.map(Self::Finished)))
    }
}
