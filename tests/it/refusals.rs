//! Bad input: each ends in a condition or an error that names the object, the cause and what to do, and the source is
//! as it was. One world serves all of it: nothing in it may ever be touched.

mod command_line;
mod plans;
mod providers;

use crate::harness::{Setup, World};

/// A refused login must not be tried again; an unreachable one may, soon enough to be seen by a test.
const QUICK: &str = "[inventory]\nfirst_retry_ms = 300\nlongest_retry_ms = 1000\n";

#[test]
fn bad_input_ends_in_a_condition_or_an_error_and_touches_nothing() {
    World::run(&Setup { scenario: "refusals", config: QUICK }, |world| {
        let tried = providers::apply_bad_ones(world);
        world.connect();
        command_line::check(world);
        plans::check(world);
        plans::a_migration_of_a_refused_plan_does_not_start(world);
        providers::check(world, &tried);
        for vm in
            ["plain", "snapshotted", "no-tools", "paused", "gpu", "twin", "other-network", "other-datastore", "on-vsan"]
        {
            world.watcher.assert_untouched(vm);
        }
    });
}
