//! The whole service on a real nats-server, with a provider in memory.

mod rig;

use std::sync::atomic::Ordering;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use blockcopy::{Manifest, RawTarget};
use contract::transfer::{DiskProof, Outcome, TransferFinished, TransferProgressed};
use tower::ServiceExt;

use super::*;
use crate::state::Power;
use rig::{Rig, Running, eventually, soon};

const MIB: usize = 1 << 20;

fn options() -> Options {
    Options { request_mib: 1, lock_seconds: 0, ..Options::default() }
}

fn succeeded(outcome: Outcome) -> Vec<DiskProof> {
    match outcome {
        Outcome::Succeeded { disks } => disks,
        other => panic!("{other:?}"),
    }
}

fn failed(outcome: Outcome) -> (String, String) {
    match outcome {
        Outcome::Failed { reason, message } => (reason, message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_of_two_disks_is_copied_proven_and_reported_before_the_job_leaves_the_queue() {
    let rig = Rig::start(&[3 * MIB, MIB + 512]).await;
    let disks = succeeded(rig.run(&rig.job(1), options()).await);
    for (proof, (key, length)) in disks.iter().zip([(2000, 3 * MIB), (2001, MIB + 512)]) {
        assert_eq!((proof.disk.as_str(), proof.capacity), (format!("disk-{key}").as_str(), length as u64));
        assert!(std::fs::read(rig.target(key)).unwrap() == rig.fake.bytes(key), "{key} differs");
        assert_eq!(proof.zero_bytes + proof.written_bytes, length as u64);
        assert!(proof.zero_bytes >= length as u64 / 4 - 8192);
        let manifest = Manifest::load(proof.manifest.as_ref()).await.unwrap().unwrap();
        assert_eq!(proof.root_hash, manifest.root().unwrap().to_string());
        let subject = contract::subject::transfer_progress(&"migration.1".into(), &"vm-1".into(), &proof.disk).unwrap();
        let last = rig.bus.last::<TransferProgressed>(&subject).await.unwrap().unwrap().message;
        assert_eq!((last.done_bytes, last.attempt), (length as u64, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_attempt_has_its_outcome_is_done_without_touching_anything() {
    let rig = Rig::start(&[MIB]).await;
    let job = rig.job(1);
    let known = TransferFinished {
        migration: job.migration.clone(),
        vm: job.vm.clone(),
        job: COPY.to_owned(),
        attempt: 1,
        outcome: Outcome::Cancelled,
    };
    let _published = rig.bus.publish(&known).await.unwrap();
    assert_eq!(rig.run(&job, options()).await, Outcome::Cancelled);
    assert_eq!(rig.fake.sessions.load(Ordering::SeqCst), 0);
    assert_eq!(std::fs::metadata(rig.target(2000)).unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_lease_closes_the_target_and_is_reported_as_cancelled() {
    let rig = Rig::start(&[3 * MIB]).await;
    rig.fake.close_gate_after(1);
    let running = rig.serve(options()).await;
    let job = rig.job(1);
    let _published = rig.bus.publish_job(&job).await.unwrap();
    eventually(|| async { rig.fake.gate.available_permits() == 0 && rig.fake.read.load(Ordering::SeqCst) > 0 }).await;
    assert!(RawTarget::open(&rig.target(2000), job.disks[0].capacity).await.is_err(), "the target is not locked");
    rig.bus.leases().revoke(&lease::key(&job).unwrap()).await.unwrap();
    let revoked = Instant::now();
    assert_eq!(rig.outcome(1).await, Outcome::Cancelled);
    assert!(revoked.elapsed() < Duration::from_secs(5), "{:?}", revoked.elapsed());
    RawTarget::open(&rig.target(2000), job.disks[0].capacity).await.unwrap();
    eventually(|| async { rig.queued().await == 0 }).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_vm_is_refused_by_name_and_its_target_stays_empty() {
    let rig = Rig::start(&[MIB]).await;
    rig.fake.always(|vm| vm.power = Power::On);
    let (reason, message) = failed(rig.run(&rig.job(1), options()).await);
    assert_eq!(reason, "SourcePoweredOn");
    assert!(message.starts_with("VM web, disk-2000 (Hard disk 1), route datastore file over HTTPS:"), "{message}");
    assert_eq!(rig.fake.read.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_that_changes_under_the_copy_fails_it() {
    for (change, expected) in [
        ((|vm| vm.power = Power::On) as fn(&mut crate::VmState), "SourcePoweredOn"),
        (|vm| vm.snapshot = true, "SnapshotPresent"),
        (|vm| vm.version = "2".to_owned(), "SourceChanged"),
    ] {
        let rig = Rig::start(&[MIB]).await;
        rig.fake.then(change);
        assert_eq!(failed(rig.run(&rig.job(1), options()).await).0, expected);
        assert!(rig.fake.read.load(Ordering::SeqCst) > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_another_worker_holds_is_not_written() {
    let rig = Rig::start(&[MIB]).await;
    let job = rig.job(1);
    let held = RawTarget::open(&rig.target(2000), job.disks[0].capacity).await.unwrap();
    let (reason, message) = failed(rig.run(&job, options()).await);
    assert_eq!(reason, "TargetLocked");
    assert!(message.contains("web-2000.img"), "{message}");
    assert_eq!(held.allocated().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_target_and_a_longer_disk_are_told_apart() {
    let rig = Rig::start(&[MIB]).await;
    let job = rig.job(1);
    std::fs::remove_file(rig.target(2000)).unwrap();
    assert_eq!(failed(rig.run(&job, options()).await).0, "TargetMissing");
    let mut job = rig.job(2);
    rig.fake.disks.lock().unwrap().get_mut(&2000).unwrap().push(7);
    job.disks[0].capacity = MIB as u64;
    let (reason, message) = failed(rig.run(&job, options()).await);
    assert_eq!((reason.as_str(), message.contains("1048577")), ("SourceChanged", true), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_the_job_and_stops_its_siblings() {
    let rig = Rig::start(&[3 * MIB, 3 * MIB]).await;
    let images = rig.folder.path().join("images");
    std::fs::create_dir_all(&images).unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=2m", "tmpfs"];
    let mounted =
        std::process::Command::new("mount").args(mount).arg(&images).stderr(std::process::Stdio::null()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED a_full_disk_fails_the_job_and_stops_its_siblings: mounting a tmpfs needs root");
        return;
    }
    let outcome = rig.run(&rig.job(1), options()).await;
    let unmounted = std::process::Command::new("umount").arg("-l").arg(&images).status().unwrap();
    assert!(unmounted.success());
    let (reason, message) = failed(outcome);
    assert_eq!(reason, "TargetFull");
    assert!(message.contains("make room"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_gives_the_job_back_and_the_next_one_goes_on_where_it_was() {
    let rig = Rig::start(&[8 * MIB]).await;
    rig.fake.close_gate_after(3);
    let first = rig.serve(Options { reads: 1, ..options() }).await;
    let _published = rig.bus.publish_job(&rig.job(1)).await.unwrap();
    eventually(|| async {
        rig.fake.read.load(Ordering::SeqCst) == 3 * MIB as u64 && rig.fake.gate.available_permits() == 0
    })
    .await;
    // The third chunk is written when the fourth read is waited for; give it that moment.
    tokio::time::sleep(Duration::from_millis(200)).await;
    first.stop().await;
    assert_eq!(rig.queued().await, 1, "the job is lost");
    rig.fake.gate.add_permits(1000);
    rig.fake.read.store(0, Ordering::SeqCst);
    let second = rig.serve(options()).await;
    let disks = succeeded(rig.outcome(1).await);
    second.stop().await;
    assert_eq!(rig.fake.read.load(Ordering::SeqCst), 5 * MIB as u64);
    assert_eq!(disks[0].read_bytes, 5 * MIB as u64);
    assert!(std::fs::read(rig.target(2000)).unwrap() == rig.fake.bytes(2000));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_attempt_reads_everything_again_and_writes_what_differs() {
    let rig = Rig::start(&[4 * MIB]).await;
    succeeded(rig.run(&rig.job(1), options()).await);
    rig.fake.disks.lock().unwrap().get_mut(&2000).unwrap()[MIB] ^= 1;
    let disks = succeeded(rig.run(&rig.job(2), options()).await);
    assert_eq!((disks[0].read_bytes, disks[0].written_bytes), (4 * MIB as u64, MIB as u64));
    assert!(std::fs::read(rig.target(2000)).unwrap() == rig.fake.bytes(2000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_changed_blocks_is_refused_not_copied_whole() {
    let rig = Rig::start(&[MIB]).await;
    let mut job = rig.job(1);
    job.disks[0].base_change_id = Some("52 3c/4".to_owned());
    assert_eq!(failed(rig.run(&job, options()).await).0, "UnsupportedJob");
}

async fn listed(running: &Running) -> serde_json::Value {
    let request = Request::get("/transfers").body(Body::empty()).unwrap();
    let response = running.router.clone().oneshot(request).await.unwrap();
    serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_announces_itself_and_lists_what_it_does() {
    let rig = Rig::start(&[3 * MIB]).await;
    rig.fake.close_gate_after(1);
    let running = rig.serve(Options { reads: 1, ..options() }).await;
    let workers = || async { rig.bus.leases().list("worker.transfer.").await.unwrap().len() };
    eventually(|| async { workers().await == 1 }).await;
    let _published = rig.bus.publish_job(&rig.job(1)).await.unwrap();
    eventually(|| async { listed(&running).await["items"][0]["disks"][0]["doneBytes"] == MIB }).await;
    let item = listed(&running).await["items"][0].clone();
    assert_eq!((item["vmName"].as_str(), item["phase"].as_str()), (Some("web"), Some("Copying")));
    soon(running.stop()).await;
    assert_eq!(workers().await, 0);
}
