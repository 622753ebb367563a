//! One row an object: the columns of each kind of the inventory.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::args::InventoryKind;

/// Names by id.
pub type Names = BTreeMap<String, String>;

/// The order in which categories matter.
const CATEGORIES: [&str; 5] = ["Critical", "Error", "Warning", "Information", "Advisory"];

/// Heading and rows.
pub fn of(kind: InventoryKind, objects: &[Value], hosts: &Names, wide: bool) -> Vec<Vec<String>> {
    let heading: &[&str] = match kind {
        InventoryKind::Vms if wide => &["NAME", "ID", "POWER", "HOST", "DISKS", "GUEST", "CONCERNS", "WHICH"],
        InventoryKind::Vms => &["NAME", "ID", "POWER", "HOST", "DISKS", "CONCERNS"],
        InventoryKind::Hosts => &["NAME", "ID", "STATUS", "MAINTENANCE", "PRODUCT"],
        InventoryKind::Networks => &["NAME", "ID", "VARIANT", "PATH"],
        InventoryKind::Datastores => &["NAME", "ID", "TYPE", "CAPACITY", "FREE", "MAINTENANCE"],
    };
    let row = |object: &Value| match kind {
        InventoryKind::Vms => vm(object, hosts, wide),
        InventoryKind::Hosts => host(object),
        InventoryKind::Networks => fields(object, &["name", "id", "variant", "path"]),
        InventoryKind::Datastores => datastore(object),
    };
    let heading = heading.iter().map(|text| (*text).to_owned()).collect();
    std::iter::once(heading).chain(objects.iter().map(row)).collect()
}

fn vm(vm: &Value, hosts: &Names, wide: bool) -> Vec<String> {
    let host = text(&vm["host"]);
    let mut row = fields(vm, &["name", "id"]);
    row.push(power(&vm["powerState"]));
    row.push(hosts.get(&host).cloned().unwrap_or(host));
    row.push(disks(&vm["disks"]));
    if wide {
        row.push(text(&vm["guestName"]));
    }
    row.push(counts(vm));
    if wide {
        row.push(concerns(vm).iter().map(|concern| text(&concern["label"])).collect::<Vec<_>>().join("; "));
    }
    row
}

fn host(host: &Value) -> Vec<String> {
    let mut row = fields(host, &["name", "id", "status", "inMaintenance"]);
    row.push(format!("{} {}", text(&host["productName"]), text(&host["productVersion"])).trim().to_owned());
    row
}

fn datastore(datastore: &Value) -> Vec<String> {
    let mut row = fields(datastore, &["name", "id", "type"]);
    row.extend(["capacity", "free"].map(|field| size(&datastore[field])));
    row.push(text(&datastore["maintenance"]));
    row
}

fn fields(object: &Value, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| text(&object[*name])).collect()
}

/// A scalar in a cell.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn power(state: &Value) -> String {
    match state.as_str().unwrap_or_default() {
        "poweredOn" => "on".to_owned(),
        "poweredOff" => "off".to_owned(),
        other => other.to_owned(),
    }
}

/// Their number and the sum of their lengths.
fn disks(disks: &Value) -> String {
    let disks = disks.as_array().map(Vec::as_slice).unwrap_or_default();
    let total: i64 = disks.iter().filter_map(|disk| disk["capacity"].as_i64()).sum();
    match disks {
        [] => "0".to_owned(),
        disks => format!("{}, {}", disks.len(), bytes(total)),
    }
}

fn size(value: &Value) -> String {
    value.as_i64().map(bytes).unwrap_or_default()
}

/// Bytes in the largest unit of which there is at least one.
pub fn bytes(count: i64) -> String {
    const UNITS: [(&str, i64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, size)| count >= *size) {
        // One place after the point: tenths by integers, so that nothing is rounded up.
        Some((unit, size)) => {
            let (whole, tenth) = (count / size, (count % size) / (size / 10).max(1));
            if tenth == 0 { format!("{whole} {unit}") } else { format!("{whole}.{} {unit}", tenth.min(9)) }
        }
        None => format!("{count} B"),
    }
}

fn concerns(vm: &Value) -> Vec<&Value> {
    let mut concerns: Vec<&Value> = vm["concerns"].as_array().map(|list| list.iter().collect()).unwrap_or_default();
    let rank = |concern: &&Value| CATEGORIES.iter().position(|category| concern["category"] == *category);
    concerns.sort_by_key(|concern| rank(concern).unwrap_or(CATEGORIES.len()));
    concerns
}

/// How many concerns of each category, the worst first. A VM that no rule has judged yet says so, and one that
/// changed since says that it is judged again.
fn counts(vm: &Value) -> String {
    let (revision, judged) = (vm["revision"].as_u64(), vm["revisionValidated"].as_u64());
    if vm["concerns"].is_null() || judged == Some(0) {
        return "not assessed yet".to_owned();
    }
    let mut counts: Vec<(String, usize)> = Vec::new();
    for concern in concerns(vm) {
        let category = text(&concern["category"]);
        match counts.last_mut() {
            Some((last, count)) if *last == category => *count += 1,
            _ => counts.push((category, 1)),
        }
    }
    let mut words: Vec<String> = counts.iter().map(|(category, count)| format!("{count} {category}")).collect();
    if words.is_empty() {
        words.push("none".to_owned());
    }
    let again = if judged < revision { " (changed, being assessed again)" } else { "" };
    format!("{}{again}", words.join(", "))
}

/// Every concern with its explanation, for one VM.
pub fn concern_texts(vm: &Value) -> String {
    let paragraph = |concern: &&Value| {
        let [category, label, assessment] = ["category", "label", "assessment"].map(|field| text(&concern[field]));
        format!("\n{category}: {label}\n  {assessment}\n")
    };
    concerns(vm).iter().map(paragraph).collect()
}
