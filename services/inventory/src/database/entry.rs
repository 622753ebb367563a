//! The new state of one object, taken apart for its row: what raises a revision, what doesn't, what other objects
//! show of it, and which objects it shows.

use serde_json::{Map, Value};

use crate::kind::Key;

/// The new state of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Which object.
    pub key: Key,
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Id of what it lies in; empty for the root.
    pub parent: String,
    /// Its document without the volatile fields.
    pub document: Map<String, Value>,
    /// The volatile fields.
    pub volatile: Map<String, Value>,
    /// What other objects show of it.
    pub projection: Option<Value>,
    /// The objects whose projection it shows, at most one a kind.
    pub shows: Vec<Key>,
    /// The disk files of a VM.
    pub disk_files: Vec<String>,
}

/// Writes into a VM's document which of its disks are shared. Returns whether something changed.
pub(super) fn mark_shared(document: &mut Map<String, Value>, is_shared: impl Fn(&str) -> bool) -> bool {
    let mut changed = false;
    let disks = document.get_mut("disks").and_then(Value::as_array_mut);
    for disk in disks.into_iter().flatten().filter_map(Value::as_object_mut) {
        let shared = Value::Bool(disk.get("file").and_then(Value::as_str).is_some_and(&is_shared));
        if disk.get("shared") != Some(&shared) {
            disk.insert("shared".to_owned(), shared);
            changed = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_disk_is_marked_by_its_file_and_only_a_difference_counts() {
        let document =
            json!({"disks": [{"file": "[a] x.vmdk", "shared": false}, {"file": "[a] y.vmdk", "shared": true}]});
        let mut document = document.as_object().unwrap().clone();
        assert!(mark_shared(&mut document, |file| file == "[a] x.vmdk"));
        assert_eq!(document["disks"][0]["shared"], json!(true));
        assert_eq!(document["disks"][1]["shared"], json!(false));
        assert!(!mark_shared(&mut document, |file| file == "[a] x.vmdk"));
    }
}
