//! A target without room: seen before the source is shut down, or met in the middle of the copy. Either way the
//! source runs again, and what is kept is known to the ledger.

use std::path::Path;

use forklift_api::virtual_machine_import::LongshoreStatus;
use forklift_api::virtual_machine_import::longshore::{EffectKind, EntryState};
use forklift_api::{Migration, Phase, StorageMap, VirtualMachineImport};
use serde_json::json;

use crate::harness::manifests::{self, yaml};
use crate::harness::tmpfs::Tmpfs;
use crate::harness::world::exists;
use crate::harness::{Setup, World, skipped, until};

/// A limit of their speed holds for each to its end.
const SMALL_REQUESTS: &str = "[transfer]\nrequest_mib = 1\n";

#[test]
fn a_full_target_disk_ends_with_the_source_running() {
    World::run(&Setup { scenario: "room", config: SMALL_REQUESTS }, |world| {
        let tight = match Tmpfs::mount(&world.path("tight"), 24) {
            Ok(tight) => tight,
            Err(why) => return skipped("a full target disk", &why),
        };
        world.connect();
        world.cli.apply(&yaml(&[manifests::storage_map("tight", &[("vmfs-1", "tight")])]));
        world.ready::<StorageMap>("tight");
        let map = json!({ "map": { "network": { "name": "networks" }, "storage": { "name": "tight" } } });
        world.plan("too-big", &["too-big"], &map);
        world.plan("grows", &["grows"], &map);
        too_little_room_is_seen_before_the_shutdown(world);
        room_that_vanishes_during_the_copy_fails_it_and_restores_the_source(world, &tight);
    });
}

fn too_little_room_is_seen_before_the_shutdown(world: &World) {
    world.migrate("too-big-1", "too-big", &["too-big"]);
    let state = world.failed("too-big-1", "TargetFull");
    let message = &state.failure.as_ref().unwrap().message;
    assert!(message.contains("tight") && message.contains("make room"), "{message}");
    assert_eq!(world.vcenter.vm("too-big").power, "poweredOn");
    world.watcher.assert_untouched("too-big");
    assert!(state.disks.iter().all(|disk| !exists(disk.path.as_deref().unwrap())));
}

fn room_that_vanishes_during_the_copy_fails_it_and_restores_the_source(world: &World, tight: &Tmpfs) {
    world.vcenter.limit_reads(Some(256 << 10));
    world.migrate("grows-1", "grows", &["grows"]);
    world.state_where("grows-1", "it copies", |state| state.phase == Phase::CopyDisks);
    assert_eq!(world.vcenter.vm("grows").power, "poweredOff");
    let others = tight.fill();
    world.vcenter.limit_reads(None);
    let state = world.failed("grows-1", "TargetFull");
    assert_eq!(world.vcenter.vm("grows").power, "poweredOn", "a failed migration must restore the source");
    std::fs::remove_file(others).unwrap();
    the_ledger_keeps_the_disks_for_a_retry(&state);
    deleting_the_migration_removes_them(world, &state);
}

fn the_ledger_keeps_the_disks_for_a_retry(state: &LongshoreStatus) {
    assert_eq!(state.entry(EffectKind::CreateVolumes), Some(EntryState::Done));
    assert_eq!(state.entry(EffectKind::ShutdownSource), Some(EntryState::Undone));
    assert_eq!(state.entry(EffectKind::CreateVm), None);
    assert!(exists(state.disks[0].path.as_deref().unwrap()));
}

fn deleting_the_migration_removes_them(world: &World, state: &LongshoreStatus) {
    world.cli.delete::<Migration>("grows-1");
    until("the failed migration's import is gone", || {
        let left = world.cli.list::<VirtualMachineImport>();
        let left: Vec<_> =
            left.iter().filter(|import| import.spec.target_vm_name.as_deref() == Some("grows")).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:#?}")) }
    });
    let folder = Path::new(state.disks[0].path.as_deref().unwrap()).parent().unwrap();
    let left: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(world.vcenter.vm("grows").power, "poweredOn");
}
