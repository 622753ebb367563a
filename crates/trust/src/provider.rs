//! The one cryptography provider of the process: ring.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// Makes ring the process-wide default of rustls. May be called any number of times and from any thread; the first
/// provider installed stays. Call it first thing in `main` and in each test that builds a TLS client.
pub fn install_crypto_provider() {
    // An error means that a provider is already installed, which is what was asked for.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}

/// The provider that our own configurations name, so that they don't depend on who was installed first.
pub(crate) fn ring() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
