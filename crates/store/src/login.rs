//! From a Provider and its Secret to what a login needs, the same for every service that logs in.

use forklift_api::Provider;
use forklift_api::provider::{ConnectionError, ConnectionTrust, connection};
use trust::{InvalidFingerprint, Secret, TlsPolicy};

use crate::SecretObject;

/// Where and how to log in. Nothing was tried.
#[derive(Clone, Debug)]
pub struct ProviderLogin {
    /// The Provider's URL.
    pub url: String,
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret<String>,
    /// Which server certificate is accepted.
    pub tls: TlsPolicy,
}

/// A Provider or Secret that can't be used; the text says what to do and quotes no value.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLogin {
    /// URL, user, password or a flag.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The thumbprint is none.
    #[error("`thumbprint` in the Provider's Secret can't be used: {0}")]
    Thumbprint(InvalidFingerprint),
}

/// Reads a Provider together with its Secret.
pub fn login(provider: &Provider, secret: &SecretObject) -> Result<ProviderLogin, InvalidLogin> {
    let read = connection(provider, |key| secret.data.get(key).map(|value| value.expose().as_slice()))?;
    let tls = match read.trust {
        ConnectionTrust::System => TlsPolicy::System,
        ConnectionTrust::Ca(pem) => TlsPolicy::Ca(pem),
        ConnectionTrust::Fingerprint(text) => TlsPolicy::Fingerprint(text.parse().map_err(InvalidLogin::Thumbprint)?),
        ConnectionTrust::Insecure => TlsPolicy::Insecure,
    };
    Ok(ProviderLogin { url: read.url, user: read.user, password: Secret::new(read.password), tls })
}
