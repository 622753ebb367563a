//! Types, enums, required fields, bounds, patterns and formats, by the `jsonschema` crate. Kubernetes' additions to
//! JSON Schema are translated first.

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::Problem;

/// Characters of a message; a value of any size may be quoted in it.
const MESSAGE_LIMIT: usize = 300;

/// A compiled schema.
pub(super) struct Values(Validator);

impl Values {
    pub fn new(schema: &Value) -> Result<Self, String> {
        let mut schema = schema.clone();
        translate(&mut schema);
        let options = jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(true);
        options.build(&schema).map(Self).map_err(|error| error.to_string())
    }

    pub fn problems(&self, object: &Value) -> Vec<Problem> {
        self.0
            .iter_errors(object)
            .map(|e| Problem::at(path(e.instance_path().as_str()), short(&e.to_string())))
            .collect()
    }
}

/// `int-or-string` is a type here.
fn translate(schema: &mut Value) {
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        *schema = json!({ "type": ["integer", "string"] });
        return;
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(translate),
        Value::Array(items) => items.iter_mut().for_each(translate),
        _ => {}
    }
}

/// `/spec/vms/0/id` as `spec.vms[0].id`.
fn path(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|b| b.is_ascii_digit()) && !path.is_empty() {
            path.push_str(&format!("[{part}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&part);
        }
    }
    path
}

fn short(message: &str) -> String {
    if message.chars().count() <= MESSAGE_LIMIT {
        return message.to_owned();
    }
    let end: String = message.chars().rev().take(MESSAGE_LIMIT / 2).collect();
    let begin: String = message.chars().take(MESSAGE_LIMIT / 2).collect();
    format!("{begin} … {}", end.chars().rev().collect::<String>())
}
