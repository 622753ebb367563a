//! Whom Longshore trusts and what it must not say: TLS policies and secrets.

mod secret;

pub use secret::Secret;
