//! Readiness: named probes that services set, and the sum of them. A probe that was made but never set is not
//! ready, so that a service that hangs at its start is seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// All probes of a process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Health {
    probes: Arc<Mutex<BTreeMap<String, Option<String>>>>,
}

/// One named condition of readiness. Clones set the same one.
#[derive(Clone, Debug)]
pub struct Probe {
    name: String,
    health: Health,
}

/// How a process stands, as `/readyz` writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether every probe is ready.
    pub ready: bool,
    /// Each probe by name.
    pub probes: BTreeMap<String, ProbeState>,
}

/// How one probe stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeState {
    /// Whether it is ready.
    pub ready: bool,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Health {
    /// Adds a probe, not ready until it is set; an old one of that name is replaced.
    pub fn probe(&self, name: impl Into<String>) -> Probe {
        let probe = Probe { name: name.into(), health: self.clone() };
        probe.not_ready("starting");
        probe
    }

    /// The sum of all probes. A process without probes is ready.
    pub fn readiness(&self) -> Readiness {
        let probes: BTreeMap<_, _> = self
            .lock()
            .iter()
            .map(|(name, reason)| (name.clone(), ProbeState { ready: reason.is_none(), reason: reason.clone() }))
            .collect();
        Readiness { ready: probes.values().all(|probe| probe.ready), probes }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Probe {
    /// All is well.
    pub fn ready(&self) {
        self.health.lock().insert(self.name.clone(), None);
    }

    /// Not ready; `reason` is shown to whoever asks, without a token: no credential, no host name.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.health.lock().insert(self.name.clone(), Some(reason.into()));
    }

    /// Takes the probe away, when what it speaks of is gone.
    pub fn remove(&self) {
        self.health.lock().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_probe_that_is_not_ready_makes_the_process_not_ready() {
        let health = Health::default();
        let (inventory, transfer) = (health.probe("inventory"), health.probe("transfer"));
        assert!(!health.readiness().ready);
        inventory.ready();
        assert_eq!(health.readiness().probes["transfer"].reason.as_deref(), Some("starting"));
        transfer.ready();
        assert!(health.readiness().ready);
        inventory.not_ready("the bus is away");
        assert_eq!(health.readiness().probes["inventory"].reason.as_deref(), Some("the bus is away"));
        inventory.remove();
        assert!(health.readiness().ready);
    }
}
