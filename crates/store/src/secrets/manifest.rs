//! A Secret as its author writes it (`data` in base64, `stringData` as it is), and as it is shown: with the names
//! of its values and nothing of them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use trust::Secret;

use super::SecretObject;
use super::object::id;
use crate::{Error, Problem};

/// The fields of a Secret.
const FIELDS: [&str; 7] = ["apiVersion", "kind", "metadata", "type", "data", "stringData", "immutable"];

impl SecretObject {
    /// Reads a `v1` Secret as JSON. A key in both `data` and `stringData` has the latter's value. No error text
    /// quotes a value.
    pub fn from_manifest(manifest: &Value) -> Result<Self, Error> {
        let mut problems = envelope(manifest);
        let mut data = BTreeMap::new();
        read_map(manifest, "data", &mut data, &mut problems, |text| STANDARD.decode(text).ok());
        read_map(manifest, "stringData", &mut data, &mut problems, |text| Some(text.as_bytes().to_vec()));
        let metadata = manifest.get("metadata").cloned().unwrap_or_else(|| json!({}));
        problems.extend(crate::schema::metadata_problems(&json!({ "metadata": metadata })));
        let text = |field: &str| metadata.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let object = id(&text("namespace"), &text("name"));
        if !problems.is_empty() {
            return Err(Error::Invalid { object, problems });
        }
        let metadata = serde_json::from_value(metadata).map_err(|source| Error::Decode { object, source })?;
        let type_ = manifest.get("type").and_then(Value::as_str).map(ToOwned::to_owned);
        Ok(Self { metadata, type_, data })
    }

    /// The Secret for display: every value is `***`.
    pub fn redacted(&self) -> Value {
        let data: Map<String, Value> = self.keys().map(|key| (key.to_owned(), json!("***"))).collect();
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": self.metadata, "type": self.type_, "data": data })
    }
}

fn envelope(manifest: &Value) -> Vec<Problem> {
    let Some(fields) = manifest.as_object() else {
        return vec![Problem::at("", "must be an object with apiVersion, kind, metadata and data")];
    };
    let mut problems = Vec::new();
    for (field, wanted) in [("apiVersion", "v1"), ("kind", "Secret")] {
        if fields.get(field).and_then(Value::as_str) != Some(wanted) {
            problems.push(Problem::at(field, format!("must be `{wanted}`")));
        }
    }
    let unknown = fields.keys().filter(|field| !FIELDS.contains(&field.as_str()));
    problems.extend(unknown.map(|field| {
        Problem::at(field, "unknown field; values belong to `data` (base64) or `stringData` (as they are)")
    }));
    if fields.get("immutable").is_some_and(|flag| *flag != json!(false)) {
        problems.push(Problem::at("immutable", "can't be kept here; leave it out"));
    }
    if fields.get("type").is_some_and(|t| !t.is_string() && !t.is_null()) {
        problems.push(Problem::at("type", "must be a text"));
    }
    problems
}

fn read_map(
    manifest: &Value,
    field: &str,
    data: &mut BTreeMap<String, Secret<Vec<u8>>>,
    problems: &mut Vec<Problem>,
    decode: impl Fn(&str) -> Option<Vec<u8>>,
) {
    match manifest.get(field) {
        None | Some(Value::Null) => {}
        Some(Value::Object(values)) => {
            for (key, value) in values {
                let path = format!("{field}.{key}");
                match value.as_str().map(&decode) {
                    Some(Some(bytes)) => drop(data.insert(key.clone(), Secret::new(bytes))),
                    Some(None) => problems.push(Problem::at(path, "is not base64; use `stringData` for plain text")),
                    None => problems.push(Problem::at(path, "must be a text; quote numbers and true or false")),
                }
            }
        }
        Some(_) => problems.push(Problem::at(field, "must be a map of texts")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "vc", "namespace": "default" },
            "data": { "user": "cm9vdA==", "password": "b2xk" }, "stringData": { "password": "hunter2" },
        })
    }

    #[test]
    fn both_forms_of_a_value_are_read() {
        let secret = SecretObject::from_manifest(&manifest()).unwrap();
        assert_eq!(secret.text("user").unwrap().expose(), "root");
        assert_eq!(secret.text("password").unwrap().expose(), "hunter2");
    }

    #[test]
    fn neither_debug_nor_display_form_nor_errors_show_a_value() {
        let mut bad = manifest();
        bad["data"]["password"] = json!("hunter2!");
        bad["data"]["pin"] = json!(4711);
        bad["password"] = json!("hunter2");
        let error = SecretObject::from_manifest(&bad).unwrap_err();
        let secret = SecretObject::from_manifest(&manifest()).unwrap();
        let shown = format!("{error} {error:?} {secret:?} {}", secret.redacted());
        for value in ["hunter2", "4711", "cm9vdA"] {
            assert!(!shown.contains(value), "{shown}");
        }
        assert!(error.to_string().contains("data.password: is not base64"), "{error}");
        assert!(error.to_string().contains("data.pin: must be a text"), "{error}");
        assert!(error.to_string().contains("password: unknown field"), "{error}");
    }
}
