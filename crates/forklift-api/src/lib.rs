//! The custom resources that users write and read, one file a kind: Forklift's, with every field of today's
//! schema, and the per-VM `VirtualMachineImport`. Data and pure functions only: nothing here talks to a store or
//! a cluster. Kinds that Longshore doesn't serve yet are not in [`kinds()`].

// The lint takes the `type_` of one kube `printcolumn` for a repetition of another's.
#![allow(clippy::duplicated_attributes)]

pub mod condition;
mod kind;
pub mod labels;
pub mod migration;
pub mod names;
pub mod network_map;
pub mod pipeline;
pub mod plan;
pub mod provider;
pub mod reference;
mod serde_rules;
pub mod settings;
pub mod storage_map;
pub mod virtual_machine_import;

/// A point in time as Kubernetes writes it (RFC 3339).
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};

pub use condition::{Category, Condition, Conditions, Truth};
pub use kind::{Column, Kind, find, kinds};
pub use migration::{Migration, MigrationSpec, MigrationStatus};
pub use names::{Phase, StepName, StepPhase};
pub use network_map::{NetworkMap, NetworkMapSpec};
pub use pipeline::{Progress, Step, Task, VmError};
pub use plan::{Plan, PlanSpec, PlanStatus, PlanVm, VmStatus};
pub use provider::{Provider, ProviderSpec, ProviderStatus};
pub use reference::{MapStatus, ObjectRef, ProviderPair, Ref};
pub use storage_map::{StorageMap, StorageMapSpec};
pub use virtual_machine_import::{VirtualMachineImport, VirtualMachineImportSpec, VirtualMachineImportStatus};

/// API group of Forklift's kinds.
pub const FORKLIFT_GROUP: &str = "forklift.konveyor.io";
/// API group of [`VirtualMachineImport`].
pub const IMPORT_GROUP: &str = "v2v.kubevirt.io";
/// The one version of both groups.
pub const VERSION: &str = "v1beta1";
