//! The objects of one watched collection. A feed that was interrupted lists anew; what such a listing doesn't name
//! is gone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::discovery::name_of;

type Key = (String, String);

/// What is known of a collection.
#[derive(Debug, Default)]
pub struct Collection {
    objects: BTreeMap<Key, Value>,
    /// What a running listing named; none runs after its bookmark. The server's later bookmarks end listings of
    /// its own, of which it tells only differences.
    listing: Option<BTreeSet<Key>>,
    complete: bool,
}

impl Collection {
    /// All objects, by namespace and name.
    pub fn objects(&self) -> impl Iterator<Item = &Value> {
        self.objects.values()
    }

    /// Whether everything that was there at the start is known.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// A new listing begins.
    pub fn begin(&mut self) {
        self.listing = Some(BTreeSet::new());
    }

    /// Takes one line of a watch in: `{"type": …, "object": …}`.
    pub fn change(&mut self, change: Value) {
        let Value::Object(mut change) = change else { return };
        let object = change.remove("object").unwrap_or_default();
        let (name, namespace) = name_of(&object);
        let key = (namespace.to_owned(), name.to_owned());
        match change.get("type").and_then(Value::as_str) {
            Some("ADDED" | "MODIFIED") => {
                if let Some(listing) = &mut self.listing {
                    listing.insert(key.clone());
                }
                self.objects.insert(key, object);
            }
            Some("DELETED") => drop(self.objects.remove(&key)),
            Some("BOOKMARK") => {
                if let Some(listing) = self.listing.take() {
                    self.objects.retain(|key, _| listing.contains(key));
                }
                self.complete = true;
            }
            _ => {}
        }
    }

    /// Replaces everything by a list that was read.
    pub fn replace(&mut self, list: &Value) {
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let keyed = items.into_iter().map(|object| {
            let (name, namespace) = name_of(&object);
            ((namespace.to_owned(), name.to_owned()), object)
        });
        self.objects = keyed.collect();
        self.complete = true;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(type_: &str, name: &str) -> Value {
        json!({ "type": type_, "object": { "metadata": { "name": name, "namespace": "a" } } })
    }

    fn names(collection: &Collection) -> Vec<&str> {
        collection.objects().map(|object| name_of(object).0).collect()
    }

    #[test]
    fn a_listing_after_an_interruption_forgets_what_it_does_not_name() {
        let mut collection = Collection::default();
        collection.begin();
        collection.change(change("ADDED", "one"));
        collection.change(change("ADDED", "two"));
        assert!(!collection.is_complete());
        collection.change(change("BOOKMARK", ""));
        assert!(collection.is_complete());
        collection.begin();
        collection.change(change("ADDED", "two"));
        assert_eq!(names(&collection), ["one", "two"]);
        collection.change(change("BOOKMARK", ""));
        assert_eq!(names(&collection), ["two"]);
    }

    #[test]
    fn a_bookmark_of_the_server_alone_forgets_nothing() {
        let mut collection = Collection::default();
        collection.begin();
        collection.change(change("ADDED", "one"));
        collection.change(change("BOOKMARK", ""));
        collection.change(change("BOOKMARK", ""));
        assert_eq!(names(&collection), ["one"]);
        collection.change(change("DELETED", "one"));
        assert!(names(&collection).is_empty());
    }
}
