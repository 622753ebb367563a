//! The client against the simulated vCenter, and against servers that are none, over real TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod files;
mod impostor;
mod login;
mod peer;
mod power;
mod properties;
mod watch;
