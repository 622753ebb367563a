//! Which settings a user made that the code doesn't act upon: a set field that is not in the caller's list and
//! differs from its default. The caller makes them Critical, so that no setting is ever ignored in silence.

use serde_json::Value;

/// A field that somebody set.
#[derive(Clone, Debug, PartialEq)]
pub struct SetField {
    /// Where, such as `spec.vms[2].hooks`.
    pub path: String,
    /// What to.
    pub value: Value,
}

/// The set fields under `spec` of `object` that are not in `acted_upon` and differ from their default.
///
/// `schema` is the schema of the whole object ([`crate::Kind::schema`]). A path of `acted_upon` covers all below it;
/// `[]` stands for every item of a list (`spec.vms[].id`).
/// Where the schema has no default, `false`, `0`, `""`, `[]`, `{}` and `null` count as it, and so does an object of
/// nothing but defaults. The reported path is the highest one of which no part is acted upon.
pub fn unsupported(schema: &Value, object: &Value, acted_upon: &[&str]) -> Vec<SetField> {
    let mut found = Vec::new();
    let schema = property(schema, "spec");
    let at = At { path: "spec".into(), pattern: "spec".into() };
    for (name, value) in object.get("spec").and_then(Value::as_object).into_iter().flatten() {
        walk(schema.and_then(|s| property(s, name)), value, &at.field(name), acted_upon, &mut found);
    }
    found
}

/// A place in an object, and the pattern that covers it.
struct At {
    path: String,
    pattern: String,
}

impl At {
    fn field(&self, name: &str) -> Self {
        Self { path: format!("{}.{name}", self.path), pattern: format!("{}.{name}", self.pattern) }
    }

    fn item(&self, index: usize) -> Self {
        Self { path: format!("{}[{index}]", self.path), pattern: format!("{}[]", self.pattern) }
    }

    fn covered(&self, acted_upon: &[&str]) -> bool {
        acted_upon.contains(&self.pattern.as_str())
    }

    fn leads_to_one(&self, acted_upon: &[&str]) -> bool {
        acted_upon.iter().any(|p| {
            p.strip_prefix(self.pattern.as_str()).is_some_and(|rest| rest.starts_with('.') || rest.starts_with("[]"))
        })
    }
}

fn walk(schema: Option<&Value>, value: &Value, at: &At, acted_upon: &[&str], found: &mut Vec<SetField>) {
    if at.covered(acted_upon) || is_default(schema, value) {
        return;
    }
    match value {
        Value::Object(fields) if at.leads_to_one(acted_upon) => {
            for (name, field) in fields {
                walk(schema.and_then(|s| property(s, name)), field, &at.field(name), acted_upon, found);
            }
        }
        Value::Array(items) if at.leads_to_one(acted_upon) => {
            for (index, item) in items.iter().enumerate() {
                walk(schema.and_then(|s| s.get("items")), item, &at.item(index), acted_upon, found);
            }
        }
        _ => found.push(SetField { path: at.path.clone(), value: value.clone() }),
    }
}

fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get("properties").and_then(|p| p.get(name)).or_else(|| schema.get("additionalProperties"))
}

fn is_default(schema: Option<&Value>, value: &Value) -> bool {
    if let Some(default) = schema.and_then(|s| s.get("default")) {
        return value == default || value.is_null();
    }
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => {
            fields.iter().all(|(name, field)| is_default(schema.and_then(|s| property(s, name)), field))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Kind;

    #[allow(clippy::needless_pass_by_value)]
    fn paths(spec: Value, acted_upon: &[&str]) -> Vec<String> {
        let schema = Kind::of::<crate::Plan>().schema;
        unsupported(&schema, &json!({ "spec": spec }), acted_upon).into_iter().map(|f| f.path).collect()
    }

    #[test]
    fn a_setting_that_nobody_acts_upon_is_found_with_its_place() {
        let spec = json!({
            "targetNamespace": "a", "warm": true,
            "vms": [{ "id": "vm-1" }, { "id": "vm-2", "hooks": [{ "step": "PreHook", "hook": {} }] }],
        });
        assert_eq!(paths(spec, &["spec.targetNamespace", "spec.vms[].id"]), ["spec.vms[1].hooks", "spec.warm"]);
    }

    #[test]
    fn a_value_equal_to_its_default_says_nothing() {
        let spec = json!({
            "warm": false, "description": "", "transferNetwork": {}, "targetLabels": {}, "diskBus": null,
            "preserveStaticIPs": true, "skipGuestConversion": false, "tagMapping": { "disabled": false },
        });
        assert_eq!(paths(spec, &[]), Vec::<String>::new());
    }

    #[test]
    fn turning_off_what_is_on_by_default_is_a_setting() {
        assert_eq!(paths(json!({ "preserveStaticIPs": false }), &[]), ["spec.preserveStaticIPs"]);
    }

    #[test]
    fn a_covered_path_covers_all_below_it_and_nothing_beside_it() {
        let spec = json!({ "map": { "network": { "name": "n" }, "storage": { "name": "s" } }, "mapper": 1 });
        assert_eq!(paths(spec.clone(), &["spec.map"]), ["spec.mapper"]);
        assert_eq!(paths(spec, &["spec.map.network"]), ["spec.map.storage", "spec.mapper"]);
    }

    #[test]
    fn a_field_that_the_schema_does_not_know_is_found() {
        assert_eq!(paths(json!({ "brandNew": 1, "warm": false }), &["spec.warm"]), ["spec.brandNew"]);
    }
}
