//! Plans that must not run: each gets a Critical condition that names the object, and a Migration of it does not start.

use forklift_api::{Category, Condition, Migration, Plan, VirtualMachineImport};
use serde_json::{Value, json};

use crate::harness::World;
use crate::harness::manifests::{self, yaml};
use crate::harness::world::resources::{Judged, holds};

struct Case {
    plan: &'static str,
    vms: &'static [&'static str],
    more: Value,
    condition: &'static str,
    /// Each stands in the condition's message or items.
    words: &'static [&'static str],
}

fn case(
    plan: &'static str,
    vms: &'static [&'static str],
    more: Value,
    condition: &'static str,
    words: &'static [&'static str],
) -> Case {
    Case { plan, vms, more, condition, words }
}

fn cases() -> Vec<Case> {
    let none = || json!({});
    let hook =
        json!([{ "name": "plain", "hooks": [{ "hook": { "name": "h", "namespace": "default" }, "step": "PreHook" }] }]);
    vec![
        case("snapshot", &["snapshotted"], none(), "VMHasSnapshots", &["snapshotted", "remove all snapshots"]),
        case("tools", &["no-tools"], none(), "GuestToolsIssue", &["no-tools", "Tools"]),
        case("suspended", &["paused"], none(), "VMPowerStateUnsupported", &["paused", "suspended"]),
        case("concerns", &["gpu"], none(), "VMCriticalConcerns", &["gpu"]),
        case("twins", &["twin"], none(), "DuplicateVM", &["prod/twin", "test/twin", "`id`"]),
        case("missing", &["nowhere"], none(), "VMNotFound", &["nowhere"]),
        case("network", &["other-network"], none(), "VMNetworksNotMapped", &["other-network", "'Unmapped'"]),
        case("datastore", &["other-datastore"], none(), "VMStorageNotMapped", &["other-datastore", "'spare'"]),
        case("vsan", &["on-vsan"], none(), "VMStorageNotSupported", &["on-vsan", "vsan"]),
        case("warm", &["plain"], json!({ "warm": true }), "WarmMigrationNotReady", &["warm: true"]),
        case("hooks", &[], json!({ "vms": hook }), "SettingNotImplemented", &["spec.vms[0].hooks"]),
        case(
            "conversion",
            &["plain"],
            json!({ "skipGuestConversion": null }),
            "GuestConversionNotImplemented",
            &["skipGuestConversion: true"],
        ),
    ]
}

pub fn check(world: &World) {
    let plans: Vec<_> = cases().iter().map(|case| manifests::plan(case.plan, case.vms, &case.more)).collect();
    world.cli.apply(&yaml(&plans));
    world.plan("good", &["plain"], &json!({}));
    for case in cases() {
        let condition = world.condition::<Plan>(case.plan, case.condition);
        assert_eq!(condition.category, Category::Critical, "{condition:?}");
        let text = text(&condition);
        for word in case.words {
            assert!(text.contains(word), "plan {}: `{word}` is not in: {text}", case.plan);
        }
        let plan = world.cli.get::<Plan>(case.plan).unwrap();
        assert!(holds(&plan, "Ready").is_none(), "plan {} is Ready: {:#?}", case.plan, plan.conditions());
    }
}

fn text(condition: &Condition) -> String {
    format!("{}: {} {}", condition.type_, condition.message.as_deref().unwrap_or_default(), condition.items.join(" "))
}

/// Not even with a Migration: the VM that runs without Tools is asked nothing.
pub fn a_migration_of_a_refused_plan_does_not_start(world: &World) {
    for plan in ["tools", "snapshot"] {
        world.cli.apply(&yaml(&[manifests::migration(plan, plan)]));
    }
    for (plan, why) in [("tools", "GuestToolsIssue"), ("snapshot", "VMHasSnapshots")] {
        let refused = world.condition::<Migration>(plan, "PlanNotReady");
        assert!(refused.message.as_ref().unwrap().contains(why), "{refused:?}");
        assert!(world.cli.get::<Migration>(plan).unwrap().status.unwrap().started.is_none());
    }
    assert!(world.cli.list::<VirtualMachineImport>().is_empty());
}
