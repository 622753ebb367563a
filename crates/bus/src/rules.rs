//! Which bundle of rules judges now: one key of bucket `rules`. An assessment by another bundle is out of date.

use std::time::Duration;

use futures::StreamExt;
use tokio::time::sleep;

use crate::connect::Bus;
use crate::{Cause, topology};

const ACTIVE: &str = "active";
/// After a broken watch.
const AGAIN: Duration = Duration::from_secs(1);

/// The active bundle could not be told.
#[derive(Debug, thiserror::Error)]
#[error("the version of the active rules can't be written to the bus")]
pub struct ActivateError(#[source] pub Cause);

impl Bus {
    /// Tells everybody that rules of this version judge from now on. Idempotent.
    pub async fn activate_rules(&self, version: &str) -> Result<(), ActivateError> {
        let rules =
            self.jetstream().get_key_value(topology::RULES).await.map_err(|error| ActivateError(error.into()))?;
        let version = version.to_owned().into();
        rules.put(ACTIVE, version).await.map(drop).map_err(|error| ActivateError(error.into()))
    }

    /// Calls `changed` with the version of the active rules, now and at each change, until shutdown.
    pub async fn follow_active_rules(&self, mut changed: impl FnMut(String)) {
        let shutdown = self.shutdown().clone();
        loop {
            let watching = async {
                let rules = self.jetstream().get_key_value(topology::RULES).await?;
                let mut versions = rules.watch_with_history(ACTIVE).await?;
                while let Some(entry) = versions.next().await {
                    changed(String::from_utf8_lossy(&entry?.value).into_owned());
                }
                Ok::<(), Cause>(())
            };
            let ended = tokio::select! {
                () = shutdown.cancelled() => return,
                ended = watching => ended,
            };
            if let Err(error) = ended {
                tracing::warn!(error = &*error, "rules.watch_failed; it is tried again");
            }
            tokio::select! { () = shutdown.cancelled() => return, () = sleep(AGAIN) => {} }
        }
    }
}
