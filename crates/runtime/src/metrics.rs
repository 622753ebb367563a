//! The metrics of a process in Prometheus' text form. Names carry base units; labels are bounded, never a VM id.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// The registry of a process. Clones share it.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("longshore");
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of the running binary", build);
        Self { registry: Arc::new(Mutex::new(registry)) }
    }
}

impl Metrics {
    /// Registers metrics; every name gets the prefix `longshore_`. Register each name once a process.
    pub fn registry<R>(&self, register: impl FnOnce(&mut Registry) -> R) -> R {
        register(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All metrics in the text exposition form (OpenMetrics 1.0).
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        self.registry(|registry| encode(&mut text, registry))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[test]
    fn a_registered_counter_is_written_with_our_prefix() {
        let metrics = Metrics::default();
        let read: Counter = Counter::default();
        metrics.registry(|registry| registry.register("read_bytes", "Bytes read", read.clone()));
        read.inc_by(7);
        let text = metrics.encode().unwrap();
        assert!(text.contains("longshore_read_bytes_total 7\n"), "{text}");
        assert!(text.contains("longshore_build_info{version="), "{text}");
    }
}
