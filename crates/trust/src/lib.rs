//! Whom Longshore trusts and what it must not say: TLS policies, certificate fingerprints and secrets.
//!
//! Knows rustls and nothing of what is spoken over it. It never falls back to a weaker policy than the one given.

mod client;
mod fingerprint;
mod policy;
mod provider;
mod secret;
mod verifier;

pub use client::TlsClient;
pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use policy::{Error, TlsPolicy};
pub use provider::install_crypto_provider;
pub use secret::Secret;
