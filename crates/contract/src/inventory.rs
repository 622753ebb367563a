//! What the inventory tells: changed and removed objects, and how each provider's collection stands.
//! The stream keeps the last message per object; a removal is a tombstone on the same subject.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::id::{ProviderUid, VmId};
use crate::message::{FromMessage, Message};
use crate::revision::Revision;
use crate::subject::{self, Subject, TokenError};
use crate::vsphere::{Cluster, Datacenter, Datastore, Folder, Host, Network, Workload};

/// A document of the inventory and the kind it is published under.
pub trait Document: Serialize + DeserializeOwned + Send + Sync {
    /// The kind in subjects and HTTP paths, singular: `vm`, `host` …
    const KIND: &'static str;
    /// Its message type.
    const CHANGED: &'static str;
    /// The object's id at the provider.
    fn id(&self) -> &str;
}

macro_rules! document {
    ($type:ty, $kind:literal) => {
        impl Document for $type {
            const KIND: &'static str = $kind;
            const CHANGED: &'static str = concat!($kind, ".changed.v1");
            fn id(&self) -> &str {
                &self.id
            }
        }
    };
}

document!(Host, "host");
document!(Cluster, "cluster");
document!(Network, "network");
document!(Datastore, "datastore");
document!(Folder, "folder");
document!(Datacenter, "datacenter");

impl Document for Workload {
    const KIND: &'static str = "vm";
    const CHANGED: &'static str = "vm.changed.v1";
    fn id(&self) -> &str {
        &self.vm.id
    }
}

/// `<kind>.changed.v1`: the newest state of one object; for a VM the workload that rules judge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changed<D> {
    /// The provider it belongs to.
    pub provider: ProviderUid,
    /// Grows with every change of the object.
    pub revision: Revision,
    /// The object.
    pub object: D,
}

/// The message about a VM.
pub type VmChanged = Changed<Workload>;

impl<D: Document> Message for Changed<D> {
    const TYPE: &'static str = D::CHANGED;

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::inventory(D::KIND, &self.provider, self.object.id())
    }

    fn identity(&self) -> Option<String> {
        Some(format!("{}/{}/{}", self.provider, self.object.id(), self.revision))
    }
}

/// `vm.removed.v1`: the VM is gone at the provider; kept for 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VmRemoved {
    /// The provider it belonged to.
    pub provider: ProviderUid,
    /// The VM.
    pub id: VmId,
    /// Greater than the revision of its last change.
    pub revision: Revision,
}

impl Message for VmRemoved {
    const TYPE: &'static str = "vm.removed.v1";

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::inventory("vm", &self.provider, self.id.as_str())
    }

    fn identity(&self) -> Option<String> {
        Some(format!("{}/{}/{}", self.provider, self.id, self.revision))
    }
}

/// `object.removed.v1`: an object other than a VM is gone; kept for 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectRemoved {
    /// The provider it belonged to.
    pub provider: ProviderUid,
    /// The kind in subjects: `host`, `cluster` …
    pub kind: String,
    /// The object.
    pub id: String,
    /// Greater than the revision of its last change.
    pub revision: Revision,
}

impl Message for ObjectRemoved {
    const TYPE: &'static str = "object.removed.v1";

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::inventory(&self.kind, &self.provider, &self.id)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("{}/{}/{}/{}", self.provider, self.kind, self.id, self.revision))
    }
}

/// What a reader of `longshore.v1.inventory.vm.>` meets.
#[derive(Clone, Debug, PartialEq)]
pub enum VmEvent {
    /// It is there, in this state.
    Changed(Box<VmChanged>),
    /// It is gone.
    Removed(VmRemoved),
}

impl FromMessage for VmEvent {
    fn from_message(kind: &str, body: &[u8]) -> Option<Result<Self, serde_json::Error>> {
        VmChanged::from_message(kind, body)
            .map(|changed| changed.map(|changed| Self::Changed(Box::new(changed))))
            .or_else(|| VmRemoved::from_message(kind, body).map(|removed| removed.map(Self::Removed)))
    }
}

/// What a reader of the whole stream INVENTORY meets.
#[derive(Clone, Debug, PartialEq)]
pub enum InventoryEvent {
    /// About a VM.
    Vm(VmEvent),
    /// A host's newest state.
    Host(Changed<Host>),
    /// A cluster's newest state.
    Cluster(Changed<Cluster>),
    /// A network's newest state.
    Network(Changed<Network>),
    /// A datastore's newest state.
    Datastore(Changed<Datastore>),
    /// A folder's newest state.
    Folder(Changed<Folder>),
    /// A datacenter's newest state.
    Datacenter(Changed<Datacenter>),
    /// Something other than a VM is gone.
    Removed(ObjectRemoved),
    /// How the collection of a provider stands.
    Provider(ProviderState),
}

impl FromMessage for InventoryEvent {
    fn from_message(kind: &str, body: &[u8]) -> Option<Result<Self, serde_json::Error>> {
        fn read<M: FromMessage>(
            kind: &str,
            body: &[u8],
            wrap: fn(M) -> InventoryEvent,
        ) -> Option<Result<InventoryEvent, serde_json::Error>> {
            M::from_message(kind, body).map(|message| message.map(wrap))
        }
        read(kind, body, Self::Vm)
            .or_else(|| read(kind, body, Self::Host))
            .or_else(|| read(kind, body, Self::Cluster))
            .or_else(|| read(kind, body, Self::Network))
            .or_else(|| read(kind, body, Self::Datastore))
            .or_else(|| read(kind, body, Self::Folder))
            .or_else(|| read(kind, body, Self::Datacenter))
            .or_else(|| read(kind, body, Self::Removed))
            .or_else(|| read(kind, body, Self::Provider))
    }
}

/// How far the collection of one provider is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "phase", rename_all = "camelCase")]
pub enum Collection {
    /// Logged in, the first full set is not complete yet.
    Loading,
    /// The inventory equals the provider's state and follows it.
    Synced,
    /// The login was refused; not tried again with this version of the credentials.
    CredentialsRefused {
        /// For a person.
        message: String,
    },
    /// The server's certificate is not the one that is trusted.
    CertificateRefused {
        /// For a person; names both fingerprints when one was pinned.
        message: String,
    },
    /// The Provider's settings can't be used (URL, TLS settings).
    SettingsRefused {
        /// For a person.
        message: String,
    },
    /// No connection at the moment; tried again.
    Unreachable {
        /// For a person.
        message: String,
    },
}

/// `provider.state.v1`: what the controller turns into conditions of the Provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderState {
    /// The provider.
    pub provider: ProviderUid,
    /// Generation of the Provider resource that was tried.
    pub generation: i64,
    /// Version of the Secret that was tried.
    pub secret_version: String,
    /// Grows with every message about this provider.
    pub revision: Revision,
    /// Where it stands.
    pub collection: Collection,
    /// SHA-1 thumbprint of the server's certificate, as vCenter shows it, once seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Number of VMs known.
    pub vm_count: u64,
}

impl Message for ProviderState {
    const TYPE: &'static str = "provider.state.v1";

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::provider_state(&self.provider)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("{}/{}", self.provider, self.revision))
    }
}
