//! Which server certificates a connection accepts: the user's choice as data.

use std::fmt;

use crate::Fingerprint;

/// Which server certificates are accepted. There is no fallback from one to another.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum TlsPolicy {
    /// Chain and name are checked against this machine's own certificate authorities.
    #[default]
    System,
    /// Chain and name are checked against these certificates (PEM) and no others. The server's own self-signed
    /// certificate may be among them.
    Ca(Vec<u8>),
    /// Exactly the certificate with this fingerprint; its chain, name and dates are not looked at.
    Fingerprint(Fingerprint),
    /// Any certificate: by the user's explicit choice only.
    Insecure,
}

/// A policy that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The given authorities hold no certificate.
    #[error("the CA bundle holds no certificate: give PEM text with at least one -----BEGIN CERTIFICATE----- block")]
    NoCertificate,
    /// A block of the given authorities can't be read.
    #[error("certificate {number} of the CA bundle can't be read: check that its PEM block is complete")]
    Pem {
        /// Which block, counted from 1.
        number: usize,
        /// What the PEM reader found.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// A block is PEM but not an X.509 certificate that can be an authority.
    #[error("certificate {number} of the CA bundle is not a usable X.509 certificate: replace or remove it")]
    Certificate {
        /// Which block, counted from 1.
        number: usize,
        /// What rustls found.
        #[source]
        source: rustls::Error,
    },
    /// The authorities were refused as a whole.
    #[error("the certificate authorities can't be used")]
    Authorities(#[source] rustls::client::VerifierBuilderError),
    /// This build of rustls offers no common protocol version.
    #[error("TLS can't be configured")]
    Protocol(#[source] rustls::Error),
}

impl fmt::Debug for TlsPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::Ca(pem) => write!(f, "Ca({} bytes of PEM)", pem.len()),
            Self::Fingerprint(fingerprint) => write!(f, "Fingerprint({fingerprint})"),
            Self::Insecure => f.write_str("Insecure"),
        }
    }
}
