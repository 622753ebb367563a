//! The store's events in Kubernetes' words. A listing that the store repeats after an interruption reaches the client
//! as differences: what is new, what changed, what is gone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use forklift_api::Kind;
use serde::Serialize;
use serde_json::{Value, json};
use store::Event;

/// One line of a watch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    #[serde(rename = "type")]
    type_: &'static str,
    object: Value,
}

/// Namespace and name.
type Key = (String, String);

/// What one client was told so far.
#[derive(Debug)]
pub struct Watch {
    kind: &'static Kind,
    /// For every object the metadata that a DELETED needs.
    told: BTreeMap<Key, Value>,
    listed: BTreeSet<Key>,
}

impl Watch {
    /// A client that was told nothing yet.
    pub fn new(kind: &'static Kind) -> Self {
        Self { kind, told: BTreeMap::new(), listed: BTreeSet::new() }
    }

    /// What the client must be told about `event`.
    pub fn translate(&mut self, event: Event<Value>) -> Vec<Change> {
        match event {
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                self.listed.insert(key(&object));
                self.changed(object)
            }
            Event::InitDone => self.list_ended(),
            Event::Apply(object) => self.changed(object),
            Event::Delete(object) => {
                self.told.remove(&key(&object)).map(|_| Change { type_: "DELETED", object }).into_iter().collect()
            }
        }
    }

    fn changed(&mut self, object: Value) -> Vec<Change> {
        let metadata = identity(&object);
        match self.told.insert(key(&object), metadata.clone()) {
            None => vec![Change { type_: "ADDED", object }],
            Some(before) if before["uid"] != metadata["uid"] => {
                vec![self.deleted(&before), Change { type_: "ADDED", object }]
            }
            Some(before) if before["resourceVersion"] == metadata["resourceVersion"] => Vec::new(),
            Some(_) => vec![Change { type_: "MODIFIED", object }],
        }
    }

    fn list_ended(&mut self) -> Vec<Change> {
        let gone: Vec<Key> = self.told.keys().filter(|key| !self.listed.contains(key)).cloned().collect();
        let removed: Vec<Value> = gone.iter().filter_map(|key| self.told.remove(key)).collect();
        let mut changes: Vec<Change> = removed.iter().map(|metadata| self.deleted(metadata)).collect();
        changes.push(self.bookmark());
        changes
    }

    fn deleted(&self, metadata: &Value) -> Change {
        Change { type_: "DELETED", object: self.object(metadata) }
    }

    /// Kubernetes' mark for the end of the first objects.
    fn bookmark(&self) -> Change {
        let metadata = json!({ "annotations": { "k8s.io/initial-events-end": "true" } });
        Change { type_: "BOOKMARK", object: self.object(&metadata) }
    }

    fn object(&self, metadata: &Value) -> Value {
        json!({ "apiVersion": self.kind.api_version(), "kind": self.kind.kind, "metadata": metadata })
    }
}

fn key(object: &Value) -> Key {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

fn identity(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let mut kept = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "labels"] {
        if !metadata[field].is_null() {
            kept[field] = metadata[field].clone();
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch::new(forklift_api::find("plan").unwrap())
    }

    fn object(name: &str, uid: &str, version: &str) -> Value {
        json!({ "metadata": { "name": name, "namespace": "a", "uid": uid, "resourceVersion": version }, "spec": {} })
    }

    fn tell(watch: &mut Watch, events: Vec<Event<Value>>) -> Vec<String> {
        let changes = events.into_iter().flat_map(|event| watch.translate(event));
        changes
            .map(|change| format!("{} {}", change.type_, change.object["metadata"]["name"].as_str().unwrap_or("-")))
            .collect()
    }

    #[test]
    fn first_all_objects_then_a_bookmark_then_changes() {
        let told = tell(
            &mut watch(),
            vec![
                Event::Init,
                Event::InitApply(object("one", "1", "1")),
                Event::InitDone,
                Event::Apply(object("two", "2", "2")),
                Event::Apply(object("one", "1", "3")),
                Event::Delete(object("one", "1", "3")),
            ],
        );
        assert_eq!(told, ["ADDED one", "BOOKMARK -", "ADDED two", "MODIFIED one", "DELETED one"]);
    }

    #[test]
    fn a_repeated_listing_reaches_the_client_as_differences() {
        let mut watch = watch();
        let list = |objects: Vec<Value>| {
            let items = objects.into_iter().map(Event::InitApply);
            [Event::Init].into_iter().chain(items).chain([Event::InitDone]).collect::<Vec<_>>()
        };
        tell(&mut watch, list(vec![object("same", "1", "1"), object("changed", "2", "2"), object("gone", "3", "3")]));
        let told = tell(
            &mut watch,
            list(vec![object("same", "1", "1"), object("changed", "2", "9"), object("new", "4", "4")]),
        );
        assert_eq!(told, ["MODIFIED changed", "ADDED new", "DELETED gone", "BOOKMARK -"]);
    }

    #[test]
    fn an_object_made_anew_under_the_same_name_is_deleted_and_added() {
        let mut watch = watch();
        tell(&mut watch, vec![Event::Apply(object("one", "1", "1"))]);
        assert_eq!(tell(&mut watch, vec![Event::Apply(object("one", "2", "2"))]), ["DELETED one", "ADDED one"]);
    }

    #[test]
    fn a_deletion_told_late_still_says_which_object_it_was() {
        let mut watch = watch();
        let mut labelled = object("one", "1", "1");
        labelled["metadata"]["labels"] = json!({ "plan": "p" });
        watch.translate(Event::Apply(labelled));
        watch.translate(Event::Init);
        let change = watch.translate(Event::InitDone).remove(0);
        assert_eq!(change.object["kind"], "Plan");
        assert_eq!(change.object["metadata"]["labels"]["plan"], "p");
    }
}
