//! What every test stands on. Nothing here decides whether Longshore behaves: that is the tests' and the watcher's.

pub mod binaries;
pub mod cli;
pub mod disks;
pub mod guest;
pub mod invariants;
pub mod manifests;
pub mod process;
pub mod tmpfs;
pub mod vcenter;
pub mod wait;
pub mod watcher;
pub mod world;

pub use wait::until;
pub use world::{Setup, World};

/// Says why a part of a test was not run, past the test runner's capture: a skip must be seen.
pub fn skipped(what: &str, why: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}: {why}");
}
