//! The lease of a job: renewed while the job runs. Whatever takes it away stops the worker; why it went decides
//! whether that is a cancel.

use std::time::{Duration, Instant};

use bus::{Bus, Lease, LeaseError};
use contract::job::CopyRequested;
use contract::subject::{Token, TokenError};

/// A lease that is not renewed for this long is gone. A cancel is noticed within [`RENEW`].
pub(crate) const TTL: Duration = Duration::from_secs(15);
/// How often it is renewed; below the 5 s within which a cancel must be noticed.
pub(crate) const RENEW: Duration = Duration::from_secs(3);

/// Why a lease is no longer ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nobody has it: somebody took it away, which is how a job is cancelled.
    Revoked,
    /// Another worker has it.
    Taken,
    /// We could not renew it in time; nobody cancelled anything.
    Late,
}

/// `job.copy.<migration>.<vm>`, escaped as in subjects.
pub(crate) fn key(job: &CopyRequested) -> Result<String, TokenError> {
    let (migration, vm) = (Token::new(job.migration.as_str())?, Token::new(job.vm.as_str())?);
    Ok(format!("job.{}.{}.{}", contract::job::COPY, migration.as_str(), vm.as_str()))
}

/// Renews `lease` until it is lost; tells why.
pub(crate) async fn keep(bus: &Bus, lease: &mut Lease) -> Loss {
    loop {
        let remaining = lease.remaining();
        tokio::time::sleep(RENEW.min(remaining)).await;
        let until = Instant::now() + lease.remaining();
        let renewed = tokio::time::timeout(lease.remaining(), lease.renew()).await;
        let refused = match renewed {
            Ok(Ok(())) => continue,
            Ok(Err(LeaseError::Lost(_))) => true,
            Ok(Err(error)) => {
                tracing::warn!(key = lease.key(), error = %runtime::chain(&error), "lease.renewal_failed");
                false
            }
            Err(_) => false,
        };
        if refused {
            let in_time = Instant::now() < until;
            return judge(in_time, held_by_another(bus, lease).await);
        }
        if lease.lost() {
            return Loss::Late;
        }
    }
}

/// A refusal that came before our own clock ran out means that somebody acted on the lease.
fn judge(in_time: bool, held: Option<bool>) -> Loss {
    match (in_time, held) {
        (true, Some(false)) => Loss::Revoked,
        (_, Some(true)) => Loss::Taken,
        _ => Loss::Late,
    }
}

/// Whether somebody else holds it; `None` if that can't be known.
async fn held_by_another(bus: &Bus, lease: &Lease) -> Option<bool> {
    let asked = tokio::time::timeout(RENEW, async { bus.leases().holder(lease.key()).await }).await;
    asked.ok()?.ok().map(|holder| holder.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lease_that_was_taken_away_in_time_is_a_cancel() {
        assert_eq!(judge(true, Some(false)), Loss::Revoked);
        assert_eq!(judge(true, Some(true)), Loss::Taken);
        assert_eq!(judge(false, Some(true)), Loss::Taken);
        assert_eq!(judge(false, Some(false)), Loss::Late);
        assert_eq!(judge(true, None), Loss::Late);
    }
}
