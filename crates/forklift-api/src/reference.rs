//! How one object names another: a Kubernetes object by [`ObjectRef`], a source object (VM, network, datastore) by
//! [`Ref`].

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Condition;

/// A Kubernetes object; `name` and `namespace` are what Longshore looks at.
pub use k8s_openapi::api::core::v1::ObjectReference as ObjectRef;

/// A source object; id or name is needed. On vSphere a name may be the end of an inventory path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Ref {
    /// Identity at the provider, such as `vm-42`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name, or the end of the inventory path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only for sources that are Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// A qualifier of the name, such as `pod` for a network.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id.as_deref().unwrap_or_default();
        match (self.name.as_deref().filter(|n| !n.is_empty()), id) {
            (Some(name), "") => write!(f, "name:{name}"),
            (Some(name), id) => write!(f, "id:{id} name:{name}"),
            (None, id) => write!(f, "id:{id}"),
        }
    }
}

/// Where VMs come from and where they go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderPair {
    /// The source provider.
    pub source: ObjectRef,
    /// The target provider, of type openshift.
    pub destination: ObjectRef,
}

/// What NetworkMap and StorageMap report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapStatus {
    /// What holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The generation that the conditions are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The source objects that the map's items were found to mean.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Ref>,
}
