//! The main job, once and whole: a look that changes nothing, a plan, a migration, equal bytes, a VM that runs.

use std::path::Path;

use forklift_api::virtual_machine_import::LongshoreStatus;
use forklift_api::{Migration, Plan};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::guest::Guest;
use crate::harness::invariants::Event;
use crate::harness::world::{exists, resources::holds};
use crate::harness::{Setup, World, binaries, disks, skipped, until};

#[test]
fn a_cold_migration_from_apply_to_compared_bytes() {
    World::run(&Setup { scenario: "cold", config: "" }, |world| {
        world.connect();
        the_inventory_shows_vms_with_their_concerns(world);
        world.plan("web", &["web"], &json!({}));
        assert!(world.cli.list::<Migration>().is_empty());
        for vm in ["web", "gpu", "untracked"] {
            world.watcher.assert_untouched(vm);
        }

        world.migrate("web-1", "web", &["web"]);
        let watched = world.cli.run(&["watch", "plan", "web"], "");
        assert_eq!(watched.code, 0, "{}{}", watched.out, watched.err);
        assert!(watched.out.contains("succeeded") && watched.out.contains("run it with"), "{}", watched.out);
        world.watcher.succeeded("web");

        let state = world.state("web-1");
        the_disks_are_equal_and_thrifty(world, &state);
        the_manifest_is_the_same_machine(&state);
        the_journal_has_the_right_order(&world.watcher.events());
        the_target_runs_and_the_source_stays_off(world, &state);
        deleting_the_migration_leaves_the_vm(world, &state);
    });
}

fn the_inventory_shows_vms_with_their_concerns(world: &World) {
    let concerns = |vms: &[Value], name: &str| {
        let vm = vms.iter().find(|vm| vm["name"] == name).cloned().unwrap_or_default();
        let all = vm["concerns"].as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|c| format!("{}: {}", c["category"].as_str().unwrap(), c["label"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    until("every VM is judged", || {
        let vms = world.cli.inventory("vms", "vcenter");
        let gpu = concerns(&vms, "gpu")
            .iter()
            .any(|text| text.starts_with("Critical: ") && text.to_lowercase().contains("passthrough"));
        let web = concerns(&vms, "web").iter().any(|text| text.contains("DRS"));
        let disk =
            concerns(&vms, "untracked").iter().any(|text| text.contains("CBT") || text.contains("Changed Block"));
        let seen = || vms.iter().map(|vm| format!("{} {}", vm["name"], vm["concerns"])).collect::<Vec<_>>().join("\n");
        if vms.len() == 3 && gpu && web && disk { Ok(()) } else { Err(seen()) }
    });
    let table = world.cli.ok(&["get", "inventory", "vms", "--provider", "vcenter"]);
    assert!(table.lines().any(|line| line.starts_with("web ") && line.contains("esx")), "{table}");
}

fn the_disks_are_equal_and_thrifty(world: &World, state: &LongshoreStatus) {
    let source = world.vcenter.vm("web");
    assert_eq!(state.disks.len(), 2);
    for (disk, original) in state.disks.iter().zip(&source.disks) {
        assert_eq!(disk.key, original.key);
        let target = Path::new(disk.path.as_deref().unwrap());
        disks::assert_equal(&original.path, target);
        let (data, allocated) = (disks::data(&original.path), disks::allocated(target));
        assert!(
            disks::allocated(&original.path) >= data + (4 << 20),
            "the source must have written zeros to prove anything"
        );
        assert!(allocated <= data + 64 * 1024, "{}: {allocated} bytes allocated for {data} of data", disk.name);
        let proof = disk.proof.as_ref().unwrap();
        assert_eq!(proof.root_hash.len(), 64);
        assert!(exists(&proof.manifest), "{}", proof.manifest);
    }
    assert!(
        state.disks[0].path.as_ref().unwrap().contains("/fast/")
            && state.disks[1].path.as_ref().unwrap().contains("/slow/")
    );
}

fn the_manifest_is_the_same_machine(state: &LongshoreStatus) {
    let text = std::fs::read_to_string(state.manifest.as_deref().unwrap()).unwrap();
    let vm: Value = serde_yaml_ng::from_str(&text).unwrap();
    assert_eq!((&vm["apiVersion"], &vm["kind"]), (&json!("kubevirt.io/v1"), &json!("VirtualMachine")));
    assert_eq!((&vm["metadata"]["name"], &vm["metadata"]["namespace"]), (&json!("web"), &json!("shop")));
    // It ran, so its successor is to run; nothing here starts it.
    assert_eq!(vm["spec"]["runStrategy"], "Always");
    let spec = &vm["spec"]["template"]["spec"];
    let domain = &spec["domain"];
    assert_eq!(domain["firmware"]["uuid"], "423a8f5e-0102-0304-0506-0708090a0b0c");
    assert_eq!(domain["memory"]["guest"], "256Mi");
    let disks = domain["devices"]["disks"].as_array().unwrap();
    assert!(disks.len() == 2 && disks.iter().all(|disk| disk["disk"]["bus"] == "sata"), "{disks:?}");
    let cards = domain["devices"]["interfaces"].as_array().unwrap();
    let macs: Vec<_> = cards.iter().map(|card| (&card["macAddress"], &card["model"])).collect();
    let e1000e = json!("e1000e");
    assert_eq!(macs, [(&json!("00:50:56:00:00:01"), &e1000e), (&json!("00:50:56:00:00:02"), &e1000e)]);
    assert_eq!(spec["networks"][1]["multus"]["networkName"], "lan/backend");
    let claims: Vec<_> =
        (0..2).map(|n| spec["volumes"][n]["persistentVolumeClaim"]["claimName"].as_str().unwrap()).collect();
    assert_eq!(claims, state.disks.iter().map(|disk| disk.claim.as_str()).collect::<Vec<_>>());
}

/// Shutdown, off, first byte; and never on again.
fn the_journal_has_the_right_order(events: &[Event]) {
    let of_web: Vec<&Event> = events.iter().filter(|event| event.vm == "web").collect();
    let when = |wanted: &dyn Fn(&&&Event) -> bool| of_web.iter().find(wanted).map(|event| event.time);
    let shutdown = when(&|event| event.method == "ShutdownGuest").unwrap();
    let off = when(&|event| event.to == "poweredOff").unwrap();
    let first_read = when(&|event| event.is_flat_read()).unwrap();
    assert!(shutdown < off && off <= first_read, "shutdown {shutdown}, off {off}, first read {first_read}");
    let shutdowns = of_web.iter().filter(|event| event.method == "ShutdownGuest").count();
    assert_eq!(shutdowns, 1);
}

fn the_target_runs_and_the_source_stays_off(world: &World, state: &LongshoreStatus) {
    let command = state.command.as_deref().unwrap();
    let script = Path::new(state.manifest.as_deref().unwrap()).with_file_name("run.sh");
    assert!(std::fs::read_to_string(&script).unwrap().contains(command));
    if binaries::find("qemu-system-x86_64").is_none() {
        return skipped("starting the migrated VM", "there is no qemu-system-x86_64; `cargo xtask test` installs it");
    }
    let since = Timestamp::now();
    let guest = Guest::start(command);
    assert_eq!(world.vcenter.vm("web").power, "poweredOff");
    // Longer than the controller's own look at open ledgers: nothing powers the source on behind our back.
    std::thread::sleep(std::time::Duration::from_secs(3));
    world.watcher.target_ran("web", since);
    drop(guest);
    assert_eq!(world.vcenter.vm("web").power, "poweredOff");
}

fn deleting_the_migration_leaves_the_vm(world: &World, state: &LongshoreStatus) {
    assert!(!state.ledger_is_open(), "{:?}", state.ledger);
    world.cli.delete::<Migration>("web-1");
    until("the migration and its import are gone", || {
        let left = (
            world.cli.get::<Migration>("web-1").is_some(),
            world.cli.list::<forklift_api::VirtualMachineImport>().len(),
        );
        if left == (false, 0) { Ok(()) } else { Err(format!("migration there: {}, imports: {}", left.0, left.1)) }
    });
    let source = world.vcenter.vm("web");
    for (disk, original) in state.disks.iter().zip(&source.disks) {
        disks::assert_equal(&original.path, Path::new(disk.path.as_deref().unwrap()));
    }
    assert!(exists(state.manifest.as_deref().unwrap()));
    assert_eq!(source.power, "poweredOff");
    assert!(holds(&world.cli.get::<Plan>("web").unwrap(), "Executing").is_none());
}
