//! Taking a job out of the work queue before a worker has it, or after its worker was told to stop.

use contract::subject::Subject;

use crate::connect::Bus;
use crate::{Cause, topology};

/// The queue could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("the job on {subject} can't be taken out of the queue")]
pub struct WithdrawError {
    /// Where it waits.
    pub subject: String,
    /// What the client said.
    #[source]
    pub source: Cause,
}

impl Bus {
    /// Removes whatever waits on a job's subject. A worker that already has the message goes on until its lease is
    /// revoked; its acknowledgement then finds nothing. Idempotent.
    pub async fn withdraw_job(&self, subject: &Subject) -> Result<(), WithdrawError> {
        let failed = |source: Cause| WithdrawError { subject: subject.to_string(), source };
        let jobs = self.jetstream().get_stream(topology::JOBS).await.map_err(|error| failed(error.into()))?;
        jobs.purge().filter(subject.as_str()).await.map_err(|error| failed(error.into()))?;
        Ok(())
    }
}
