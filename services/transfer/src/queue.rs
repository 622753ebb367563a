//! Takes jobs from the work queue, a bounded number at once. A message that can't be read never gets here; one
//! that crashes the worker again and again ends in the dead letters.

use std::time::Duration;

use bus::{Consumer, Durable, topology};
use contract::job::CopyRequested;
use tokio::task::JoinSet;

use crate::job::Desk;

/// The durable's name, shared by all workers of one machine.
const NAME: &str = "transfer-copy";
/// All copy jobs.
const FILTER: &str = "longshore.v1.job.copy.>";
/// Without a sign of life for this long the job is given to another worker.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// A job that ended undecided this often is poison. It is high because waiting for a lease counts too.
const MAX_DELIVER: i64 = 20;

pub(crate) fn durable(jobs: usize) -> Durable {
    Durable::new(topology::JOBS, NAME, FILTER).ack_wait(ACK_WAIT).max_deliver(MAX_DELIVER).in_flight(jobs.max(1))
}

/// Works until shutdown; then waits for the jobs that are being stopped.
pub(crate) async fn run(desk: &Desk, mut consumer: Consumer<CopyRequested>) {
    let mut running = JoinSet::new();
    loop {
        while running.len() >= desk.options.jobs.max(1) {
            note(running.join_next().await);
        }
        tokio::select! {
            delivery = consumer.next() => match delivery {
                Some(delivery) => {
                    let desk = desk.clone();
                    running.spawn(async move { desk.handle(delivery).await });
                }
                None => break,
            },
            Some(ended) = running.join_next() => note(Some(ended)),
            () = desk.shutdown.requested() => break,
        }
    }
    // Else a job that is given back could be delivered to us once more.
    drop(consumer);
    while let Some(ended) = running.join_next().await {
        note(Some(ended));
    }
}

/// A job that panicked gave its message back when it was dropped.
fn note(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended {
        tracing::error!(%error, "job.panicked");
    }
}
