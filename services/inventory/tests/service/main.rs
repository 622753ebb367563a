//! The whole service on a real nats-server against the simulated vCenter.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod follow;
mod login;
mod restart;
mod rig;
