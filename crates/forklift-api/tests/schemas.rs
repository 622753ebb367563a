//! Our generated schemas against those that Forklift's users have today, field by field: nothing of theirs may be
//! missing or stricter in ours, and what we have besides is listed here.

// Helpers outside of test functions may fail loudly too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use forklift_api::{Kind, Migration, NetworkMap, Plan, Provider, StorageMap};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Where ours differs on purpose.
const DIFFERENCES: &[(&str, &str)] = &[];

const FILES: [(&str, &str); 5] = [
    ("Provider", include_str!("forklift/forklift.konveyor.io_providers.yaml")),
    ("NetworkMap", include_str!("forklift/forklift.konveyor.io_networkmaps.yaml")),
    ("StorageMap", include_str!("forklift/forklift.konveyor.io_storagemaps.yaml")),
    ("Plan", include_str!("forklift/forklift.konveyor.io_plans.yaml")),
    ("Migration", include_str!("forklift/forklift.konveyor.io_migrations.yaml")),
];

fn crd(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap()
}

fn ours(kind: &str) -> &'static Kind {
    forklift_api::find(kind).unwrap()
}

/// Every field with what is said about it: type, enum, default, bounds, pattern, required.
fn fields(schema: &Value) -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let mut found = BTreeMap::new();
    collect(schema, "", false, &mut found);
    found
}

fn collect(schema: &Value, path: &str, required: bool, found: &mut BTreeMap<String, BTreeMap<&'static str, String>>) {
    let mut facts = BTreeMap::from([("required", required.to_string())]);
    for fact in ["type", "default", "pattern", "minLength", "maxLength", "minimum", "maximum"] {
        if let Some(value) = schema.get(fact) {
            facts.insert(fact, value.to_string());
        }
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let mut values: Vec<String> = values.iter().filter(|v| !v.is_null()).map(ToString::to_string).collect();
        values.sort();
        facts.insert("enum", values.join(" "));
    }
    if schema.get("format").is_some_and(|f| f == "date-time") {
        facts.insert("format", "date-time".into());
    }
    found.insert(path.to_owned(), facts);
    let is_required = |name: &str| {
        schema.get("required").and_then(Value::as_array).is_some_and(|list| list.iter().any(|r| r == name))
    };
    for (name, child) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        collect(child, &format!("{path}.{name}"), is_required(name), found);
    }
    for (word, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(child) = schema.get(word).filter(|c| c.is_object()) {
            collect(child, &format!("{path}{mark}"), false, found);
        }
    }
}

#[test]
fn every_field_of_todays_forklift_is_ours_with_the_same_type_enum_default_and_need() {
    let mut wrong = Vec::new();
    for (kind, text) in FILES {
        let theirs = crd(text);
        let theirs = &theirs["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
        for part in ["spec", "status"] {
            let (theirs, ours) = (fields(&theirs[part]), fields(&ours(kind).schema["properties"][part]));
            for (path, facts) in &theirs {
                match ours.get(path) {
                    None => wrong.push(format!("{kind}.{part}{path}: missing")),
                    Some(found) if found != facts => {
                        wrong.push(format!("{kind}.{part}{path}: theirs {facts:?}, ours {found:?}"));
                    }
                    Some(_) => {}
                }
            }
            let extra = ours.keys().filter(|path| !theirs.contains_key(*path));
            wrong.extend(extra.map(|path| format!("{kind}.{part}{path}: only ours")));
        }
    }
    wrong.retain(|line| !DIFFERENCES.iter().any(|(place, _)| line.starts_with(place)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_scope_and_columns_are_those_of_forklift() {
    for (kind, text) in FILES {
        let theirs = crd(text);
        let ours = ours(kind);
        let names = &theirs["spec"]["names"];
        assert_eq!(names["plural"], *ours.plural);
        assert_eq!(names["singular"], *ours.singular);
        assert_eq!(theirs["spec"]["group"], *ours.group);
        assert_eq!(theirs["spec"]["versions"][0]["name"], *ours.version);
        assert!(ours.namespaced);
        let columns: Vec<Value> = ours
            .columns
            .iter()
            .map(|c| serde_json::json!({ "name": c.name, "type": c.type_, "jsonPath": c.json_path }))
            .collect();
        assert_eq!(theirs["spec"]["versions"][0]["additionalPrinterColumns"], Value::from(columns), "{kind}");
    }
}

#[test]
fn every_kind_has_a_schema_of_its_spec_and_status() {
    for kind in forklift_api::kinds() {
        for part in ["spec", "status"] {
            assert!(kind.schema["properties"][part]["properties"].is_object(), "{}: {part}", kind.kind);
        }
    }
    let import = ours("virtualmachineimports.v2v.kubevirt.io");
    assert!(import.schema["properties"]["status"]["properties"]["longshore"]["properties"]["ledger"].is_object());
    assert_eq!(ours("vmimport").kind, "VirtualMachineImport");
}

/// A value with every field of a schema set to something else than its default.
fn sample(schema: &Value, path: &str) -> Value {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str().unwrap() {
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let mut fields: Map<String, Value> =
                properties.map(|(name, child)| (name.clone(), sample(child, &format!("{path}.{name}")))).collect();
            if schema["additionalProperties"].is_object() {
                fields.insert("key".into(), sample(&schema["additionalProperties"], path));
            }
            fields.into()
        }
        "array" => json!([sample(&schema["items"], path)]),
        "boolean" => json!(schema["default"] != json!(true)),
        "integer" => json!(7),
        "string" if schema["format"] == "date-time" => json!("2026-01-02T03:04:05Z"),
        "string" if path.ends_with(".vlan") => json!("4094"),
        "string" if path.ends_with(".conditions.status") => json!("False"),
        "string" => json!("sample"),
        other => panic!("{path} has type {other}"),
    }
}

fn kept<K: DeserializeOwned + Serialize>(kind: &str, text: &str) {
    let schema = &crd(text)["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let object = json!({
        "apiVersion": "forklift.konveyor.io/v1beta1", "kind": kind, "metadata": { "name": "a" },
        "spec": sample(&schema["properties"]["spec"], "spec"),
        "status": sample(&schema["properties"]["status"], "status"),
    });
    let read: K = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), object, "{kind}");
}

#[test]
fn an_object_with_every_field_of_todays_forklift_is_read_and_written_without_loss() {
    let text = |kind: &str| FILES.iter().find(|(k, _)| *k == kind).unwrap().1;
    kept::<Provider>("Provider", text("Provider"));
    kept::<NetworkMap>("NetworkMap", text("NetworkMap"));
    kept::<StorageMap>("StorageMap", text("StorageMap"));
    kept::<Plan>("Plan", text("Plan"));
    kept::<Migration>("Migration", text("Migration"));
}

#[test]
fn a_default_spec_is_what_the_schema_makes_of_an_empty_one() {
    let written = serde_json::to_value(forklift_api::PlanSpec::default()).unwrap();
    let schema = &ours("Plan").schema["properties"]["spec"]["properties"];
    for (name, property) in schema.as_object().unwrap() {
        if let Some(default) = property.get("default") {
            assert_eq!(&written[name], default, "{name}");
        }
    }
    assert_eq!(written["preserveStaticIPs"], json!(true));
}

/// An API server takes only schemas whose shape doesn't depend on a value: a type everywhere, no references, no
/// alternatives.
fn not_structural(schema: &Value, path: &str, found: &mut Vec<String>) {
    let open = ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"];
    if !schema["type"].is_string() && !open.iter().any(|word| schema[word] == json!(true)) {
        found.push(format!("{path}: no type"));
    }
    for word in ["$ref", "oneOf", "anyOf", "allOf", "not", "const", "definitions", "$defs"] {
        if schema.get(word).is_some() {
            found.push(format!("{path}: {word}"));
        }
    }
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        not_structural(child, &format!("{path}.{name}"), found);
    }
    for (word, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[word].is_object() {
            not_structural(&schema[word], &format!("{path}{mark}"), found);
        }
    }
}

#[test]
fn every_schema_is_structural() {
    let mut found = Vec::new();
    for kind in forklift_api::kinds() {
        not_structural(&kind.schema, &kind.kind, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
