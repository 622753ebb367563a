//! The reference by which a vCenter names its objects.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A managed object reference: its type and the id that is unique within one vCenter, such as
/// `VirtualMachine` and `vm-62`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MoRef {
    /// The managed object's type, such as `VirtualMachine`.
    pub kind: String,
    /// The id, such as `vm-62`.
    pub value: String,
}

impl MoRef {
    /// A reference of this type and id.
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }

    /// The reference to the virtual machine of this id.
    pub fn vm(value: impl Into<String>) -> Self {
        Self::new("VirtualMachine", value)
    }
}

impl fmt::Display for MoRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}
