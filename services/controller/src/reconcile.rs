//! Reconcilers: each reads one resource and what it depends on, decides by pure functions, and writes the status
//! or acts. Each can run at any time and any number of times; none takes input but what is stored.

pub mod decide;
pub mod import;
pub mod map;
pub mod migration;
pub mod plan;
pub mod provider;

use std::time::Duration;

use kube::runtime::controller::Action;

use crate::Error;

/// Looked at again even if nothing was heard of it: what was missed is healed by this.
pub(crate) const AGAIN: Duration = Duration::from_secs(60);

/// How a reconcile ends.
pub(crate) type Outcome = Result<Action, Error>;

/// Done until something changes, or until [`AGAIN`].
pub(crate) fn settled() -> Action {
    Action::requeue(AGAIN)
}

/// After an error: soon, but not at once.
pub(crate) const RETRY: Duration = Duration::from_secs(3);
