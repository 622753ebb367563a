//! The inventory service: it follows each provider, keeps what it finds with a revision an object, tells the bus
//! what changed, and serves it over HTTP. It never writes to a provider.

mod collector;
mod concerns;
pub mod database;
mod http;
pub mod kind;
mod map;
mod message;
mod metrics;
mod options;
mod readiness;
mod sender;
mod service;
mod supervisor;
mod target;
mod tree;

pub use options::Options;
pub use service::{Error, Inventory};
