//! The service around the pure part: it opens the rules, judges what is out of date, then whatever changes. Judging
//! a VM twice does no harm. Within one instance an older state of a VM never overtakes a newer one; between several
//! that share the durable it still could, for a publish doesn't yet name the assessment it replaces.

mod catch_up;
mod error;
mod http;
mod judge;
mod metrics;
mod options;
mod running;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bus::{Bus, Consumer, Delivery, Durable, topology};
use contract::inventory::VmEvent;
use contract::subject::PREFIX;
use runtime::cpu::Pool;
use runtime::{Probe, Process, Shutdown};
use tokio::time::{Instant, sleep_until};

use crate::bundle::Bundle;
use judge::Judge;
use running::{Running, key};

pub use error::Error;
pub use options::Options;

/// VMs that are judged or published at the same time.
const AT_ONCE: usize = 16;

/// Before a VM is tried again. Longer than the bus' two-minute memory of message ids together with
/// [`MOST_DELIVERIES`]: see [`judge::JudgeError::Overtaken`].
const AGAIN: Duration = Duration::from_secs(10);
const MOST_DELIVERIES: i64 = 20;

/// Before the catch-up is repeated for VMs it could not judge.
const CATCH_UP_AGAIN: Duration = Duration::from_secs(60);

/// The validation service.
#[derive(Debug)]
pub struct Validation {
    bundle: Arc<Bundle>,
    judge: Judge,
    bus: Bus,
    probe: Probe,
    shutdown: Shutdown,
}

impl Validation {
    /// Loads the rules and starts their threads; judges nothing yet. A rule with a problem is an error that names
    /// file, line and column.
    // By value, like every service: the caller has no further use for its clones.
    #[expect(clippy::needless_pass_by_value)]
    pub fn open(options: Options, bus: Bus, process: Process) -> Result<Self, Error> {
        let bundle = match &options.rules_dir {
            Some(folder) => Bundle::from_dir(folder),
            None => Bundle::built_in(),
        };
        let bundle = Arc::new(bundle.map_err(Error::Rules)?);
        let pool = Pool::new("rules", options.threads).map_err(Error::Threads)?;
        let probe = process.health.probe("validation");
        let metrics = process.metrics.registry(metrics::Metrics::register);
        tracing::info!(version = bundle.version(), rules = bundle.rules().len(), "rules.active");
        let judge = Judge { bus: bus.clone(), bundle: Arc::clone(&bundle), pool, metrics };
        Ok(Self { bundle, judge, bus, probe, shutdown: process.shutdown })
    }

    /// `GET /v1/rules`: the active bundle's version and rules.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.bundle))
    }

    /// Judges until the shutdown: first every VM whose last assessment is not of its revision and these rules, then
    /// each change.
    pub async fn run(self) -> Result<(), Error> {
        self.probe.not_ready("judging VMs by the active rules");
        // Before the first verdict: what an older bundle said counts no more from here on.
        self.bus.activate_rules(self.bundle.version()).await.map_err(Error::Activate)?;
        let Some(left) = self.catch_up().await else { return Ok(()) };
        self.probe.ready();
        self.follow(left).await;
        self.probe.not_ready("stopping");
        Ok(())
    }

    /// Judges each change, and now and then again the VMs that a catch-up left.
    async fn follow(&self, mut left: usize) {
        let mut again = Instant::now() + CATCH_UP_AGAIN;
        let mut consumer: Consumer<VmEvent> = self.bus.consume(durable());
        let mut running = Running::new(AT_ONCE);
        loop {
            tokio::select! {
                () = self.shutdown.requested() => break,
                () = sleep_until(again), if left > 0 => {
                    // Nothing of the durable is under way then, so that an older state can't overtake a newer one.
                    running.finish().await;
                    let Some(still) = self.catch_up().await else { break };
                    left = still;
                    again = Instant::now() + CATCH_UP_AGAIN;
                }
                delivery = consumer.next() => {
                    let Some(delivery) = delivery else { break };
                    running.start(key(delivery.message()), settle(self.judge.clone(), delivery)).await;
                }
                () = running.one(), if !running.is_empty() => {}
            }
        }
        running.finish().await;
    }

    async fn catch_up(&self) -> Option<usize> {
        tokio::select! {
            biased;
            () = self.shutdown.requested() => None,
            left = catch_up::run(&self.bus, &self.judge) => left,
        }
    }
}

/// One durable for all instances. Its name holds no version of the rules: what a new bundle changes is found by the
/// catch-up, which looks at the assessments themselves, so that going back to an older bundle judges again too.
fn durable() -> Durable {
    Durable::new(topology::INVENTORY, "validation", format!("{PREFIX}.inventory.vm.>"))
        .in_flight(AT_ONCE * 2)
        .max_deliver(MOST_DELIVERIES)
}

/// Judges a delivered VM and decides about the message.
async fn settle(judge: Judge, delivery: Delivery<VmEvent>) {
    let subject = delivery.subject().to_owned();
    let judged = judge.judge(delivery.message(), delivery.traceparent()).await;
    let settled = match judged {
        Ok(()) => delivery.ack().await,
        Err(error) => {
            judge.metrics.retries.inc();
            tracing::warn!(subject, error = &error as &dyn std::error::Error, "vm.not_assessed");
            if error.is_permanent() {
                delivery.reject(format!("no assessment can be published: {error}")).await
            } else {
                delivery.retry_after(AGAIN).await
            }
        }
    };
    if let Err(error) = settled {
        tracing::warn!(subject, error = &error as &dyn std::error::Error, "vm.not_settled");
    }
}
