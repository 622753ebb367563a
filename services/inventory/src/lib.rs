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

/// An error with all its causes in one line, for logs and for people.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
