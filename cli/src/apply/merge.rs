//! What a replace sends: the file's words for all that people write, the server's for what it keeps itself.
//! Finalizers, owners and status are not lost by applying a file that doesn't name them.

use serde_json::Value;

/// `wanted` as a replacement of `before`: the server's metadata stays, with the file's over it.
pub fn onto(before: &Value, wanted: &Value) -> Value {
    let mut merged = wanted.clone();
    let mut metadata = before["metadata"].clone();
    if let (Some(kept), Some(given)) = (metadata.as_object_mut(), wanted["metadata"].as_object()) {
        let server_owned = ["uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"];
        for (key, value) in given.iter().filter(|(key, _)| !server_owned.contains(&key.as_str())) {
            kept.insert(key.clone(), value.clone());
        }
    }
    merged["metadata"] = metadata;
    if let Some(object) = merged.as_object_mut() {
        object.remove("status");
    }
    merged
}

/// `unchanged` or `configured`. Secrets are never shown, so there only the version tells.
pub fn outcome(before: &Value, after: &Value) -> &'static str {
    let same_version = before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"];
    let same = same_version || (before["kind"] != "Secret" && written(before) == written(after));
    if same { "unchanged" } else { "configured" }
}

/// The object without what the server writes.
fn written(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|key, _| !["resourceVersion", "generation", "managedFields"].contains(&key.as_str()));
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finalizers_and_owners_survive_and_status_is_not_sent() {
        let before = json!({
            "metadata": { "name": "a", "uid": "u", "resourceVersion": "7", "finalizers": ["f"], "labels": { "x": "1" } },
            "spec": { "old": true }, "status": { "phase": "Running" },
        });
        let wanted = json!({
            "metadata": { "name": "a", "resourceVersion": "3", "labels": { "y": "2" } },
            "spec": { "new": true }, "status": { "phase": "Made up" },
        });
        assert_eq!(
            onto(&before, &wanted),
            json!({
                "metadata": { "name": "a", "uid": "u", "resourceVersion": "7", "finalizers": ["f"], "labels": { "y": "2" } },
                "spec": { "new": true },
            })
        );
    }

    #[test]
    fn an_object_is_unchanged_if_nothing_but_the_servers_words_differ() {
        let before = json!({ "metadata": { "resourceVersion": "1" }, "spec": { "a": 1 }, "status": {} });
        let touched = json!({ "metadata": { "resourceVersion": "2" }, "spec": { "a": 1 }, "status": { "x": 1 } });
        let changed = json!({ "metadata": { "resourceVersion": "2" }, "spec": { "a": 2 } });
        assert_eq!(outcome(&before, &touched), "unchanged");
        assert_eq!(outcome(&before, &changed), "configured");
    }

    #[test]
    fn a_secret_is_unchanged_only_if_its_version_is() {
        let secret =
            |version| json!({ "kind": "Secret", "metadata": { "resourceVersion": version }, "data": { "a": "***" } });
        assert_eq!(outcome(&secret("1"), &secret("1")), "unchanged");
        assert_eq!(outcome(&secret("1"), &secret("2")), "configured");
    }
}
