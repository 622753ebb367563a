//! The bus against a real nats-server: every test starts its own, on a free port, with a store of its own.

// A helper of tests is no product code either, though clippy's exception covers only `#[test]` functions.
#![allow(clippy::unwrap_used, clippy::panic)]

mod child;
mod connect;
mod consume;
mod deadletter;
mod follow;
mod lease;
mod publish;
mod rig;
