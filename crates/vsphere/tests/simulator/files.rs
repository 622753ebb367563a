//! Files on datastores.

use serde_json::json;
use vsphere::{DatastoreFile, DatastorePath, Error, FileError, LoginError, descriptor};

use crate::peer::Peer;

const DATACENTER: &str = "Europe/DC 1";

/// The descriptor of a VM's n-th disk.
async fn disk(peer: &Peer, vm: &str, index: usize) -> (DatastorePath, serde_json::Value) {
    let found = peer.get(&format!("/vms/{vm}")).await["disks"][index].clone();
    (found["file"].as_str().unwrap().parse().unwrap(), found)
}

/// A ranged read as a block reader makes it: its own HTTP client, our URL, trust and headers.
async fn range(file: &DatastoreFile, headers: reqwest::header::HeaderMap, range: &str) -> reqwest::Response {
    let http =
        reqwest::Client::builder().tls_backend_preconfigured(file.tls().config.clone()).no_proxy().build().unwrap();
    http.get(file.url().clone()).headers(headers).header("Range", range).send().await.unwrap()
}

#[tokio::test]
async fn a_descriptor_leads_to_the_bytes_of_its_disk() {
    let peer = Peer::start();
    let client = peer.login().await;
    peer.patch_vm("demo-vm", json!({"power": "off"})).await;
    for index in [0, 1] {
        let (path, disk) = disk(&peer, "demo-vm", index).await;
        let text = client.datastore_file(DATACENTER, &path).read(descriptor::MAX_SIZE).await.unwrap();
        let parsed = descriptor::parse(&text).unwrap();
        assert_eq!(Some(parsed.capacity()), disk["capacity"].as_u64());
        let flat = path.sibling(parsed.plain_flat().unwrap()).unwrap();
        assert_eq!(flat, path.flat().unwrap());
        let file = client.datastore_file(DATACENTER, &flat);
        assert_eq!(file.length().await.unwrap(), parsed.capacity());
        let answer = range(&file, file.headers(), "bytes=512-1535").await;
        assert_eq!(answer.status(), 206);
        let content = std::fs::read(disk["path"].as_str().unwrap()).unwrap();
        assert_eq!(answer.bytes().await.unwrap(), content[512..1536]);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_told_with_its_cause() {
    let peer = Peer::start();
    let client = peer.login().await;
    let (path, _) = disk(&peer, "demo-vm", 0).await;
    let locked = client.datastore_file(DATACENTER, &path.flat().unwrap()).read(1 << 20).await.unwrap_err();
    assert!(matches!(&locked, FileError::Refused { status: 500, .. }), "{locked:?}");
    assert!(locked.to_string().contains("demo-vm") && locked.to_string().contains("locks"), "{locked}");
    let absent =
        client.datastore_file(DATACENTER, &"[vmfs-1] no/such.vmdk".parse().unwrap()).length().await.unwrap_err();
    assert!(matches!(absent, FileError::NotFound { .. }), "{absent:?}");
    let elsewhere = client.datastore_file("Europe/DC 2", &path).length().await.unwrap_err();
    assert!(matches!(elsewhere, FileError::NotFound { .. }), "{elsewhere:?}");
    let large = client.datastore_file(DATACENTER, &path).read(10).await.unwrap_err();
    assert!(matches!(large, FileError::TooLarge { limit: 10, .. }), "{large:?}");
}

#[tokio::test]
async fn an_expired_session_is_renewed_once_for_all_readers() {
    let peer = Peer::start();
    let client = peer.login().await;
    let (path, _) = disk(&peer, "demo-vm", 0).await;
    let file = client.datastore_file(DATACENTER, &path);
    let old = file.headers();
    peer.expire_sessions().await;
    assert_eq!(range(&file, old.clone(), "bytes=0-9").await.status(), 401);
    for renewed in futures::future::join_all((0..6).map(|_| file.renew(&old))).await {
        assert_eq!(range(&file, renewed.unwrap(), "bytes=0-9").await.status(), 206);
    }
    assert_eq!(peer.logins().await, (2, 0));
    peer.expire_sessions().await;
    assert!(file.length().await.unwrap() > 0, "small reads renew by themselves");
    assert_eq!(peer.logins().await, (3, 0));
}

#[tokio::test]
async fn a_logout_ends_the_reading_for_good() {
    let peer = Peer::start();
    let client = peer.login().await;
    let (path, _) = disk(&peer, "demo-vm", 0).await;
    let file = client.datastore_file(DATACENTER, &path);
    let headers = file.headers();
    assert!(
        !format!("{headers:?} {file:?}").contains(headers["cookie"].to_str().unwrap()),
        "no cookie is ever printed"
    );
    client.logout().await.unwrap();
    assert_eq!(range(&file, headers.clone(), "bytes=0-9").await.status(), 401);
    let ended = file.renew(&headers).await.unwrap_err();
    assert!(matches!(&ended, Error::Renewal(source) if matches!(**source, LoginError::Ended)), "{ended:?}");
}
