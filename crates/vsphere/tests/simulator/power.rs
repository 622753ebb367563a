//! Power requests.

use std::time::Duration;

use serde_json::json;
use vsphere::{Client, Error, Fault, MoRef, PowerEffect, PowerState};

use crate::peer::Peer;

async fn vm(peer: &Peer, name: &str) -> MoRef {
    let found = peer.get(&format!("/vms/{name}")).await;
    MoRef::vm(found["id"].as_str().unwrap())
}

async fn wait_for(client: &Client, vm: &MoRef, state: PowerState) {
    for _ in 0..100 {
        if client.power_state(vm).await.unwrap() == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{vm} is not {state} after 10 s");
}

#[tokio::test]
async fn a_guest_is_shut_down_and_switched_on_again_each_twice() {
    let peer = Peer::start();
    let client = peer.login().await;
    let vm = vm(&peer, "demo-vm").await;
    assert_eq!(client.power_state(&vm).await.unwrap(), PowerState::On);
    assert_eq!(client.shutdown_guest(&vm).await.unwrap(), PowerEffect::Applied);
    assert_eq!(client.power_state(&vm).await.unwrap(), PowerState::On, "the guest takes its time");
    wait_for(&client, &vm, PowerState::Off).await;
    assert_eq!(client.shutdown_guest(&vm).await.unwrap(), PowerEffect::Already);
    assert_eq!(client.power_on(&vm).await.unwrap(), PowerEffect::Applied);
    assert_eq!(client.power_state(&vm).await.unwrap(), PowerState::On);
    assert_eq!(client.power_on(&vm).await.unwrap(), PowerEffect::Already);
    assert_eq!(client.power_off(&vm).await.unwrap(), PowerEffect::Applied);
    assert_eq!(client.power_off(&vm).await.unwrap(), PowerEffect::Already);
    assert_eq!(client.power_state(&vm).await.unwrap(), PowerState::Off);
}

#[tokio::test]
async fn a_guest_without_tools_is_a_typed_fault_and_stays_on() {
    let peer = Peer::start();
    let client = peer.login().await;
    let vm = vm(&peer, "appliance").await;
    let error = client.shutdown_guest(&vm).await.unwrap_err();
    assert_eq!(error.fault(), Some(&Fault::ToolsUnavailable), "{error:?}");
    assert_eq!(client.power_state(&vm).await.unwrap(), PowerState::On);
}

#[tokio::test]
async fn a_task_that_fails_names_task_object_and_cause() {
    let peer = Peer::start();
    let client = peer.login().await;
    let vm = vm(&peer, "demo-vm").await;
    peer.patch_vm("demo-vm", json!({"power": "off"})).await;
    let fault = json!({"method": "PowerOnVM_Task", "fault": "InsufficientResourcesFault", "message": "no room", "inTask": true, "count": 1});
    peer.control("POST", "/faults", fault).await;
    let error = client.power_on(&vm).await.unwrap_err();
    let Error::Task { fault: Fault::Other { kind, .. }, object, .. } = &error else { panic!("{error:?}") };
    assert_eq!((kind.as_str(), &**object), ("InsufficientResourcesFault", &vm));
    assert_eq!(client.power_on(&vm).await.unwrap(), PowerEffect::Applied, "the next attempt works");
}

#[tokio::test]
async fn a_vm_that_is_gone_is_not_found() {
    let peer = Peer::start();
    let client = peer.login().await;
    for error in [
        client.power_state(&MoRef::vm("vm-99999")).await.unwrap_err(),
        client.power_on(&MoRef::vm("vm-99999")).await.unwrap_err(),
        client.shutdown_guest(&MoRef::vm("vm-99999")).await.unwrap_err(),
    ] {
        assert!(error.is_not_found(), "{error:?}");
    }
}

#[tokio::test]
async fn a_session_lost_between_two_requests_is_renewed() {
    let peer = Peer::start();
    let client = peer.login().await;
    let vm = vm(&peer, "demo-vm").await;
    peer.expire_sessions().await;
    assert_eq!(client.power_off(&vm).await.unwrap(), PowerEffect::Applied);
    assert_eq!((peer.logins().await, peer.calls("PowerOffVM_Task").await), ((2, 0), 2));
}
