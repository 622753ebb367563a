//! What every process of Longshore shares: configuration, telemetry, health, metrics, orderly stop, supervised
//! tasks, CPU threads, the data directory and the HTTP listener. It knows nothing of migrations.

mod chain;
pub mod config;
pub mod cpu;
pub mod data;
pub mod health;
pub mod http;
pub mod metrics;
mod process;
mod shutdown;
mod tasks;
pub mod telemetry;

pub use chain::chain;
pub use health::{Health, Probe};
pub use metrics::Metrics;
pub use process::Process;
pub use shutdown::{Shutdown, SignalError};
pub use tasks::{Kind, TaskError, Tasks};
