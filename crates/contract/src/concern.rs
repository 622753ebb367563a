//! What a rule says about a VM.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How serious a concern is. `Critical` blocks a plan; `Error` says that a rule itself failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Category {
    /// The VM can't be migrated like this.
    Critical,
    /// A rule could not be evaluated.
    Error,
    /// Something will be lost or needs care.
    Warning,
    /// Worth knowing.
    Information,
    /// A hint.
    Advisory,
}

/// One finding of one rule, with Forklift's field names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Concern {
    /// The rule's id, such as `vmware.disk.capacity.invalid`.
    pub id: String,
    /// How serious it is.
    pub category: Category,
    /// One line for a table; may name the disk or NIC.
    pub label: String,
    /// What it means and what to do.
    pub assessment: String,
}
