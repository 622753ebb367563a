//! A plan has one running migration. A second one is refused for good and harms nothing.

use std::path::Path;

use forklift_api::{Migration, Phase, VirtualMachineImport};
use serde_json::json;

use crate::harness::manifests::{self, yaml};
use crate::harness::world::resources::holds;
use crate::harness::{Setup, World, disks};

/// A limit of their speed holds for each to its end.
const SMALL_REQUESTS: &str = "[transfer]\nrequest_mib = 1\n";

#[test]
fn a_second_migration_of_a_plan_is_refused_while_one_runs() {
    World::run(&Setup { scenario: "second", config: SMALL_REQUESTS }, |world| {
        world.connect();
        world.plan("one", &["one"], &json!({}));
        world.vcenter.limit_reads(Some(256 << 10));
        world.migrate("first", "one", &["one"]);
        world.state_where("first", "it copies", |state| state.phase == Phase::CopyDisks);

        world.cli.apply(&yaml(&[manifests::migration("second", "one")]));
        let refused = world.condition::<Migration>("second", "PlanNotReady");
        assert_eq!(refused.reason.as_deref(), Some("MigrationRunning"));
        assert!(refused.message.as_ref().unwrap().contains("`first`"), "{refused:?}");
        assert_eq!(world.cli.list::<VirtualMachineImport>().len(), 1);

        world.vcenter.limit_reads(None);
        let watched = world.cli.run(&["watch", "plan", "one"], "");
        assert_eq!(watched.code, 0, "{}{}", watched.out, watched.err);
        world.watcher.succeeded("one");
        let target = world.state("first").disks[0].path.clone().unwrap();
        disks::assert_equal(&world.vcenter.vm("one").disks[0].path, Path::new(&target));

        let second = world.cli.get::<Migration>("second").unwrap();
        assert!(holds(&second, "Failed").is_some() && second.status.unwrap().started.is_none());
        assert_eq!(world.cli.list::<VirtualMachineImport>().len(), 1);
    });
}
