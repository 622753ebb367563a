//! An object as JSON: its identity, and the parts of its metadata that a store looks at.

use std::fmt;

use forklift_api::Kind;
use serde_json::{Map, Value};

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// `Plan`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectId {
    pub(crate) fn new(kind: &Kind, namespace: &str, name: &str) -> Self {
        Self { kind: kind.kind.clone(), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The identity that an object's own metadata states.
    pub(crate) fn of(kind: &Kind, object: &Value) -> Self {
        let meta = |field| object.pointer(field).and_then(Value::as_str).unwrap_or_default();
        Self::new(kind, meta("/metadata/namespace"), meta("/metadata/name"))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// A text of the object's metadata.
pub(crate) fn meta_str<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.get("metadata")?.get(field)?.as_str()
}

/// The object's metadata, made if absent; nothing if the object isn't one.
pub(crate) fn meta_mut(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object.as_object_mut()?.entry("metadata").or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}

pub(crate) fn set_meta(object: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(meta) = meta_mut(object) {
        meta.insert(field.to_owned(), value.into());
    }
}

pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    let list = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(crate) fn is_being_deleted(object: &Value) -> bool {
    meta_str(object, "deletionTimestamp").is_some()
}
