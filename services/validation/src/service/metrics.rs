//! What validation counts.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Counters of one process; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// VMs judged.
    pub assessments: Counter,
    /// Rules that gave no verdict on a VM.
    pub rule_failures: Counter,
    /// VMs whose assessment did not come to stand and is tried again, or given up.
    pub retries: Counter,
    /// Time that all rules took for one VM, without waiting for a thread.
    pub seconds: Histogram,
}

impl Metrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            assessments: Counter::default(),
            rule_failures: Counter::default(),
            retries: Counter::default(),
            seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 14)),
        };
        let registry = registry.sub_registry_with_prefix("validation");
        registry.register("assessments", "VMs judged by the rules", metrics.assessments.clone());
        registry.register("rule_failures", "Rules that gave no verdict on a VM", metrics.rule_failures.clone());
        registry.register("retries", "Assessments that failed and are tried again", metrics.retries.clone());
        registry.register_with_unit(
            "assessment",
            "Time that all rules took for one VM",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        metrics
    }
}
