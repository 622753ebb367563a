//! Each policy against a real TLS server on the loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConnection, ServerConfig, ServerConnection, StreamOwned};
use trust::{Fingerprint, TlsClient, TlsPolicy, install_crypto_provider};

struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: PrivateKeyDer<'static>,
}

fn identity(certificate: &rcgen::Certificate, key: &KeyPair) -> Identity {
    Identity {
        certificate: certificate.der().clone(),
        pem: certificate.pem(),
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    }
}

/// As vCenter simulators and ESXi hosts make them: one certificate, marked as authority.
fn self_signed(name: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    identity(&params.self_signed(&key).unwrap(), &key)
}

/// A server certificate and the PEM of the authority that issued it.
fn issued(name: &str) -> (Identity, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (identity(&params.signed_by(&key, &authority).unwrap(), &key), authority.pem())
}

/// Shows a chain without checking, as rustls otherwise does, that it fits the key.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// One handshake of a policy's client with a server that shows `shown` and signs with the key of `signer`.
fn shake(
    policy: &TlsPolicy,
    name: &str,
    shown: &Identity,
    signer: &Identity,
) -> (Result<(), rustls::Error>, TlsClient) {
    install_crypto_provider();
    let client = policy.client().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let key = rustls::crypto::ring::sign::any_supported_type(&signer.key).unwrap();
    let chain = CertifiedKey::new(vec![shown.certificate.clone()], key);
    let config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::new(Shows(Arc::new(chain))));
    let server = thread::spawn(move || {
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, listener.accept().unwrap().0);
        let _client_may_hang_up = stream.write_all(b"hello").and_then(|()| stream.flush());
    });
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(client.config.clone()), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    let mut greeting = [0; 5];
    let outcome = stream.read_exact(&mut greeting).map_err(|error| {
        error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            .unwrap_or_else(|| panic!("{error}"))
            .clone()
    });
    drop(stream);
    server.join().unwrap();
    (outcome, client)
}

fn accepted(policy: &TlsPolicy, name: &str, server: &Identity) -> bool {
    let (outcome, client) = shake(policy, name, server, server);
    assert_eq!(client.presented(), Some(Fingerprint::sha1_of(&server.certificate)), "what was shown is recorded");
    let verdict = |error: Option<rustls::Error>| error.map(|error| error.to_string());
    assert_eq!(verdict(client.refusal()), verdict(outcome.clone().err()), "and so is the verdict");
    outcome.is_ok()
}

#[test]
fn a_pinned_fingerprint_accepts_exactly_its_certificate_in_either_algorithm() {
    let (server, other) = (self_signed("vc.example"), self_signed("vc.example"));
    for of in [Fingerprint::sha1_of, Fingerprint::sha256_of] {
        let policy = TlsPolicy::Fingerprint(of(&server.certificate));
        assert!(accepted(&policy, "whatever.example", &server));
        assert!(!accepted(&policy, "vc.example", &other));
    }
}

#[test]
fn a_mismatch_can_be_shown_in_the_pinned_algorithm() {
    let (server, other) = (self_signed("vc.example"), self_signed("vc.example"));
    let pinned = Fingerprint::sha256_of(&other.certificate);
    let (outcome, client) = shake(&TlsPolicy::Fingerprint(pinned), "vc.example", &server, &server);
    assert!(outcome.is_err());
    assert_eq!(client.presented_like(&pinned), Some(Fingerprint::sha256_of(&server.certificate)));
}

#[test]
fn a_server_must_hold_the_key_of_the_certificate_it_shows() {
    let (server, thief) = (self_signed("vc.example"), self_signed("vc.example"));
    let pinned = TlsPolicy::Fingerprint(Fingerprint::sha1_of(&server.certificate));
    for policy in [pinned, TlsPolicy::Insecure, TlsPolicy::Ca(server.pem.clone().into_bytes())] {
        let (outcome, _) = shake(&policy, "vc.example", &server, &thief);
        assert!(
            matches!(outcome, Err(rustls::Error::InvalidCertificate(rustls::CertificateError::BadSignature))),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_given_authority_vouches_for_chain_and_name() {
    let (server, authority) = issued("vc.example");
    let policy = TlsPolicy::Ca(authority.into_bytes());
    assert!(accepted(&policy, "vc.example", &server));
    assert!(!accepted(&policy, "other.example", &server), "another name");
    assert!(!accepted(&policy, "vc.example", &issued("vc.example").0), "another authority");
}

#[test]
fn a_servers_own_certificate_given_as_authority_is_accepted_for_its_name() {
    let server = self_signed("vc.example");
    let policy = TlsPolicy::Ca(server.pem.clone().into_bytes());
    assert!(accepted(&policy, "vc.example", &server));
    assert!(!accepted(&policy, "other.example", &server));
}

#[test]
fn the_machines_authorities_refuse_an_unknown_certificate_and_insecure_takes_it() {
    let server = self_signed("vc.example");
    assert!(!accepted(&TlsPolicy::System, "vc.example", &server));
    assert!(accepted(&TlsPolicy::Insecure, "other.example", &server));
}

#[test]
fn unusable_authorities_are_named() {
    let problem = |pem: &str| TlsPolicy::Ca(pem.as_bytes().to_vec()).client().unwrap_err().to_string();
    assert!(problem("").contains("holds no certificate"));
    assert!(problem("hello").contains("holds no certificate"));
    let good = self_signed("vc.example").pem;
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(problem(&format!("{good}{junk}")).contains("certificate 2"), "{}", problem(&format!("{good}{junk}")));
    assert!(
        problem(&format!("{good}-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"))
            .contains("certificate 2")
    );
    let key = KeyPair::generate().unwrap().serialize_pem();
    assert!(problem(&key).contains("holds no certificate"));
}
