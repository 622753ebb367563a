//! Metadata: its fields are Kubernetes', its name must be one that a cluster takes too.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;

use crate::Problem;

/// The fields of `metadata`.
const FIELDS: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Longest name of an object (DNS-1123 subdomain).
const NAME_LIMIT: usize = 253;

/// Longest name of a namespace (DNS-1123 label).
const NAMESPACE_LIMIT: usize = 63;

/// All that is wrong with an object's metadata.
pub(super) fn problems(object: &Value, namespaced: bool) -> Vec<Problem> {
    let Some(metadata) = object.get("metadata").and_then(Value::as_object) else {
        return vec![Problem::at("metadata", "must be given, with a name")];
    };
    let mut found: Vec<Problem> = metadata
        .keys()
        .filter(|field| !FIELDS.contains(&field.as_str()))
        .map(|field| Problem::at(format!("metadata.{field}"), unknown(field)))
        .collect();
    if let Err(error) = ObjectMeta::deserialize(&Value::Object(metadata.clone())) {
        found.push(Problem::at("metadata", error.to_string()));
        return found;
    }
    let text = |field: &str| metadata.get(field).and_then(Value::as_str).unwrap_or_default();
    if !is_subdomain(text("name")) {
        found.push(Problem::at("metadata.name", bad_name(text("name"), "letters, digits, `-` and `.`", NAME_LIMIT)));
    }
    if namespaced && !is_label(text("namespace")) {
        let message = bad_name(text("namespace"), "letters, digits and `-`", NAMESPACE_LIMIT);
        found.push(Problem::at("metadata.namespace", message));
    }
    found
}

fn unknown(field: &str) -> String {
    let like = |known: &&str| strsim::jaro_winkler(known, field);
    match FIELDS.iter().max_by(|a, b| like(a).total_cmp(&like(b))).filter(|best| like(best) >= 0.8) {
        Some(best) => format!("unknown field; did you mean `{best}`?"),
        None => "unknown field".to_owned(),
    }
}

fn bad_name(name: &str, of: &str, limit: usize) -> String {
    if name.is_empty() {
        return "must be given".to_owned();
    }
    format!("`{name}` is not a name: small {of} only, a letter or digit at both ends, at most {limit} characters")
}

fn is_label(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=NAMESPACE_LIMIT).contains(&text.len())
        && text.bytes().all(inside)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_subdomain(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=NAME_LIMIT).contains(&text.len())
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(inside) && !part.starts_with('-') && !part.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_a_cluster() {
        for good in ["a", "a-b", "a.b", "1", &"a".repeat(253)] {
            assert!(is_subdomain(good), "{good}");
        }
        for bad in ["", "A", "a_b", "-a", "a-", ".a", "a.", "a..b", "a-.b", "ä", "a b", &"a".repeat(254)] {
            assert!(!is_subdomain(bad), "{bad}");
        }
        assert!(is_label("openshift-mtv") && !is_label("a.b") && !is_label(&"a".repeat(64)));
    }
}
