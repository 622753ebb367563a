//! One Secret in memory. Its values are never printed, and nothing here serializes it but its own file's writer.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use trust::Secret;

use crate::ObjectId;

/// One Secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SecretObject {
    /// Name, namespace, labels, uid, resourceVersion.
    pub metadata: ObjectMeta,
    /// Kubernetes' `type`, such as `Opaque`.
    pub type_: Option<String>,
    /// The values, decoded.
    pub data: BTreeMap<String, Secret<Vec<u8>>>,
}

impl SecretObject {
    /// A value as text; nothing if it is absent or not UTF-8.
    pub fn text(&self, key: &str) -> Option<Secret<String>> {
        String::from_utf8(self.data.get(key)?.expose().clone()).ok().map(Secret::new)
    }

    /// Names of the values, for messages about missing ones.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.data.keys().map(String::as_str)
    }

    /// Its namespace; empty if it has none yet.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Its name; empty if it has none yet.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Its version; empty before it was stored.
    pub fn resource_version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> ObjectId {
        id(self.namespace(), self.name())
    }

    /// Whether all that its author can set is the same.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.data == other.data
            && self.type_ == other.type_
            && self.metadata.labels == other.metadata.labels
            && self.metadata.annotations == other.metadata.annotations
            && self.metadata.owner_references == other.metadata.owner_references
    }
}

pub(super) fn id(namespace: &str, name: &str) -> ObjectId {
    ObjectId { kind: "Secret".to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
}
