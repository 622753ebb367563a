//! What the bus counts. The numbers exist from the start and are shown once a process registers them.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Counters of one connection; clones share the numbers.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Messages of a type the reader doesn't know, acknowledged and passed over.
    pub unknown: Counter,
    /// Messages of a known type whose body can't be read.
    pub undecodable: Counter,
    /// Messages written to DEADLETTERS.
    pub dead_letters: Counter,
    /// Publishes the server refused because another message waits on the subject.
    pub refused: Counter,
    /// Publishes the server dropped as duplicates.
    pub duplicates: Counter,
    /// How often a consumer or follower had to open its subscription again.
    pub reopened: Counter,
}

impl Counters {
    /// Puts all counters into a registry under `longshore_bus_…`.
    pub fn register(&self, registry: &mut Registry) {
        let bus = registry.sub_registry_with_prefix("longshore_bus");
        bus.register("unknown_messages", "Messages of an unknown type, passed over", self.unknown.clone());
        bus.register("undecodable_messages", "Messages whose body can't be read", self.undecodable.clone());
        bus.register("dead_letters", "Messages written to DEADLETTERS", self.dead_letters.clone());
        bus.register("refused_publishes", "Publishes refused by a stream's policy", self.refused.clone());
        bus.register("duplicate_publishes", "Publishes dropped as duplicates", self.duplicates.clone());
        bus.register("reopened_subscriptions", "Subscriptions opened again after a failure", self.reopened.clone());
    }
}
