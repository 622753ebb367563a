//! What tests apply, as a user would write it.

use serde_json::{Value, json};

const FORKLIFT: &str = "forklift.konveyor.io/v1beta1";

/// YAML documents of some objects.
pub fn yaml(objects: &[Value]) -> String {
    objects.iter().map(|object| serde_yaml_ng::to_string(object).unwrap()).collect::<Vec<_>>().join("---\n")
}

/// A Secret; `data` is an object of plain strings.
pub fn secret(name: &str, data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": data })
}

/// A vCenter; its Secret has the same name.
pub fn vsphere(name: &str, url: &str) -> Value {
    provider(name, json!({ "type": "vsphere", "url": url, "secret": { "name": name } }))
}

/// This machine as the target.
pub fn host() -> Value {
    provider("host", json!({ "type": "openshift", "url": "", "secret": {} }))
}

fn provider(name: &str, spec: Value) -> Value {
    object("Provider", name, spec)
}

/// Network map `name`: pairs of source name and destination.
pub fn network_map(name: &str, pairs: &[(&str, Value)]) -> Value {
    let map = pairs.iter().map(|(source, target)| json!({ "source": { "name": source }, "destination": target }));
    let map: Vec<_> = map.collect();
    object("NetworkMap", name, json!({ "provider": providers(), "map": map }))
}

/// Storage map `name`: pairs of datastore and storage class.
pub fn storage_map(name: &str, pairs: &[(&str, &str)]) -> Value {
    let pair = |(source, class): &(&str, &str)| json!({ "source": { "name": source }, "destination": { "storageClass": class } });
    let map: Vec<_> = pairs.iter().map(pair).collect();
    object("StorageMap", name, json!({ "provider": providers(), "map": map }))
}

/// A plan for VMs by name with the maps `networks` and `storage`; the fields of `more` are added to its spec, and
/// replace what is there. A field that is null is left out.
pub fn plan(name: &str, vms: &[&str], more: &Value) -> Value {
    let vms: Vec<_> = vms.iter().map(|vm| json!({ "name": vm })).collect();
    let mut spec = json!({
        "targetNamespace": "shop",
        "provider": providers(),
        "map": { "network": { "name": "networks" }, "storage": { "name": "storage" } },
        "skipGuestConversion": true,
        "vms": vms,
    });
    for (field, value) in more.as_object().unwrap() {
        spec[field] = value.clone();
    }
    spec.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object("Plan", name, spec)
}

/// What starts a plan.
pub fn migration(name: &str, plan: &str) -> Value {
    object("Migration", name, json!({ "plan": { "name": plan } }))
}

fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({ "apiVersion": FORKLIFT, "kind": kind, "metadata": { "name": name }, "spec": spec })
}

fn providers() -> Value {
    json!({ "source": { "name": "vcenter" }, "destination": { "name": "host" } })
}
