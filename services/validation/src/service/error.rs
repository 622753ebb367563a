//! Why validation does not start.

use runtime::cpu::StartError;

use crate::bundle::BundleError;

/// What validation was at when it gave up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules could not be loaded.
    #[error(
        "validation has no rules to judge VMs by; correct the rules folder, or leave it out for the built-in rules"
    )]
    Rules(#[source] BundleError),
    /// Nobody could be told which rules judge.
    #[error("validation can't announce its rules")]
    Activate(#[source] bus::ActivateError),
    /// The threads for rules could not be started.
    #[error("validation can't start its threads")]
    Threads(#[source] StartError),
}
