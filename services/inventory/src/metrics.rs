//! Numbers about the inventory's work. Labels are bounded: kinds and outcomes, never an object.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// How something ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    outcome: &'static str,
}

/// The metrics of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// Logins at providers.
    logins: Family<Outcome, Counter>,
    /// Full listings that were completed.
    pub listings: Counter,
    /// Object updates that providers reported.
    pub updates: Counter,
    /// Objects or properties that could not be understood.
    pub misfits: Counter,
    /// Revisions that were raised.
    pub revisions: Counter,
    /// Messages to the bus.
    messages: Family<Outcome, Counter>,
    /// Objects that the bus doesn't know yet.
    pub backlog: Gauge,
}

impl Metrics {
    /// New metrics, registered.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("inventory_logins", "Logins at providers", metrics.logins.clone());
        registry.register("inventory_listings", "Full listings completed", metrics.listings.clone());
        registry.register("inventory_updates", "Object updates reported by providers", metrics.updates.clone());
        registry.register("inventory_misfits", "Objects or properties not understood", metrics.misfits.clone());
        registry.register("inventory_revisions", "Revisions raised", metrics.revisions.clone());
        registry.register("inventory_messages", "Messages to the bus", metrics.messages.clone());
        registry.register("inventory_backlog", "Objects that the bus does not know yet", metrics.backlog.clone());
        metrics
    }

    /// A login ended: `accepted`, `refused` or `failed`.
    pub fn login(&self, outcome: &'static str) {
        self.logins.get_or_create(&Outcome { outcome }).inc();
    }

    /// A message was `stored`, a `duplicate`, `failed` or `blocked`.
    pub fn message(&self, outcome: &'static str) {
        self.messages.get_or_create(&Outcome { outcome }).inc();
    }
}
