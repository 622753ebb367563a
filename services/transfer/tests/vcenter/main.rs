//! The whole service against the simulated vCenter: real SOAP, real TLS, real files, a real nats-server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod rig;

use std::time::Duration;

use blockcopy::Manifest;
use contract::transfer::Outcome;
use rig::{Rig, eventually};
use serde_json::json;

fn failed(outcome: Outcome) -> (String, String) {
    match outcome {
        Outcome::Failed { reason, message } => (reason, message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disks_on_vmfs_and_nfs_in_a_nested_datacenter_are_copied_byte_by_byte_and_nothing_else_is_touched() {
    let rig = Rig::start().await;
    let job = rig.job("web", 1).await;
    let Outcome::Succeeded { disks } = rig.run(&job).await else { panic!("not copied") };
    assert_eq!(disks.len(), 2);
    for (index, proof) in disks.iter().enumerate() {
        rig.assert_equal("web", index).await;
        assert_eq!(proof.zero_bytes + proof.written_bytes, proof.capacity);
        let manifest = Manifest::load(proof.manifest.as_ref()).await.unwrap().unwrap();
        assert_eq!(manifest.root().unwrap().to_string(), proof.root_hash);
    }
    // 2 MiB of data, 4 MiB of written zeros, holes: only the data may take room.
    assert_eq!((disks[0].capacity, disks[0].written_bytes, disks[0].read_bytes), (16 << 20, 2 << 20, 16 << 20));
    assert!(rig.allocated("web", 0) <= (2 << 20) + 65536);
    assert_eq!(rig.get("/sessions").await, json!([]), "a session was left open");
    assert_eq!(rig.events("change").await, Vec::<serde_json::Value>::new(), "the source was touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_weather_and_an_ended_session_are_survived() {
    let rig = Rig::start().await;
    let rules = json!({"latency": "100ms", "rules": [
        {"match": "flat.vmdk", "status": 503, "skip": 2, "count": 3},
        {"match": "flat.vmdk", "cutAfter": 5000, "skip": 3, "count": 2},
    ]});
    rig.control(reqwest::Method::PUT, "/folder", Some(rules)).await;
    let job = rig.job("web", 1).await;
    let running = rig.publish(&job).await;
    eventually(|| async { rig.events("data").await.len() > 3 }).await;
    rig.control(reqwest::Method::DELETE, "/sessions", None).await;
    let outcome = rig.outcome(1).await;
    running.stop().await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    for index in [0, 1] {
        rig.assert_equal("web", index).await;
    }
    assert_eq!(rig.get("/counters").await["logins"]["ok"], 2, "one login at the start, one for the ended session");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_read_is_refused_before_its_first_byte() {
    let rig = Rig::start().await;
    for (attempt, vm, expected) in
        [(1, "old", "SnapshotPresent"), (2, "running", "SourcePoweredOn"), (3, "far", "UnsupportedDatastore")]
    {
        let (reason, message) = failed(rig.run(&rig.job(vm, attempt).await).await);
        assert_eq!(reason, expected, "{message}");
        assert!(message.starts_with(&format!("VM {vm}, disk-")), "{message}");
    }
    assert_eq!(rig.events("data").await, Vec::<serde_json::Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_that_is_switched_on_during_the_copy_fails_it_with_that_reason() {
    let rig = Rig::start().await;
    rig.control(reqwest::Method::PUT, "/folder", Some(json!({"latency": "300ms"}))).await;
    let running = rig.publish(&rig.job("web", 1).await).await;
    eventually(|| async { rig.events("data").await.len() > 3 }).await;
    rig.control(reqwest::Method::PATCH, "/vms/web", Some(json!({"power": "on"}))).await;
    let (reason, message) = failed(rig.outcome(1).await);
    running.stop().await;
    assert_eq!(reason, "SourcePoweredOn", "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once() {
    let rig = Rig::start().await;
    rig.secret("hunter2", rig.fingerprint()).await;
    let (reason, message) = failed(rig.run(&rig.job("web", 1).await).await);
    assert_eq!(reason, "CredentialsRefused", "{message}");
    assert!(message.contains("correct the provider's Secret") && !message.contains("hunter2"), "{message}");
    assert_eq!(rig.get("/counters").await["logins"]["refused"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_fingerprint_is_shown_beside_the_right_one() {
    let rig = Rig::start().await;
    let other = "AA:".repeat(19) + "AA";
    rig.secret(rig::PASSWORD, &other).await;
    let (reason, message) = failed(rig.run(&rig.job("web", 1).await).await);
    assert_eq!(reason, "CertificateRefused", "{message}");
    assert!(message.contains(&other) && message.contains(rig.fingerprint()), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_for_a_provider_that_was_made_anew_is_not_done() {
    let rig = Rig::start().await;
    let mut job = rig.job("web", 1).await;
    job.provider = "another".into();
    let (reason, _) = failed(rig.run(&job).await);
    assert_eq!(reason, "ProviderNotValid");
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(rig.get("/counters").await["logins"]["ok"], 0);
}
