//! A TLS client configuration together with what it saw: which certificate the server showed, and why it was refused.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;

use crate::{Error, Fingerprint, TlsPolicy, provider, verifier};

/// A rustls configuration made from a [`TlsPolicy`]. Clones share what was seen.
#[derive(Clone)]
pub struct TlsClient {
    /// For reqwest (`tls_backend_preconfigured`) or rustls itself. No ALPN protocol is set.
    pub config: ClientConfig,
    seen: Arc<Seen>,
}

/// What the verifier writes down at each handshake, accepted or not.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Option<Handshake>>);

#[derive(Debug, Clone)]
struct Handshake {
    leaf: CertificateDer<'static>,
    refusal: Option<rustls::Error>,
}

impl TlsPolicy {
    /// The client that enforces this policy.
    pub fn client(&self) -> Result<TlsClient, Error> {
        let seen = Arc::new(Seen::default());
        let verifier = verifier::Recording::new(self, seen.clone())?;
        let config = ClientConfig::builder_with_provider(provider::ring())
            .with_safe_default_protocol_versions()
            .map_err(Error::Protocol)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(TlsClient { config, seen })
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").field("presented", &self.presented()).finish_non_exhaustive()
    }
}

impl TlsClient {
    /// SHA-1 of the last certificate that the server showed, accepted or not. `None` before the first handshake.
    pub fn presented(&self) -> Option<Fingerprint> {
        self.seen.last().map(|handshake| Fingerprint::sha1_of(&handshake.leaf))
    }

    /// The last certificate's fingerprint in the algorithm of `expected`, for an error that shows both.
    pub fn presented_like(&self, expected: &Fingerprint) -> Option<Fingerprint> {
        self.seen.last().map(|handshake| expected.same_kind_of(&handshake.leaf))
    }

    /// Why the last certificate was refused; `None` if it was accepted or none was seen. A failure of the handshake
    /// other than the certificate's own is not recorded here.
    pub fn refusal(&self) -> Option<rustls::Error> {
        self.seen.last().and_then(|handshake| handshake.refusal)
    }
}

impl Seen {
    fn last(&self) -> Option<Handshake> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn record(&self, leaf: &CertificateDer<'_>, refusal: Option<rustls::Error>) {
        let handshake = Handshake { leaf: leaf.clone().into_owned(), refusal };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(handshake);
    }
}
