//! One delivered job, from the queue to its acknowledgement: lease, work, outcome, ack, in this order. Repeating it
//! is harmless: an outcome for the attempt ends it at once, and the lease and the targets' locks keep two workers
//! apart.

mod attempt;
mod disk;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::{Bus, Delivery, Lease, SettleError};
use contract::job::{COPY, CopyRequested};
use contract::subject;
use contract::transfer::{Outcome, TransferFinished};
use futures::future::FutureExt;
use jiff::Timestamp;
use runtime::Shutdown;
use tokio_util::sync::CancellationToken;

use crate::board::{Board, Phase, Place};
use crate::lease::{self, Loss};
use crate::metrics::TransferMetrics;
use crate::options::Options;
use crate::progress;
use crate::source::Providers;
use crate::workers::Workers;
use attempt::{Attempt, Stopped};
use runtime::chain;

/// After a failure that is not the job's.
const AGAIN: Duration = Duration::from_secs(5);

/// What every job is done with. Clones share it.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) bus: Bus,
    pub(crate) shutdown: Shutdown,
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) workers: Arc<Workers>,
    pub(crate) board: Board,
    pub(crate) metrics: TransferMetrics,
    pub(crate) options: Options,
}

/// What is to be done with the message.
#[derive(Debug)]
enum End {
    /// The attempt ended so.
    Outcome(Outcome),
    /// It ended before, or a later attempt did.
    Known,
    /// Nothing was decided about the job; somebody is to try again.
    Again(Duration),
    /// Another worker has the job: nothing more is said about it.
    Theirs,
    /// It can never be done, and no outcome could tell so; why.
    Unusable(String),
}

impl Desk {
    /// Does what `delivery` asks for, and settles it.
    #[tracing::instrument(name = "copy", skip_all, fields(
        migration = %delivery.message().migration,
        vm = %delivery.message().vm,
        attempt = delivery.message().attempt,
    ))]
    pub(crate) async fn handle(&self, delivery: Delivery<CopyRequested>) {
        let _running = self.metrics.running();
        let began = Instant::now();
        tracing::info!(deliveries = delivery.deliveries(), "job.taken");
        let end = delivery.working(self.work(delivery.message()).boxed()).await;
        let word = match &end {
            End::Outcome(Outcome::Succeeded { .. }) => "succeeded",
            End::Outcome(Outcome::Failed { .. }) => "failed",
            End::Outcome(Outcome::Cancelled) => "cancelled",
            End::Known => "known",
            End::Again(_) => "again",
            End::Theirs => "theirs",
            End::Unusable(_) => "unusable",
        };
        self.metrics.ended(word, began.elapsed());
        tracing::info!(end = word, seconds = began.elapsed().as_secs(), "job.ended");
        if let Err(error) = self.settle(delivery, end).await {
            tracing::warn!(error = %chain(&error), "job.not_settled");
        }
    }

    /// The outcome first, then the acknowledgement: what crashes between the two is told twice, never lost.
    async fn settle(&self, delivery: Delivery<CopyRequested>, end: End) -> Result<(), SettleError> {
        match end {
            End::Outcome(outcome) => {
                if self.publish(delivery.message(), outcome).await {
                    delivery.ack().await
                } else {
                    delivery.retry_after(AGAIN).await
                }
            }
            End::Known => delivery.ack().await,
            End::Again(delay) => delivery.retry_after(delay).await,
            // An acknowledgement would take the message from the other worker.
            End::Theirs => delivery.retry_after(lease::TTL).await,
            End::Unusable(cause) => delivery.reject(cause).await,
        }
    }

    async fn work(&self, job: &CopyRequested) -> End {
        match self.is_known(job).await {
            Ok(false) => {}
            Ok(true) => return End::Known,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "job.outcome_not_read");
                return End::Again(AGAIN);
            }
        }
        let lease = match lease::key(job) {
            Ok(key) => self.bus.leases().acquire(&key, lease::TTL).await,
            Err(error) => return End::Unusable(chain(&error)),
        };
        match lease {
            Ok(Some(mut lease)) => {
                let end = self.leased(job, &mut lease).await;
                if let Err(error) = lease.release().await {
                    tracing::debug!(error = %chain(&error), "job.lease_runs_out");
                }
                end
            }
            Ok(None) => {
                tracing::info!("job.leased_by_another");
                End::Again(AGAIN)
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "job.not_leased");
                End::Again(AGAIN)
            }
        }
    }

    /// Whether this attempt, or a later one, has its outcome.
    async fn is_known(&self, job: &CopyRequested) -> Result<bool, bus::ReadError> {
        let Ok(subject) = subject::transfer_outcome(COPY, &job.migration, &job.vm) else { return Ok(false) };
        let last = self.bus.last::<TransferFinished>(&subject).await?;
        Ok(last.is_some_and(|last| last.message.attempt >= job.attempt))
    }

    /// Works as long as the lease is ours; then waits until the targets are closed.
    async fn leased(&self, job: &CopyRequested, lease: &mut Lease) -> End {
        let place: Place = self.board.enter(job, Timestamp::now());
        let stop = CancellationToken::new();
        let attempt = Attempt { desk: self, job, entry: &place.entry, stop: &stop };
        let mut work = attempt.run().boxed();
        let stopped = tokio::select! {
            done = &mut work => {
                progress::finish(&self.bus, job, &place.entry).await;
                return decided(done);
            }
            loss = lease::keep(&self.bus, lease) => Some(loss),
            () = progress::report(&self.bus, job, &place.entry) => None,
            () = self.shutdown.requested() => None,
        };
        tracing::warn!(?stopped, "job.stopping");
        place.entry.enter(Phase::Stopping);
        stop.cancel();
        let done = work.await;
        match (stopped, done) {
            // It was finished already when it was stopped: a proven copy needs no second one.
            (Some(Loss::Revoked), _) => End::Outcome(Outcome::Cancelled),
            (Some(Loss::Taken), _) => End::Theirs,
            (Some(Loss::Late), _) => End::Again(AGAIN),
            (None, done @ Ok(_)) => decided(done),
            (None, _) => End::Again(Duration::ZERO),
        }
    }

    /// Publishes an outcome; whether it is known to be stored.
    async fn publish(&self, job: &CopyRequested, outcome: Outcome) -> bool {
        let finished = TransferFinished {
            migration: job.migration.clone(),
            vm: job.vm.clone(),
            job: COPY.to_owned(),
            attempt: job.attempt,
            outcome,
        };
        if let Outcome::Failed { reason, message } = &finished.outcome {
            tracing::warn!(reason, message, "job.failed");
        }
        match self.bus.publish(&finished).await {
            Ok(_) => true,
            Err(error) => {
                tracing::error!(error = %chain(&error), "job.outcome_not_published");
                false
            }
        }
    }
}

fn decided(done: Result<Vec<contract::transfer::DiskProof>, Stopped>) -> End {
    match done {
        Ok(disks) => End::Outcome(Outcome::Succeeded { disks }),
        Err(Stopped::Failed(failure)) => End::Outcome(failure.outcome()),
        Err(Stopped::Unsettled(cause)) => {
            tracing::warn!(cause, "job.unsettled");
            End::Again(AGAIN)
        }
        Err(Stopped::Cancelled) => End::Again(AGAIN),
    }
}
