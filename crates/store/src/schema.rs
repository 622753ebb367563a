//! What a schema makes of an object: unset fields get their defaults, and everything that doesn't fit is reported
//! at once, each with its place. The schemas are Kubernetes' structural ones. Rules in CEL are not evaluated.

mod defaults;
mod metadata;
mod unknown;
mod values;

use forklift_api::Kind;
use serde_json::Value;

use crate::Problem;
use values::Values;

/// A compiled schema.
pub(crate) struct Checker {
    kind: Kind,
    values: Values,
}

/// A schema that can't be compiled; a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("the schema of {kind} can't be compiled: {cause}")]
pub(crate) struct SchemaError {
    kind: String,
    cause: String,
}

impl Checker {
    /// Compiles the schema of a kind.
    pub fn new(kind: &Kind) -> Result<Self, SchemaError> {
        let values = Values::new(&kind.schema).map_err(|cause| SchemaError { kind: kind.kind.clone(), cause })?;
        Ok(Self { kind: kind.clone(), values })
    }

    /// The object with its defaults, or all that is wrong with it.
    pub fn admit(&self, mut object: Value) -> Result<Value, Vec<Problem>> {
        let mut problems = self.identity(&object);
        if !problems.is_empty() {
            return Err(problems);
        }
        defaults::drop_nulls(&self.kind.schema, &mut object);
        defaults::fill(&self.kind.schema, &mut object);
        problems.extend(metadata::problems(&object, self.kind.namespaced));
        problems.extend(unknown::problems(&self.kind.schema, &object));
        problems.extend(self.values.problems(&object));
        if problems.is_empty() { Ok(object) } else { Err(problems) }
    }

    /// Whether it is an object of this kind at all.
    fn identity(&self, object: &Value) -> Vec<Problem> {
        if !object.is_object() {
            return vec![Problem::at("", "must be an object with apiVersion, kind, metadata and spec")];
        }
        [("apiVersion", self.kind.api_version()), ("kind", self.kind.kind.clone())]
            .into_iter()
            .filter(|(field, wanted)| object.get(field).and_then(Value::as_str) != Some(wanted))
            .map(|(field, wanted)| Problem::at(field, format!("must be `{wanted}`")))
            .collect()
    }
}

/// All that is wrong with the metadata of a namespaced object that has no schema here.
pub(crate) fn metadata_problems(object: &Value) -> Vec<Problem> {
    metadata::problems(object, true)
}

/// The schema of a field of an object, from its properties or its map's values.
fn field<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(name))
        .or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()))
}

/// Whether fields that the schema doesn't name are kept as they are.
fn keeps_unknown(schema: &Value) -> bool {
    schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true))
}

#[cfg(test)]
#[path = "schema/tests.rs"]
mod tests;
