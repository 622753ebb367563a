//! Validation judges VMs: it reads each VM's workload from the bus, evaluates a bundle of Rhai rules in a sandbox
//! and publishes the concerns. It keeps nothing of its own and never talks to a provider or a cluster.

mod assess;
pub mod bundle;
mod engine;
mod label;
mod service;
mod verdict;

pub use assess::{RULE_FAILED, assess};
pub use bundle::{Bundle, BundleError, Problem, Provider};
pub use service::{Error, Options, Validation};
