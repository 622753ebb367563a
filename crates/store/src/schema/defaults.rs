//! Filling in defaults. A field set to null counts as unset, as an empty line of YAML makes it.

use serde_json::Value;

use super::{field, keeps_unknown};

/// Removes fields that are null, but for places whose content the schema leaves open.
pub(super) fn drop_nulls(schema: &Value, value: &mut Value) {
    if keeps_unknown(schema) {
        return;
    }
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            for (name, child) in fields {
                drop_nulls(field(schema, name).unwrap_or(&Value::Null), child);
            }
        }
        Value::Array(items) => {
            let schema = schema.get("items").unwrap_or(&Value::Null);
            items.iter_mut().for_each(|item| drop_nulls(schema, item));
        }
        _ => {}
    }
}

/// Sets every absent field that has a default, in every object that is there.
pub(super) fn fill(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                if let Some(default) = property.get("default")
                    && !fields.contains_key(name)
                {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, child) in fields {
                if let Some(schema) = field(schema, name) {
                    fill(schema, child);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| fill(schema, item));
            }
        }
        _ => {}
    }
}
