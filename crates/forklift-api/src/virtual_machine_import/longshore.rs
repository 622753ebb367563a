//! Longshore's own part of a VirtualMachineImport's status: where the migration of this one VM is, what it waits
//! for, and the ledger of its outside effects. It is the whole memory of the migration: after a crash the
//! controller goes on from here and nothing else. Only the controller writes it.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Phase, Time};

/// What became of an outside effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EntryState {
    /// Written down before it is tried; after a crash it may have happened or not.
    Intended,
    /// It happened.
    Done,
    /// It was taken back, or is known never to have happened.
    Undone,
    /// It is not Longshore's any more: the VM succeeded.
    Closed,
}

/// Outside effects, each with its undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EffectKind {
    /// Volumes on the target; undone by removing them, kept for a retry after a failure.
    CreateVolumes,
    /// Shutdown of the guest; undone by powering the source on if it ran before. It can't be withdrawn.
    ShutdownSource,
    /// A copy job; undone by revoking its lease.
    CopyDisks,
    /// The VirtualMachine; undone by deleting it.
    CreateVm,
}

/// One outside effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// What.
    pub effect: EffectKind,
    /// What became of it.
    pub state: EntryState,
    /// When it came into this state.
    pub at: Time,
}

/// What a VM that doesn't move on waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// Stable CamelCase reason.
    pub reason: String,
    /// For a person.
    pub message: String,
    /// Since when.
    pub since: Time,
}

/// Why a VM was not migrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The phase it failed in.
    #[schemars(with = "String")]
    pub phase: Phase,
    /// Stable CamelCase reason.
    pub reason: String,
    /// For a person: object, cause, next action.
    pub message: String,
}

/// When a phase began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseStart {
    /// The phase.
    #[schemars(with = "String")]
    pub phase: Phase,
    /// When.
    pub at: Time,
}

/// One disk of the VM, decided before anything is touched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskStatus {
    /// Device key at the source.
    pub key: i32,
    /// Name in messages, `disk-<key>`.
    pub name: String,
    /// Backing file at the source, `[datastore] folder/disk.vmdk`.
    pub file: String,
    /// Id of the datastore.
    pub datastore_id: String,
    /// Name of the datastore.
    pub datastore: String,
    /// Inventory path of the datacenter, without a leading slash.
    pub datacenter: String,
    /// Length in bytes.
    pub capacity: i64,
    /// Storage class on the target.
    pub storage_class: String,
    /// Persistent volume claim on the target.
    pub claim: String,
    /// Where the volume is on a `local` target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Bytes done by the running attempt, read or skipped.
    #[serde(default)]
    pub done_bytes: i64,
    /// What the finished copy proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<DiskProof>,
}

/// The proof of a copied disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskProof {
    /// Bytes fetched from the source.
    pub read_bytes: i64,
    /// Bytes that were zero and are not allocated at the target.
    pub zero_bytes: i64,
    /// Bytes written.
    pub written_bytes: i64,
    /// BLAKE3 over the hashes of all chunks, in hex.
    pub root_hash: String,
    /// Where the manifest with every chunk's hash is.
    pub manifest: String,
}

/// The state of one VM's migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LongshoreStatus {
    /// Where it is.
    #[schemars(with = "String")]
    pub phase: Phase,
    /// Counts the attempts of jobs, from 1; 0 before the first. The fence between an old worker and a new one.
    #[schemars(with = "i64")]
    pub attempt: u32,
    /// The ESXi host it was found on, for the limits of what runs at once.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Whether the source ran when it was found: what a failure restores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_was_on: Option<bool>,
    /// The disks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<DiskStatus>,
    /// All outside effects, oldest first, one entry an effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<LedgerEntry>,
    /// What it waits for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
    /// Why it failed; set as soon as it is known, before anything is undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// It ends because somebody asked for it; its volumes are removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub canceled: bool,
    /// The VirtualMachine as it was decided before anything was touched; its run strategy is set when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub virtual_machine: Option<serde_json::Value>,
    /// When it was given its turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<Time>,
    /// When something last moved: deadlines count from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progressed: Option<Time>,
    /// When each phase began, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseStart>,
    /// The VirtualMachine manifest on a `local` target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The command that runs the result on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl LongshoreStatus {
    /// The state of an effect, if it was ever intended.
    pub fn entry(&self, effect: EffectKind) -> Option<EntryState> {
        self.ledger.iter().find(|entry| entry.effect == effect).map(|entry| entry.state)
    }

    /// Something outside may still have to be taken back.
    pub fn ledger_is_open(&self) -> bool {
        self.ledger.iter().any(|entry| matches!(entry.state, EntryState::Intended | EntryState::Done))
    }

    /// It ended and the VM is on the target.
    pub fn succeeded(&self) -> bool {
        self.phase == Phase::Completed && self.failure.is_none() && !self.canceled
    }
}

/// A KubeVirt object: described by KubeVirt's own schema, not by ours.
fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}
