//! The generic check of design §2.4: every field that a user set and that the code does not act upon is Critical,
//! unless it has no effect on a raw cold copy to this machine; then it is a warning. A field is moved from one
//! list to another when it is implemented, never silently dropped.

use forklift_api::{Kind, Migration, NetworkMap, Plan, Provider, StorageMap, settings};
use serde::Serialize;

use super::findings::{Finding, Findings};

static NOT_IMPLEMENTED: Finding = Finding::critical(
    "SettingNotImplemented",
    "NotImplemented",
    "these settings are not implemented yet, and are not ignored either; remove them",
);
static WITHOUT_EFFECT: Finding =
    Finding::warn("SettingWithoutEffect", "WithoutEffect", "these settings have no effect on this kind of migration");

const PLAN: &[&str] = &[
    "spec.description",
    "spec.targetNamespace",
    "spec.provider",
    "spec.map",
    "spec.vms[].id",
    "spec.vms[].name",
    "spec.vms[].targetName",
    "spec.vms[].targetPowerState",
    "spec.targetPowerState",
    "spec.targetLabels",
    "spec.targetNodeSelector",
    "spec.targetAffinity",
    "spec.skipGuestConversion",
    "spec.useCompatibilityMode",
    "spec.archived",
    // Judged by conditions of their own.
    "spec.warm",
    "spec.type",
    // A failure keeps the disks for a retry, which is what `false` asks for; the schema's default says nothing
    // about the user's wish.
    "spec.deleteVmOnFailMigration",
    "spec.vms[].deleteVmOnFailMigration",
];

/// Of pods, conversion, other providers and disks that are refused anyway.
const PLAN_WITHOUT_EFFECT: &[&str] = &[
    "spec.preserveStaticIPs",
    "spec.transferNetwork",
    "spec.convertorLabels",
    "spec.convertorNodeSelector",
    "spec.convertorAffinity",
    "spec.serviceAccount",
    "spec.conversionTempStorageClass",
    "spec.conversionTempStorageSize",
    "spec.virtV2vImage",
    "spec.xfsCompatibility",
    "spec.installLegacyDrivers",
    "spec.runPreflightInspection",
    "spec.deleteGuestConversionPod",
    "spec.preserveClusterCpuModel",
    "spec.skipZoneNodeSelector",
    "spec.pvcNameTemplateUseGenerateName",
    "spec.diskBus",
    "spec.rdmAsLun",
    "spec.scsiReservation",
    "spec.migrateSharedDisks",
    "spec.vms[].rdmAsLun",
    "spec.vms[].scsiReservation",
    "spec.vms[].migrateSharedDisks",
];

/// Checks a plan's settings.
pub fn plan(plan: &Plan, findings: &mut Findings) {
    check(&Kind::of::<Plan>(), plan, PLAN, PLAN_WITHOUT_EFFECT, findings);
}

/// Checks a network map's settings.
pub fn network_map(map: &NetworkMap, findings: &mut Findings) {
    const ACTED: &[&str] =
        &["spec.provider", "spec.map[].source.id", "spec.map[].source.name", "spec.map[].destination"];
    check(&Kind::of::<NetworkMap>(), map, ACTED, &["spec.map[].source.type", "spec.map[].source.namespace"], findings);
}

/// Checks a storage map's settings.
pub fn storage_map(map: &StorageMap, findings: &mut Findings) {
    const ACTED: &[&str] =
        &["spec.provider", "spec.map[].source.id", "spec.map[].source.name", "spec.map[].destination.storageClass"];
    const WITHOUT: &[&str] = &[
        "spec.map[].destination.accessMode",
        "spec.map[].destination.volumeMode",
        "spec.map[].source.type",
        "spec.map[].source.namespace",
    ];
    check(&Kind::of::<StorageMap>(), map, ACTED, WITHOUT, findings);
}

/// Checks a provider's settings; `sdkEndpoint: vcenter` is the default.
pub fn provider(provider: &Provider, findings: &mut Findings) {
    const ACTED: &[&str] = &["spec.type", "spec.url", "spec.secret"];
    const WITHOUT: &[&str] =
        &["spec.settings.vddkInitImage", "spec.settings.useVddkAioOptimization", "spec.settings.vddkConfig"];
    let mut judged = provider.clone();
    if judged.spec.settings.get(forklift_api::provider::setting::SDK_ENDPOINT).is_some_and(|value| value == "vcenter") {
        judged.spec.settings.remove(forklift_api::provider::setting::SDK_ENDPOINT);
    }
    check(&Kind::of::<Provider>(), &judged, ACTED, WITHOUT, findings);
}

/// Checks a migration's settings.
pub fn migration(migration: &Migration, findings: &mut Findings) {
    const WITHOUT: &[&str] = &["spec.cutover", "spec.vmCutover"];
    check(&Kind::of::<Migration>(), migration, &["spec.plan", "spec.cancel"], WITHOUT, findings);
}

fn check(kind: &Kind, object: &impl Serialize, acted: &[&str], without_effect: &[&str], findings: &mut Findings) {
    // A resource that was read from JSON can be written as JSON.
    let object = serde_json::to_value(object).unwrap_or_default();
    for field in settings::unsupported(&kind.schema, &object, acted) {
        let pattern = pattern(&field.path);
        let harmless = without_effect.contains(&pattern.as_str());
        findings.add(if harmless { &WITHOUT_EFFECT } else { &NOT_IMPLEMENTED }, Some(field.path));
    }
}

/// `spec.vms[2].hooks` as `spec.vms[].hooks`.
fn pattern(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|c| {
            inside = (inside && *c != ']') || *c == '[';
            !inside || *c == '['
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use forklift_api::{Condition, Time};
    use serde_json::json;

    use super::*;

    fn judge(spec: serde_json::Value) -> Vec<Condition> {
        let base = json!({ "apiVersion": "forklift.konveyor.io/v1beta1", "kind": "Plan", "metadata": { "name": "p" } });
        let mut object = base;
        object["spec"] = json!({ "targetNamespace": "t", "vms": [], "provider": { "source": {}, "destination": {} }, "map": { "network": {}, "storage": {} } });
        for (key, value) in spec.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        let mut findings = Findings::default();
        plan(&serde_json::from_value(object).unwrap(), &mut findings);
        findings.conditions(&Time(jiff::Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn a_setting_nobody_acts_upon_is_critical_and_named() {
        let found = judge(
            json!({ "vms": [{ "id": "vm-1", "hooks": [{ "hook": { "name": "h" }, "step": "PreHook" }] }], "pvcNameTemplate": "x" }),
        );
        assert_eq!(found.len(), 1);
        assert!(found[0].blocks());
        assert_eq!(found[0].items, ["spec.pvcNameTemplate", "spec.vms[0].hooks"]);
    }

    #[test]
    fn a_setting_without_effect_is_a_warning() {
        let found = judge(json!({ "preserveStaticIPs": false, "convertorLabels": { "a": "b" } }));
        assert_eq!(
            found.iter().map(|c| (c.type_.as_str(), c.blocks())).collect::<Vec<_>>(),
            [("SettingWithoutEffect", false)]
        );
    }

    #[test]
    fn defaults_written_out_say_nothing() {
        assert!(judge(json!({ "preserveStaticIPs": true, "warm": false, "runPreflightInspection": true })).is_empty());
    }

    #[test]
    fn an_index_becomes_a_pattern() {
        assert_eq!(pattern("spec.vms[12].hooks"), "spec.vms[].hooks");
    }
}
