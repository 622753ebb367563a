//! Logins: once per version of the credentials, never past a wrong certificate, again after a lost session.

use contract::inventory::Collection;
use reqwest::Method;
use serde_json::json;

use crate::rig::{A_WHILE, PASSWORD, Rig, Vcenter};

fn refused(collection: &Collection) -> bool {
    matches!(collection, Collection::CredentialsRefused { .. })
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_a_corrected_one_at_once() {
    let (rig, vcenter) = (Rig::start().await, Vcenter::start().await);
    rig.secret(&vcenter, "wrong horse", &vcenter.fingerprint).await;
    let provider = rig.provider("vsphere", &vcenter.url).await;
    let running = rig.inventory().await;
    let state = rig.until(&provider, |state| refused(&state.collection)).await;
    assert!(!format!("{state:?}").contains("horse"), "{state:?}");
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(vcenter.logins().await, (0, 1));
    assert!(running.process.health.readiness().ready, "a refused provider must not hold up the process");

    running.stop().await;
    let running = rig.inventory().await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(vcenter.logins().await, (0, 1), "a restart is no reason to try again");

    rig.secret(&vcenter, PASSWORD, &vcenter.fingerprint).await;
    rig.synced(&provider).await;
    assert_eq!(vcenter.logins().await, (1, 1));
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_fingerprint_is_told_with_both_values_and_no_password_is_sent() {
    let (rig, vcenter) = (Rig::start().await, Vcenter::start().await);
    let wrong = ["AB"; 20].join(":");
    rig.secret(&vcenter, PASSWORD, &wrong).await;
    let provider = rig.provider("vsphere", &vcenter.url).await;
    let running = rig.inventory().await;
    let is_refused = |collection: &Collection| matches!(collection, Collection::CertificateRefused { .. });
    let state = rig.until(&provider, |state| is_refused(&state.collection)).await;
    let Collection::CertificateRefused { message } = &state.collection else { unreachable!() };
    assert!(message.contains(&wrong) && message.contains(&vcenter.fingerprint), "{message}");
    assert_eq!(state.fingerprint.as_deref(), Some(vcenter.fingerprint.as_str()));
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(vcenter.logins().await, (0, 0));
    rig.secret(&vcenter, PASSWORD, &vcenter.fingerprint).await;
    rig.synced(&provider).await;
    running.stop().await;
}

#[tokio::test]
async fn a_lost_session_is_followed_by_one_login_and_a_listing_that_sweeps() {
    let (rig, vcenter) = (Rig::start().await, Vcenter::start().await);
    let provider = rig.good_provider(&vcenter).await;
    let running = rig.inventory().await;
    rig.synced(&provider).await;
    let delay = json!({"method": "Login", "delay": "1s"});
    vcenter.control(Method::POST, "/faults", Some(delay)).await;
    vcenter.control(Method::DELETE, "/sessions", None).await;
    vcenter.delete("db").await;
    vcenter.patch("web", json!({"memoryMiB": 4096})).await;
    running.until(&provider, "db", |vm| vm.is_none()).await;
    running.until(&provider, "web", |vm| vm.is_some_and(|vm| vm["memoryMB"] == 4096)).await;
    rig.until(&provider, |state| state.collection == Collection::Synced && state.vm_count == 3).await;
    assert_eq!(vcenter.logins().await, (2, 0));
    running.stop().await;
}

#[tokio::test]
async fn an_unreachable_provider_is_found_again() {
    let (rig, mut vcenter) = (Rig::start().await, Vcenter::start().await);
    let provider = rig.good_provider(&vcenter).await;
    let running = rig.inventory().await;
    rig.synced(&provider).await;
    let vms = running.list(&provider, "vms").await.len();
    vcenter.end();
    rig.until(&provider, |state| matches!(state.collection, Collection::Unreachable { .. })).await;
    assert_eq!(running.list(&provider, "vms").await.len(), vms, "what is known is still served");
    vcenter.revive().await;
    rig.synced(&provider).await;
    running.stop().await;
}

#[tokio::test]
async fn settings_that_can_not_be_used_are_told() {
    let rig = Rig::start().await;
    let provider = rig.provider("ovirt", "https://engine.example/ovirt-engine/api").await;
    let running = rig.inventory().await;
    let state = rig.until(&provider, |state| matches!(state.collection, Collection::SettingsRefused { .. })).await;
    assert!(format!("{state:?}").contains("not supported"), "{state:?}");
    running.stop().await;
}
