//! The transfer service: takes copy jobs from the bus, reads the disks of a powered-off VM, writes them to their
//! targets, proves them and reports one outcome per attempt. It alone touches disk bytes. It never changes
//! anything at a source and never decides what happens next: that is the controller's.

mod announce;
mod api;
mod board;
mod failure;
mod flat;
mod job;
mod lease;
mod metrics;
mod options;
mod progress;
mod queue;
mod route;
mod service;
mod source;
mod state;
mod workers;

pub use failure::{Failure, Reason};
pub use options::Options;
pub use route::{Refusal, Route, check};
pub use service::{Error, Transfer};
pub use state::{Backing, DatastoreState, DiskState, Power, VmState};
