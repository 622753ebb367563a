//! Logging in, and what a person is told when it fails.

use trust::{Fingerprint, Secret, TlsPolicy};
use vsphere::{Client, Endpoint, Error, LoginError};

use crate::peer::{PASSWORD, Peer, USER};

fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(|source| format!(": {}", chain(source))).unwrap_or_default();
    format!("{error}{source}")
}

#[tokio::test]
async fn a_login_works_by_either_fingerprint_and_by_authority() {
    let peer = Peer::start();
    let sha256 = TlsPolicy::Fingerprint(peer.text("sha256").parse().unwrap());
    let authority = TlsPolicy::Ca(std::fs::read(peer.text("ca")).unwrap());
    for tls in [peer.pinned(), sha256, authority, TlsPolicy::Insecure] {
        let client = peer.login_with(tls).await.unwrap();
        assert!(client.about().is_vcenter());
        assert!(client.current_time().await.unwrap().as_second() > 0);
        assert_eq!(client.fingerprint().unwrap().to_string(), peer.text("fingerprint"));
        client.logout().await.unwrap();
    }
    assert_eq!(peer.logins().await, (4, 0));
    assert_eq!(peer.get("/sessions").await.as_array().map(Vec::len), Some(0), "every session was ended");
}

#[tokio::test]
async fn a_wrong_password_is_tried_exactly_once() {
    let peer = Peer::start();
    let wrong = "hunter2";
    let endpoint = Endpoint::new(peer.text("url"), USER, Secret::new(wrong.to_owned()), peer.pinned()).unwrap();
    let error = Client::login(&endpoint).await.unwrap_err();
    assert!(matches!(&error, LoginError::InvalidCredentials { user, .. } if user == USER), "{error:?}");
    assert!(!error.is_transient());
    assert_eq!(error.reason(), "InvalidCredentials");
    assert!(!format!("{error:?} {}", chain(&error)).contains(wrong));
    assert_eq!(peer.logins().await, (0, 1));
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_is_refused_once_and_never_tried_again() {
    let peer = Peer::start();
    let client = peer.login().await;
    peer.expire_sessions().await;
    peer.fault("Login", "InvalidLogin", 0).await;
    for _ in 0..3 {
        let error = client.current_time().await.unwrap_err();
        let Error::Renewal(source) = &error else { panic!("{error:?}") };
        assert!(matches!(**source, LoginError::InvalidCredentials { .. }), "{source:?}");
    }
    assert_eq!(peer.calls("Login").await, 2, "the first login and one renewal");
}

#[tokio::test]
async fn a_wrong_fingerprint_shows_both_values_and_sends_no_password() {
    let peer = Peer::start();
    let expected = Fingerprint::sha1_of(b"another certificate");
    let error = peer.login_with(TlsPolicy::Fingerprint(expected)).await.unwrap_err();
    assert!(matches!(error, LoginError::Certificate { .. }), "{error:?}");
    assert!(error.to_string().contains(&expected.to_string()), "{error}");
    assert!(error.to_string().contains(peer.text("fingerprint")), "{error}");
    let expected = Fingerprint::sha256_of(b"another certificate");
    let error = peer.login_with(TlsPolicy::Fingerprint(expected)).await.unwrap_err();
    assert!(error.to_string().contains(peer.text("sha256")), "{error}");
    assert_eq!((peer.logins().await, peer.calls("RetrieveServiceContent").await), ((0, 0), 0));
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_with_its_fingerprint_and_what_to_do() {
    let peer = Peer::start();
    let error = peer.login_with(TlsPolicy::System).await.unwrap_err();
    assert!(matches!(error, LoginError::CertificateUnknown { .. }), "{error:?}");
    for part in [peer.text("fingerprint"), "\"thumbprint\"", "\"cacert\""] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
    assert_eq!(peer.logins().await, (0, 0));
}

#[tokio::test]
async fn an_unreachable_server_is_named_with_its_port() {
    trust::install_crypto_provider();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("https://127.0.0.1:{port}/sdk");
    let endpoint = Endpoint::new(&url, USER, Secret::new(PASSWORD.to_owned()), TlsPolicy::System).unwrap();
    let error = Client::login(&endpoint).await.unwrap_err();
    assert!(matches!(error, LoginError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("127.0.0.1 port {port}")), "{error}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_server_that_is_no_vcenter_is_told_apart() {
    // The control port speaks plain HTTP, so TLS itself fails there.
    let peer = Peer::start();
    let url = peer.text("control").replace("http://", "https://");
    let endpoint = Endpoint::new(&url, USER, Secret::new(PASSWORD.to_owned()), TlsPolicy::Insecure).unwrap();
    let error = Client::login(&endpoint).await.unwrap_err();
    assert!(matches!(error, LoginError::Unreachable { .. }), "{error:?}");
    assert!(chain(&error).contains("TLS") || chain(&error).contains("message"), "{}", chain(&error));
}

#[tokio::test]
async fn a_lost_session_is_renewed_by_one_login_for_all_who_wait() {
    let peer = Peer::start();
    let client = peer.login().await;
    peer.expire_sessions().await;
    assert!(!client.is_active().await.unwrap());
    let vms = peer.get("/vms").await;
    let vm = vsphere::MoRef::vm(vms[0]["id"].as_str().unwrap());
    let reads = futures::future::join_all((0..8).map(|_| client.properties(&vm, &["name"]))).await;
    for read in reads {
        assert!(read.unwrap().text("name").is_some());
    }
    assert_eq!(peer.logins().await, (2, 0));
    client.renew().await.unwrap();
    assert_eq!(peer.logins().await, (2, 0), "a living session needs no login");
}

#[tokio::test]
async fn after_a_logout_no_session_is_opened_again() {
    let peer = Peer::start();
    let client = peer.login().await;
    client.logout().await.unwrap();
    client.logout().await.unwrap();
    let error = client.current_time().await.unwrap_err();
    assert!(matches!(&error, Error::Renewal(source) if matches!(**source, LoginError::Ended)), "{error:?}");
    assert_eq!(peer.logins().await, (1, 0));
}
