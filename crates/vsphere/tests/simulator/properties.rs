//! Reading properties once.

use vsphere::{Fault, MoRef};

use crate::peer::Peer;

#[tokio::test]
async fn all_pages_of_an_answer_are_read() {
    let peer = Peer::start();
    let client = peer.login().await;
    let vms = peer.get("/vms").await;
    let vms: Vec<MoRef> = vms.as_array().unwrap().iter().map(|vm| MoRef::vm(vm["id"].as_str().unwrap())).collect();
    assert!(vms.len() > 6);
    let objects = client.properties_paged(&vms, &["name", "config.hardware"], 3).await.unwrap();
    assert_eq!(objects.len(), vms.len());
    assert!(peer.calls("ContinueRetrievePropertiesEx").await >= 2);
    assert!(objects.iter().all(|vm| vm.text("name").is_some() && !vm.list("config.hardware.device").is_empty()));
    assert!(client.properties_of(&[], &["name"]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_does_not_exist_is_a_typed_fault() {
    let peer = Peer::start();
    let client = peer.login().await;
    let gone = client.properties(&MoRef::vm("vm-99999"), &["name"]).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone:?}");
    let vms = peer.get("/vms").await;
    let vm = MoRef::vm(vms[0]["id"].as_str().unwrap());
    let object = client.properties(&vm, &["name", "config.nonsense"]).await.unwrap();
    assert!(object.text("name").is_some());
    let withheld = object.missing.iter().map(|missing| (missing.path.as_str(), &missing.fault)).collect::<Vec<_>>();
    let nonsense = Fault::InvalidProperty { name: "config.nonsense".to_owned() };
    assert_eq!(withheld, [("config.nonsense", &nonsense)]);
}
