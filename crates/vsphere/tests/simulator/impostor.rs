//! Servers that are reached over TLS and don't speak like a supported vCenter.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use trust::{Fingerprint, Secret, TlsPolicy};
use vsphere::{Client, Endpoint, LoginError};

/// Logs in to a server that gives the same HTTP answer to every request, one connection each.
async fn login(status: &str, body: &str) -> LoginError {
    trust::install_crypto_provider();
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), connection.unwrap());
            let mut request = Vec::new();
            let mut part = [0; 4096];
            while !request.ends_with(b"</soapenv:Envelope>") {
                match stream.read(&mut part) {
                    Ok(read) if read > 0 => request.extend_from_slice(&part[..read]),
                    _ => break,
                }
            }
            let _client_may_hang_up = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
        }
    });
    let pinned = TlsPolicy::Fingerprint(Fingerprint::sha256_of(cert.der()));
    let endpoint = Endpoint::new(&url, "user", Secret::new("hunter2".to_owned()), pinned).unwrap();
    Client::login(&endpoint).await.unwrap_err()
}

#[tokio::test]
async fn a_web_server_is_no_vcenter() {
    for (status, body, found) in [
        ("404 Not Found", "not here", "HTTP status 404"),
        ("302 Found\r\nLocation: https://elsewhere.example/", "", "HTTP status 302"),
        ("200 OK", "<html><body>welcome</body></html>", "<html>"),
        ("200 OK", "{\"welcome\": true}", "not an XML document"),
        ("500 Internal Server Error", "oops", "HTTP status 500"),
    ] {
        let error = login(status, body).await;
        assert!(matches!(error, LoginError::NotAVCenter { .. }), "{error:?}");
        assert!(error.to_string().contains(found), "{error}");
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn a_server_that_is_not_ready_is_worth_another_attempt() {
    let error = login("503 Service Unavailable", "no healthy upstream").await;
    assert!(matches!(error, LoginError::Failed { .. }) && error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_release_that_is_too_old_gets_no_password() {
    let body = "<Envelope><Body><RetrieveServiceContentResponse><returnval><rootFolder type='Folder'>f</rootFolder>\
        <propertyCollector type='PropertyCollector'>p</propertyCollector><viewManager type='ViewManager'>v</viewManager>\
        <about><apiVersion>6.0</apiVersion></about><sessionManager type='SessionManager'>s</sessionManager></returnval>\
        </RetrieveServiceContentResponse></Body></Envelope>";
    let error = login("200 OK", body).await;
    assert!(matches!(&error, LoginError::TooOld { version, .. } if version == "6.0"), "{error:?}");
}
