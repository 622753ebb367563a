//! Checks a server's certificate by the policy and writes down what it showed.
//!
//! Whatever the policy says of the certificate, the handshake's signature is always verified: the server must hold
//! the key of the certificate it shows.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::client::Seen;
use crate::{Error, Fingerprint, TlsPolicy, provider};

/// A verifier whose verdicts can be asked for afterwards.
#[derive(Debug)]
pub(crate) struct Recording {
    accept: Accept,
    provider: Arc<CryptoProvider>,
    seen: Arc<Seen>,
}

#[derive(Debug)]
enum Accept {
    /// `chain` is absent where this machine has no authority at all: then every certificate has an unknown issuer.
    Authorities {
        chain: Option<Arc<WebPkiServerVerifier>>,
        given: Vec<CertificateDer<'static>>,
    },
    Exactly(Fingerprint),
    Anything,
}

impl Recording {
    pub(crate) fn new(policy: &TlsPolicy, seen: Arc<Seen>) -> Result<Self, Error> {
        let accept = match policy {
            TlsPolicy::System => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                Accept::Authorities { chain: chain(roots)?, given: Vec::new() }
            }
            TlsPolicy::Ca(pem) => {
                let given = certificates(pem)?;
                Accept::Authorities { chain: chain(roots(&given)?)?, given }
            }
            TlsPolicy::Fingerprint(fingerprint) => Accept::Exactly(*fingerprint),
            TlsPolicy::Insecure => Accept::Anything,
        };
        Ok(Self { accept, provider: provider::ring(), seen })
    }

    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        match &self.accept {
            Accept::Anything => Ok(()),
            Accept::Exactly(expected) if expected.matches(leaf) => Ok(()),
            Accept::Exactly(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            // A self-signed server certificate that is marked as an authority (as ESXi and simulators make them) is
            // refused as a leaf by webpki; given by the user as trusted, only its name is left to check.
            Accept::Authorities { given, .. } if given.iter().any(|trusted| trusted == leaf) => {
                rustls::client::verify_server_name(&ParsedCertificate::try_from(leaf)?, name)
            }
            Accept::Authorities { chain: Some(chain), .. } => {
                chain.verify_server_cert(leaf, intermediates, name, ocsp, now).map(|_| ())
            }
            Accept::Authorities { chain: None, .. } => Err(CertificateError::UnknownIssuer.into()),
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, Error> = CertificateDer::pem_slice_iter(pem)
        .enumerate()
        .map(|(index, block)| block.map_err(|source| Error::Pem { number: index + 1, source }))
        .collect();
    read.and_then(|found| if found.is_empty() { Err(Error::NoCertificate) } else { Ok(found) })
}

fn roots(given: &[CertificateDer<'static>]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in given.iter().enumerate() {
        roots.add(certificate.clone()).map_err(|source| Error::Certificate { number: index + 1, source })?;
    }
    Ok(roots)
}

fn chain(roots: RootCertStore) -> Result<Option<Arc<WebPkiServerVerifier>>, Error> {
    if roots.is_empty() {
        return Ok(None);
    }
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider::ring());
    builder.build().map(Some).map_err(Error::Authorities)
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.judge(end_entity, intermediates, server_name, ocsp_response, now);
        self.seen.record(end_entity, verdict.as_ref().err().cloned());
        verdict.map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
