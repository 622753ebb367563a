//! Fields that a schema doesn't know are refused, with the name that was probably meant: a setting that is dropped
//! in silence is one that its author believes in.

use serde_json::Value;

use super::{field, keeps_unknown};
use crate::Problem;

/// Least likeness (Jaro-Winkler, 0 to 1) of a name that is offered instead.
const ALIKE: f64 = 0.8;

/// One problem for each unknown field.
pub(super) fn problems(schema: &Value, object: &Value) -> Vec<Problem> {
    let mut search = Search { root: schema, found: Vec::new() };
    search.walk(schema, object, "");
    search.found
}

struct Search<'a> {
    root: &'a Value,
    found: Vec<Problem>,
}

impl Search<'_> {
    fn walk(&mut self, schema: &Value, value: &Value, path: &str) {
        match value {
            Value::Object(fields) => {
                for (name, child) in fields {
                    let path = joined(path, name);
                    match field(schema, name) {
                        Some(schema) => self.walk(schema, child, &path),
                        None if is_open(schema) || is_envelope(&path) => {}
                        None => self.found.push(Problem::at(path, self.hint(schema, name))),
                    }
                }
            }
            Value::Array(items) => {
                let schema = schema.get("items").unwrap_or(&Value::Null);
                for (index, item) in items.iter().enumerate() {
                    self.walk(schema, item, &format!("{path}[{index}]"));
                }
            }
            _ => {}
        }
    }

    fn hint(&self, schema: &Value, name: &str) -> String {
        if let Some(meant) = nearest(schema, name) {
            return format!("unknown field; did you mean `{meant}`?");
        }
        match place_of(self.root, name, "") {
            Some(place) => format!("unknown field; it belongs to `{place}`"),
            None => format!("unknown field; known here are {}", names(schema).join(", ")),
        }
    }
}

/// An object whose fields are not described.
fn is_open(schema: &Value) -> bool {
    keeps_unknown(schema)
        || schema.get("x-kubernetes-embedded-resource") == Some(&Value::Bool(true))
        || (schema.get("properties").is_none() && schema.get("type").is_none_or(|t| t == "object"))
}

/// What every object has; metadata is looked at by itself.
fn is_envelope(path: &str) -> bool {
    ["apiVersion", "kind", "metadata"].contains(&path)
}

fn names(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

fn nearest<'a>(schema: &'a Value, name: &str) -> Option<&'a str> {
    let name = name.to_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &name);
    names(schema)
        .into_iter()
        .map(|known| (likeness(known), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Where the schema does know a field of this name; status is not for authors.
fn place_of(schema: &Value, name: &str, path: &str) -> Option<String> {
    if !path.is_empty() && schema.get("properties").is_some_and(|p| p.get(name).is_some()) {
        return Some(path.to_owned());
    }
    if let Some(items) = schema.get("items") {
        return place_of(items, name, &format!("{path}[]"));
    }
    let properties = schema.get("properties").and_then(Value::as_object)?;
    properties
        .iter()
        .filter(|(child, _)| !(path.is_empty() && *child == "status"))
        .find_map(|(child, schema)| place_of(schema, name, &joined(path, child)))
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
