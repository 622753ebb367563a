//! What the service counts. Labels are bounded: outcome words, never a VM.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    outcome: &'static str,
}

/// The service's metrics. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct TransferMetrics {
    running: Gauge,
    ended: Family<Ended, Counter>,
    seconds: Histogram,
    read: Counter,
    written: Counter,
    zero: Counter,
}

impl TransferMetrics {
    pub(crate) fn register(metrics: &runtime::Metrics) -> Self {
        let ours = Self {
            running: Gauge::default(),
            ended: Family::default(),
            // From a second to half a day, doubling.
            seconds: Histogram::new((0..16).map(|power| f64::from(1 << power))),
            read: Counter::default(),
            written: Counter::default(),
            zero: Counter::default(),
        };
        metrics.registry(|registry| {
            registry.register("transfer_jobs_running", "Copy jobs that run now", ours.running.clone());
            registry.register("transfer_jobs", "Copy jobs that ended, by outcome", ours.ended.clone());
            registry.register("transfer_job_duration_seconds", "Time of a copy job", ours.seconds.clone());
            registry.register("transfer_read_bytes", "Bytes read from sources", ours.read.clone());
            registry.register("transfer_written_bytes", "Bytes written to targets", ours.written.clone());
            registry.register("transfer_zero_bytes", "Bytes that were zero and not allocated", ours.zero.clone());
        });
        ours
    }

    /// A job begins; the guard's drop ends it.
    pub(crate) fn running(&self) -> Running {
        self.running.inc();
        Running(self.running.clone())
    }

    pub(crate) fn ended(&self, outcome: &'static str, after: Duration) {
        self.ended.get_or_create(&Ended { outcome }).inc();
        self.seconds.observe(after.as_secs_f64());
    }

    pub(crate) fn copied(&self, report: &blockcopy::CopyReport) {
        self.read.inc_by(report.read_bytes);
        self.written.inc_by(report.written_bytes);
        self.zero.inc_by(report.zero_bytes);
    }
}

/// A job that runs.
pub(crate) struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}
