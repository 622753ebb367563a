//! What a service is given of the process it runs in, whether alone or with the other three.

use crate::{Health, Metrics, Shutdown, Tasks};

/// The shared parts of one process. Clones share all of them.
#[derive(Clone, Debug)]
pub struct Process {
    /// The orderly stop.
    pub shutdown: Shutdown,
    /// The supervisor through which every task is started.
    pub tasks: Tasks,
    /// What `/readyz` answers.
    pub health: Health,
    /// What `/metrics` answers.
    pub metrics: Metrics,
}

impl Process {
    /// A process without tasks, probes and metrics that stops by `shutdown`.
    pub fn new(shutdown: Shutdown) -> Self {
        Self { tasks: Tasks::new(shutdown.clone()), shutdown, health: Health::default(), metrics: Metrics::default() }
    }
}
