//! The documents of a vSphere inventory, with the field names of Forklift's. Rules read them, HTTP answers with
//! them, the bus carries them. Sizes are bytes unless the name says MB; lists are `[]`, never null.

mod infrastructure;
mod vm;

pub use infrastructure::{Cluster, Datacenter, Datastore, Folder, Host, HostNetworkAdapter, Network};
pub use vm::{Device, Disk, GuestDisk, GuestNetwork, Nic, PowerState, Vm, Workload, WorkloadCluster, WorkloadHost};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A managed object: its type at the provider and its id.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Ref {
    /// `VirtualMachine`, `Datastore`, … ; empty when there is none.
    pub kind: String,
    /// Managed object id; empty when there is none.
    pub id: String,
}

impl Ref {
    /// A reference to `id` of type `kind`.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }

    /// Whether it refers to nothing.
    pub fn is_none(&self) -> bool {
        self.id.is_empty()
    }
}
