//! Publishing: ids, duplicates, refusals, last values.

use std::time::Duration;

use bus::{Durable, JobPublished, PublishError, PublishOptions, Published, topology};
use contract::inventory::ObjectRemoved;
use contract::job::CopyRequested;
use contract::message::{Message, message_id};
use contract::subject::Token;
use contract::transfer::TransferProgressed;

use crate::rig::{Rig, job, progress, removed, soon};

#[tokio::test]
async fn a_message_with_an_awkward_id_is_read_back_from_its_subject() {
    let (_rig, bus) = Rig::with_bus().await;
    let awkward = "host 1.cluster/é*>%";
    let sent = removed(awkward, 1);
    assert_eq!(bus.publish(&sent).await.unwrap(), Published::Stored { sequence: 1 });
    let subject = sent.subject().unwrap();
    let stored = bus.last::<ObjectRemoved>(&subject).await.unwrap().unwrap();
    assert_eq!((stored.message, stored.sequence), (sent.clone(), 1));
    assert!(stored.time.duration_until(jiff::Timestamp::now()) < jiff::SignedDuration::from_secs(60));
    assert_eq!(Token::decode(subject.as_str().rsplit('.').next().unwrap()).unwrap(), awkward);
    let stream = bus.jetstream().get_stream(topology::INVENTORY).await.unwrap();
    let raw = stream.get_raw_message(1).await.unwrap();
    assert_eq!(raw.subject.as_str(), subject.as_str());
    let id = raw.headers.get("ce-id").unwrap().as_str();
    assert!(id.is_ascii() && !id.contains(' '), "{id}");
    assert_eq!(raw.headers.get("ce-type").unwrap().as_str(), ObjectRemoved::TYPE);
    assert_eq!(raw.headers.get("ce-source").unwrap().as_str(), "/longshore/test");
    assert!(message_id(&sent).unwrap().starts_with(ObjectRemoved::TYPE));
}

#[tokio::test]
async fn the_last_value_per_subject_stays() {
    let (_rig, bus) = Rig::with_bus().await;
    for n in 1..=3 {
        assert_eq!(bus.publish(&removed("host-1", n)).await.unwrap(), Published::Stored { sequence: n });
    }
    assert_eq!(bus.publish(&removed("host-2", 1)).await.unwrap(), Published::Stored { sequence: 4 });
    let mut stream = bus.jetstream().get_stream(topology::INVENTORY).await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 2);
    let last = bus.last::<ObjectRemoved>(&removed("host-1", 3).subject().unwrap()).await.unwrap().unwrap();
    assert_eq!(last.message.revision.n, 3);
    let nothing = bus.last::<ObjectRemoved>(&removed("host-3", 1).subject().unwrap()).await.unwrap();
    assert_eq!(nothing, None);
}

#[tokio::test]
async fn a_second_copy_is_a_duplicate_and_a_message_without_id_never_is() {
    let (_rig, bus) = Rig::with_bus().await;
    assert_eq!(bus.publish(&removed("host-1", 1)).await.unwrap(), Published::Stored { sequence: 1 });
    assert_eq!(bus.publish(&removed("host-1", 1)).await.unwrap(), Published::Duplicate);
    assert_eq!(bus.counters().duplicates.get(), 1);
    assert_eq!(bus.publish(&progress(1)).await.unwrap(), Published::Stored { sequence: 1 });
    assert_eq!(bus.publish(&progress(1)).await.unwrap(), Published::Stored { sequence: 2 });
    let last = bus.last::<TransferProgressed>(&progress(1).subject().unwrap()).await.unwrap().unwrap();
    assert_eq!(last.sequence, 2);
}

#[tokio::test]
async fn a_tombstone_goes_away_after_its_time() {
    let (_rig, bus) = Rig::with_bus().await;
    let tombstone = removed("host-1", 1);
    let options = PublishOptions { ttl: Some(Duration::from_secs(1)), ..PublishOptions::default() };
    assert!(matches!(bus.publish_with(&tombstone, &options).await.unwrap(), Published::Stored { .. }));
    let subject = tombstone.subject().unwrap();
    assert!(bus.last::<ObjectRemoved>(&subject).await.unwrap().is_some());
    soon(async {
        while bus.last::<ObjectRemoved>(&subject).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_name_and_size() {
    let (_rig, bus) = Rig::with_bus().await;
    let mut large = job("vm-1", 1);
    large.vm_name = "x".repeat(bus::MAX_BODY);
    let error = bus.publish(&large).await.unwrap_err();
    let PublishError::TooLarge { ref subject, size } = error else { panic!("{error}") };
    assert!(subject.ends_with("vm-1") && size > bus::MAX_BODY);
    let mut fits = job("vm-1", 1);
    fits.vm_name = "x".repeat(bus::MAX_BODY - 400);
    assert!(matches!(bus.publish(&fits).await.unwrap(), Published::Stored { .. }));
}

#[tokio::test]
async fn the_server_refuses_a_second_job_until_the_first_is_done() {
    let (_rig, bus) = Rig::with_bus().await;
    let (first, second) = (job("vm-1", 1), job("vm-1", 2));
    assert_eq!(bus.publish_job(&first).await.unwrap(), JobPublished::Stored { sequence: 1 });
    assert_eq!(bus.publish_job(&first).await.unwrap(), JobPublished::AlreadyThere { sequence: 1 });
    assert!(matches!(bus.publish(&second).await, Err(PublishError::Refused { .. })));
    let another_vm = bus.publish_job(&job("vm-2", 1)).await.unwrap();
    assert!(matches!(another_vm, JobPublished::Stored { .. }));

    // The older attempt is taken while the newer one is being published.
    let mut worker = bus.consume::<CopyRequested>(Durable::new(topology::JOBS, "w", "longshore.v1.job.copy.>"));
    let work = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let delivery = worker.next().await.unwrap();
        assert_eq!(delivery.message().attempt, 1);
        delivery.ack().await.unwrap();
    };
    let (published, ()) = soon(futures::future::join(bus.publish_job(&second), work)).await;
    assert!(matches!(published.unwrap(), JobPublished::Stored { .. }));
    assert!(matches!(
        bus.publish_job(&first).await,
        Err(PublishError::Superseded { .. } | PublishError::AttemptSpent { .. })
    ));
}

#[tokio::test]
async fn an_older_attempt_that_stays_is_named() {
    let (_rig, bus) = Rig::with_bus().await;
    bus.publish_job(&job("vm-1", 1)).await.unwrap();
    let error = soon(bus.publish_job(&job("vm-1", 2))).await.unwrap_err();
    let PublishError::Occupied { waiting, .. } = error else { panic!("{error}") };
    assert_eq!(waiting, "copy.requested.v1/migration/vm-1/1");
}

#[tokio::test]
async fn a_duplicate_without_a_stored_message_asks_for_a_new_attempt() {
    let (_rig, bus) = Rig::with_bus().await;
    bus.publish_job(&job("vm-1", 1)).await.unwrap();
    let mut worker = bus.consume::<CopyRequested>(Durable::new(topology::JOBS, "w", "longshore.v1.job.copy.>"));
    soon(worker.next()).await.unwrap().ack().await.unwrap();
    let error = bus.publish_job(&job("vm-1", 1)).await.unwrap_err();
    assert!(matches!(error, PublishError::AttemptSpent { .. }), "{error}");
    assert!(matches!(bus.publish_job(&job("vm-1", 2)).await.unwrap(), JobPublished::Stored { .. }));
}
