//! What every store must do, whatever keeps the resources. The functions of `suite` take a store and a namespace
//! and know nothing of the backend; a backend is added by one `conformance!` line with its own way to start.

// Helpers outside of test functions may fail loudly too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "conformance/kv.rs"]
mod kv;
#[path = "conformance/suite.rs"]
mod suite;
#[path = "conformance/world.rs"]
mod world;

/// Runs the whole suite on one backend. `$start` is an async function that returns a [`world::World`].
macro_rules! conformance {
    ($backend:ident, $start:path: $($test:ident)*) => {
        mod $backend {
            use crate::world::World as _;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let world = $start().await;
                    let deadline = std::time::Duration::from_secs(60);
                    let run = crate::suite::$test(world.store(), world.namespace());
                    tokio::time::timeout(deadline, run).await.expect("the test ends in time");
                    world.end().await;
                }
            )*
        }
    };
}

conformance! { on_a_jetstream_bucket, crate::kv::start:
    what_is_created_is_read_back_with_an_identity
    a_name_is_taken_once
    of_many_creators_one_wins
    objects_are_listed_by_kind_namespace_and_name
    a_replace_of_an_old_version_is_a_conflict
    a_replace_of_what_is_not_there_is_not_found
    no_increment_of_concurrent_writers_is_lost
    a_replace_without_a_difference_writes_nothing
    generation_counts_changes_of_the_spec
    status_and_the_rest_are_written_apart
    absent_fields_have_the_defaults_of_the_schema
    an_unknown_field_is_refused_by_its_path
    wrong_values_and_names_are_refused
    an_object_with_finalizers_waits_for_them
    a_deletion_with_another_uid_is_a_conflict
    an_object_goes_with_its_last_owner
    dependents_of_dependents_go_too
    a_watch_begins_with_what_is_there_and_tells_every_change
    a_watch_of_nothing_is_initialised_at_once
    a_watch_sees_its_namespace_only
    a_watch_under_load_ends_with_what_is_listed
    a_watch_feeds_kubes_reflector
}
