//! Which objects have lost all their owners. Pure: it looks at a full listing.

use std::collections::HashSet;

use forklift_api::Kind;
use serde_json::Value;

use crate::object::{is_being_deleted, meta_str};

/// An object that nobody owns any more.
#[derive(Debug, PartialEq)]
pub(crate) struct Orphan<'a> {
    pub kind: &'a Kind,
    pub object: &'a Value,
}

/// The objects that name owners of which none is left. An owner of a kind that isn't kept here counts as left, and
/// so does one that is being deleted and still waits for its finalizers.
pub(crate) fn orphans<'a>(objects: &'a [(&'a Kind, Value)]) -> Vec<Orphan<'a>> {
    let uids: HashSet<&str> = objects.iter().filter_map(|(_, object)| meta_str(object, "uid")).collect();
    objects
        .iter()
        .filter(|(_, object)| !is_being_deleted(object) && has_lost_its_owners(object, &uids))
        .map(|(kind, object)| Orphan { kind, object })
        .collect()
}

fn has_lost_its_owners(object: &Value, uids: &HashSet<&str>) -> bool {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.is_some_and(|owners| !owners.is_empty() && owners.iter().all(|owner| is_gone(owner, uids)))
}

fn is_gone(owner: &Value, uids: &HashSet<&str>) -> bool {
    let text = |field| owner.get(field).and_then(Value::as_str).unwrap_or_default();
    let kept_here =
        forklift_api::kinds().iter().any(|k| k.kind == text("kind") && text("apiVersion").starts_with(&k.group));
    kept_here && !uids.contains(text("uid"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owned(name: &str, owners: &[(&str, &str)]) -> Value {
        let owners: Vec<Value> = owners
            .iter()
            .map(|(kind, uid)| json!({ "apiVersion": "forklift.konveyor.io/v1beta1", "kind": kind, "uid": uid }))
            .collect();
        json!({ "metadata": { "name": name, "uid": format!("uid-{name}"), "ownerReferences": owners } })
    }

    fn orphaned(objects: Vec<Value>) -> Vec<String> {
        let kind = forklift_api::find("plan").unwrap();
        let objects: Vec<(&Kind, Value)> = objects.into_iter().map(|object| (kind, object)).collect();
        orphans(&objects).iter().map(|o| meta_str(o.object, "name").unwrap().to_owned()).collect()
    }

    #[test]
    fn an_object_goes_when_its_last_owner_has_gone() {
        let objects = vec![
            owned("owner", &[]),
            owned("kept", &[("Plan", "gone"), ("Plan", "uid-owner")]),
            owned("lost", &[("Plan", "gone"), ("Migration", "gone-too")]),
        ];
        assert_eq!(orphaned(objects), ["lost"]);
    }

    #[test]
    fn an_owner_of_a_kind_kept_elsewhere_is_taken_to_be_there() {
        assert_eq!(orphaned(vec![owned("a", &[("Deployment", "somewhere")])]), Vec::<String>::new());
    }

    #[test]
    fn an_object_that_is_being_deleted_already_is_left_to_its_finalizers() {
        let mut object = owned("a", &[("Plan", "gone")]);
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(orphaned(vec![object]), Vec::<String>::new());
    }
}
