//! Whether the inventory is ready: its database is open and no provider that answers is still in its first listing.
//! A provider that refuses or can't be reached doesn't hold the process up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use contract::id::ProviderUid;
use runtime::Probe;

/// The readiness of the inventory. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Readiness {
    probe: Probe,
    loading: Arc<Mutex<BTreeSet<ProviderUid>>>,
}

impl Readiness {
    /// Ready while nothing is loading.
    pub fn new(probe: Probe) -> Self {
        probe.ready();
        Self { probe, loading: Arc::default() }
    }

    /// Notes whether a provider is in its first listing.
    pub fn loading(&self, provider: &ProviderUid, is_loading: bool) {
        let mut loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if is_loading {
            loading.insert(provider.clone());
        } else {
            loading.remove(provider);
        }
        if loading.is_empty() {
            self.probe.ready();
        } else {
            let list: Vec<_> = loading.iter().map(ProviderUid::as_str).collect();
            self.probe.not_ready(format!("first full listing of provider {} is under way", list.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use runtime::Health;

    use super::*;

    #[test]
    fn every_first_listing_has_to_end() {
        let health = Health::default();
        let readiness = Readiness::new(health.probe("inventory"));
        assert!(health.readiness().ready);
        readiness.loading(&"a".into(), true);
        readiness.loading(&"b".into(), true);
        readiness.loading(&"a".into(), false);
        let shown = health.readiness();
        assert!(!shown.ready && shown.probes["inventory"].reason.as_ref().unwrap().contains("provider b"));
        readiness.loading(&"b".into(), false);
        assert!(health.readiness().ready);
    }
}
