//! Kind NetworkMap: which source network becomes which target network.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{MapStatus, ProviderPair};

/// Pairs of networks between two providers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, JsonSchema)]
#[kube(
    group = "forklift.konveyor.io",
    version = "v1beta1",
    kind = "NetworkMap",
    namespaced,
    status = "MapStatus",
    doc = "Which source network becomes which target network.",
    derive = "PartialEq",
    derive = "Default",
    printcolumn(name = "READY", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
pub struct NetworkMapSpec {
    /// Source and target provider.
    pub provider: ProviderPair,
    /// One entry a network; the same source several times makes a pool, one target a NIC.
    pub map: Vec<NetworkPair>,
}

/// One source network and its target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkPair {
    /// The source network.
    pub source: NetworkSource,
    /// The target network.
    pub destination: DestinationNetwork,
}

/// A source network; id or name is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkSource {
    /// Identity at the provider, such as `network-7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name, or the end of the inventory path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only for sources that are Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `pod` for the pod network of a source that is Kubernetes.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Only NICs in this VLAN, 1 to 4094.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([1-9]|[1-9][0-9]{1,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-4])$"))]
    pub vlan: Option<String>,
}

/// What the target network is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkType {
    /// The cluster's pod network.
    #[default]
    Pod,
    /// A network attachment definition.
    Multus,
    /// The NIC is left out.
    Ignored,
}

/// A target network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DestinationNetwork {
    /// Pod network, network attachment definition, or none.
    #[serde(rename = "type")]
    pub type_: NetworkType,
    /// Namespace of the network attachment definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the network attachment definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
