use serde_json::{Value, json};

use super::*;

#[allow(clippy::needless_pass_by_value)]
fn plan(spec: Value) -> Value {
    json!({
        "apiVersion": "forklift.konveyor.io/v1beta1", "kind": "Plan",
        "metadata": { "name": "p", "namespace": "default" }, "spec": spec,
    })
}

fn least() -> Value {
    json!({
        "targetNamespace": "vms", "vms": [],
        "provider": { "source": { "name": "vc" }, "destination": { "name": "host" } },
        "map": { "network": { "name": "n" }, "storage": { "name": "s" } },
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut spec = least();
    spec[field] = value;
    plan(spec)
}

fn checker() -> Checker {
    Checker::new(forklift_api::find("plan").unwrap()).unwrap()
}

fn refused(object: Value) -> Vec<String> {
    checker().admit(object).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn absent_fields_get_the_defaults_of_the_schema_and_set_ones_stay() {
    let plan = checker().admit(with("migrateSharedDisks", json!(false))).unwrap();
    assert_eq!(plan["spec"]["migrateSharedDisks"], json!(false));
    assert_eq!(plan["spec"]["preserveStaticIPs"], json!(true));
    assert_eq!(plan["spec"]["skipGuestConversion"], json!(false));
    assert_eq!(plan["spec"].get("warm"), None);
}

#[test]
fn null_is_unset() {
    let plan = checker().admit(with("preserveStaticIPs", Value::Null)).unwrap();
    assert_eq!(plan["spec"]["preserveStaticIPs"], json!(true));
}

#[test]
fn a_mistyped_field_is_refused_with_the_right_one() {
    assert_eq!(
        refused(with("skipGuestConversions", json!(true))),
        ["spec.skipGuestConversions: unknown field; did you mean `skipGuestConversion`?"]
    );
    assert_eq!(
        refused(with("vms", json!([{ "id": "vm-1" }, { "ID": "vm-2" }]))),
        ["spec.vms[1].ID: unknown field; did you mean `id`?"]
    );
}

#[test]
fn a_field_in_the_wrong_place_is_refused_with_the_right_place() {
    let mut object = plan(least());
    object["warm"] = json!(true);
    assert_eq!(refused(object), ["warm: unknown field; it belongs to `spec`"]);
    assert_eq!(refused(with("hooks", json!([]))), ["spec.hooks: unknown field; it belongs to `spec.vms[]`"]);
}

#[test]
fn every_kind_of_wrong_value_is_told_with_its_place() {
    let mut object = plan(json!({ "vms": [{ "id": 5 }], "type": "tepid", "provider": {}, "map": {}, "warm": "yes" }));
    object["spec"]["serviceAccount"] = json!("Not-A-Name");
    let problems = refused(object);
    for part in [
        "spec.vms[0].id: 5 is not of type \"string\"",
        "spec.type: \"tepid\" is not one of",
        "spec: \"targetNamespace\" is a required property",
        "spec.provider: \"source\" is a required property",
        "spec.warm: \"yes\" is not of type \"boolean\"",
        "spec.serviceAccount: \"Not-A-Name\" does not match",
    ] {
        assert!(problems.iter().any(|p| p.starts_with(part)), "{part} is not in {problems:#?}");
    }
}

#[test]
fn metadata_is_looked_at_too() {
    let mut object = plan(least());
    object["metadata"] = json!({ "name": "Has_Capitals", "namespace": "default", "lables": {} });
    let problems = refused(object);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(problems[0], "metadata.lables: unknown field; did you mean `labels`?");
    assert!(problems[1].starts_with("metadata.name: `Has_Capitals` is not a name"));
}

#[test]
fn another_kind_is_refused() {
    let mut object = plan(least());
    object["apiVersion"] = json!("forklift.konveyor.io/v1");
    assert_eq!(refused(object), ["apiVersion: must be `forklift.konveyor.io/v1beta1`"]);
    assert_eq!(refused(json!([])).len(), 1);
}

#[test]
fn a_time_must_be_one() {
    let migration = |cutover: &str| {
        json!({
            "apiVersion": "forklift.konveyor.io/v1beta1", "kind": "Migration",
            "metadata": { "name": "m", "namespace": "default" },
            "spec": { "plan": { "name": "p" }, "cutover": cutover },
        })
    };
    let checker = Checker::new(forklift_api::find("migration").unwrap()).unwrap();
    assert!(checker.admit(migration("2026-02-03T04:05:06Z")).is_ok());
    assert!(checker.admit(migration("tomorrow")).is_err());
}

/// A kind with what no kind of ours has today, as a later one may.
fn odd_kind() -> Kind {
    let mut kind = forklift_api::find("plan").unwrap().clone();
    kind.schema = json!({ "type": "object", "properties": { "spec": { "type": "object", "properties": {
        "either": { "x-kubernetes-int-or-string": true, "anyOf": [{ "type": "integer" }, { "type": "string" }] },
        "open": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
        "few": { "type": "integer", "minimum": 1, "maximum": 3 },
        "map": { "type": "object", "additionalProperties": { "type": "object", "properties": {
            "mode": { "type": "string", "default": "slow" } } } },
    } } } });
    kind
}

#[test]
fn int_or_string_open_objects_bounds_and_maps_are_understood() {
    let checker = Checker::new(&odd_kind()).unwrap();
    let good = json!({ "either": "80%", "open": { "any": { "thing": null } }, "few": 3, "map": { "a": {} } });
    let object = checker.admit(plan(good)).unwrap();
    assert_eq!(object["spec"]["map"]["a"]["mode"], json!("slow"));
    assert_eq!(object["spec"]["open"], json!({ "any": { "thing": null } }));
    assert!(checker.admit(plan(json!({ "either": 5 }))).is_ok());
    let bad = plan(json!({ "either": true, "few": 4, "map": { "a": { "mod": "x" } } }));
    let problems: Vec<String> = checker.admit(bad).unwrap_err().into_iter().map(|p| p.path).collect();
    assert_eq!(problems, ["spec.map.a.mod", "spec.either", "spec.few"]);
}
