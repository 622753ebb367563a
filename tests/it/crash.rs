//! A controller and a worker that are killed in the middle of a copy: the migration goes on to equal bytes. The
//! whole matrix of crashes is another issue's; this keeps the promise honest.

use std::path::Path;

use forklift_api::Phase;
use serde_json::json;

use crate::harness::{Setup, World, disks, until};

/// Small requests: a limit of their speed holds for each to its end.
const SMALL_REQUESTS: &str = "[transfer]\nrequest_mib = 1\nreads = 2\n";

#[test]
fn a_migration_survives_kill_9_of_controller_and_worker() {
    World::run(&Setup { scenario: "crash", config: SMALL_REQUESTS }, |world| {
        world.connect();
        world.plan("survivor", &["survivor"], &json!({}));
        world.vcenter.limit_reads(Some(256 << 10));
        world.migrate("survivor-1", "survivor", &["survivor"]);
        world.state_where("survivor-1", "it copies", |state| state.phase == Phase::CopyDisks);
        bytes_came(world);
        world.crash("controller");
        world.crash("transfer");
        assert_eq!(world.state("survivor-1").phase, Phase::CopyDisks, "the copy was not under way when it was cut off");
        world.vcenter.limit_reads(None);

        let watched = world.cli.run(&["watch", "plan", "survivor"], "");
        assert_eq!(watched.code, 0, "{}{}", watched.out, watched.err);
        world.watcher.succeeded("survivor");
        let (state, source) = (world.state("survivor-1"), world.vcenter.vm("survivor"));
        for (disk, original) in state.disks.iter().zip(&source.disks) {
            disks::assert_equal(&original.path, Path::new(disk.path.as_deref().unwrap()));
        }
        assert_eq!(source.power, "poweredOff");
        let shutdowns = world.watcher.events().iter().filter(|event| event.method == "ShutdownGuest").count();
        assert_eq!(shutdowns, 1, "a restart must not repeat what was done");
    });
}

/// At the target, not at the journal: a read is written down when it ended.
fn bytes_came(world: &World) {
    until("the first bytes are at the target", || {
        let disks = world.state("survivor-1").disks;
        let written: u64 = disks.iter().map(|disk| disks::allocated(Path::new(disk.path.as_deref().unwrap()))).sum();
        if written > 0 { Ok(()) } else { Err("nothing is written".to_owned()) }
    });
}
