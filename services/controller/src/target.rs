//! Where migrated VMs go. One trait with two forms in sight: a directory on this machine (`local`), and KubeVirt,
//! which comes with issue *Cluster*. Every operation can be repeated, and touches only what carries the mark of
//! the import that asks.

pub mod local;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::Value;

use crate::step::Problem;

/// A volume to be made or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Namespace on the target.
    pub namespace: String,
    /// Name of the claim.
    pub claim: String,
    /// Storage class, one of those the target has.
    pub storage_class: String,
    /// Length in bytes.
    pub capacity: u64,
}

/// Who asks, and whose leftovers may be taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// UID of the VirtualMachineImport.
    pub uid: String,
    /// UIDs of earlier imports of the same VM that ended without success: their volumes are re-used.
    pub heirs_of: HashSet<String>,
}

/// The VirtualMachine as it was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// Where the manifest is.
    pub manifest: PathBuf,
    /// The command that runs it on this machine, ready for a shell.
    pub command: String,
}

/// A place for volumes and virtual machines.
#[async_trait]
pub trait Target: Send + Sync {
    /// The storage classes a StorageMap may name.
    fn storage_classes(&self) -> Vec<String>;

    /// Where a volume is on this machine, for the copy job; none for an unknown storage class.
    fn path(&self, volume: &Volume) -> Option<PathBuf>;

    /// Whether a VirtualMachine of that name exists that isn't one of these imports' own.
    async fn vm_exists(&self, namespace: &str, name: &str, owner: &Owner) -> Result<bool, Problem>;

    /// Whether there is room for all of them.
    async fn check_space(&self, volumes: &[Volume]) -> Result<(), Problem>;

    /// Makes the volumes, marked as the owner's. A volume that is there with the mark is left as it is.
    async fn create_volumes(&self, volumes: &[Volume], owner: &Owner) -> Result<(), Problem>;

    /// Removes the volumes that carry the owner's mark, and what was written beside them.
    async fn remove_volumes(&self, volumes: &[Volume], owner: &Owner) -> Result<(), Problem>;

    /// Whether a worker holds any of the volumes: the fence that outlasts a lost lease.
    async fn in_use(&self, volumes: &[Volume]) -> Result<bool, Problem>;

    /// Hands the VirtualMachine over; `volumes` are those its claims name.
    async fn create_vm(&self, manifest: &Value, volumes: &[Volume], owner: &Owner) -> Result<HandedOver, Problem>;

    /// Deletes the VirtualMachine if it carries the owner's mark.
    async fn remove_vm(&self, namespace: &str, name: &str, owner: &Owner) -> Result<(), Problem>;
}

/// Storage classes of the `local` target: name to directory.
pub type StorageClasses = BTreeMap<String, PathBuf>;
