//! Tells everybody that a worker runs: a lease `worker.transfer.<id>`, so that the controller starts nothing on a
//! source while nobody is there to copy.

use std::time::Duration;

use bus::Bus;
use runtime::Shutdown;

use crate::lease::TTL;
use runtime::chain;

/// What the keys of all workers begin with.
const PREFIX: &str = "worker.transfer.";

/// Holds the lease until shutdown, taking it again whenever it was lost.
pub(crate) async fn announce(bus: &Bus, shutdown: &Shutdown) {
    let key = format!("{PREFIX}{}", uuid::Uuid::new_v4().simple());
    while !shutdown.is_requested() {
        let lease = match bus.leases().acquire(&key, TTL).await {
            Ok(Some(lease)) => Some(lease),
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(key, error = %chain(&error), "worker.not_announced");
                None
            }
        };
        let Some(mut lease) = lease else {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => continue,
                () = shutdown.requested() => return,
            }
        };
        let lost = tokio::select! {
            lost = lease.keep() => Some(lost),
            () = shutdown.requested() => None,
        };
        match lost {
            Some(lost) => tracing::warn!(key, error = %chain(&lost), "worker.lease_lost"),
            None => {
                if let Err(error) = lease.release().await {
                    tracing::debug!(key, error = %chain(&error), "worker.lease_runs_out");
                }
            }
        }
    }
}
