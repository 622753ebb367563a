//! Longshore as its users run it: the four services as four processes over a real nats-server, a simulated vCenter
//! beside them, and the `longshore` command line as the only way in. Each test has a world of its own; an invariant
//! watcher looks on in all of them.

// A helper of tests is no product code either, though clippy's exception covers only `#[test]` functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod architecture;
mod cold;
mod crash;
mod full_disk;
mod harness;
mod power;
mod refusals;
mod second_migration;
