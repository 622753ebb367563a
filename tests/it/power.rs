//! Power that goes wrong: a VM that changed after its plan was Ready, and a guest that doesn't shut down in time but
//! does so later. Whatever happens, the source ends as it was.

use forklift_api::virtual_machine_import::longshore::EffectKind;
use rustix::process::Signal;
use serde_json::json;

use crate::harness::world::resources::holds;
use crate::harness::{Setup, World, cli, until};

const SHORT_DEADLINES: &str = "[controller]\nshutdown_seconds = 4\n";

#[test]
fn the_source_ends_as_it_was_when_it_cannot_be_shut_down() {
    World::run(&Setup { scenario: "power", config: SHORT_DEADLINES }, |world| {
        world.connect();
        world.plan("late-snapshot", &["late-snapshot"], &json!({}));
        world.plan("stubborn", &["stubborn"], &json!({}));
        world.migrate("stubborn-1", "stubborn", &["stubborn"]);
        a_snapshot_taken_after_the_plan_was_ready_fails_the_migration(world);
        a_guest_that_does_not_shut_down_in_time_fails_and_is_powered_on_when_it_goes_down_late(world);
    });
}

/// The inventory is held still, so that the controller's own look at the VM is all that can find the snapshot.
fn a_snapshot_taken_after_the_plan_was_ready_fails_the_migration(world: &mut World) {
    world.service("inventory").signal(Signal::STOP);
    world.vcenter.patch("late-snapshot", &json!({ "snapshot": "just now" }));
    world.migrate("late-snapshot-1", "late-snapshot", &["late-snapshot"]);
    let migration = world.ended("late-snapshot-1");
    world.service("inventory").signal(Signal::CONT);
    assert!(holds(&migration, "Failed").is_some(), "{:#?}", migration.status);
    let state = world.state("late-snapshot-1");
    let failure = state.failure.unwrap();
    assert!(failure.message.contains("late-snapshot") && failure.message.contains("snapshot"), "{failure:?}");
    assert_eq!(state.ledger.iter().find(|entry| entry.effect == EffectKind::ShutdownSource), None);
    assert_eq!(world.vcenter.vm("late-snapshot").power, "poweredOn");
    let asked = world.watcher.events().into_iter().filter(|event| event.vm == "late-snapshot" && event.is_ours());
    let changes: Vec<_> = asked.filter(|event| event.kind == "change" || event.is_flat_read()).collect();
    assert!(changes.is_empty(), "{changes:#?}");
}

fn a_guest_that_does_not_shut_down_in_time_fails_and_is_powered_on_when_it_goes_down_late(world: &World) {
    let state = world.failed("stubborn-1", "GuestDidNotShutDown");
    assert!(state.failure.unwrap().message.contains("4 s"));
    let watched = world.cli.run(&["watch", "plan", "stubborn"], "");
    assert_eq!(watched.code, cli::MIGRATION_FAILED, "{}{}", watched.out, watched.err);
    assert_eq!(world.vcenter.vm("stubborn").power, "poweredOn");
    // A shutdown can't be withdrawn: its entry stays open.
    assert!(world.state("stubborn-1").ledger_is_open());

    world.vcenter.patch("stubborn", &json!({ "power": "off" }));
    until("the source that went down late is powered on again", || {
        let power = world.vcenter.vm("stubborn").power;
        if power == "poweredOn" { Ok(()) } else { Err(power) }
    });
    let reads: Vec<_> =
        world.watcher.events().into_iter().filter(|event| event.vm == "stubborn" && event.is_flat_read()).collect();
    assert!(reads.is_empty(), "{reads:#?}");
}
