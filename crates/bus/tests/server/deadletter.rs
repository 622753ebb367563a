//! Dead letters: rejected, unreadable and poison messages.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use bus::{Bus, Consumer, Durable, JobPublished, topology};
use contract::job::CopyRequested;
use contract::message::Message;

use crate::rig::{Rig, job, not_for, soon};

fn durable() -> Durable {
    Durable::new(topology::JOBS, "worker", "longshore.v1.job.copy.>")
}

async fn letter(bus: &Bus) -> StreamMessage {
    let stream = bus.jetstream().get_stream(topology::DEADLETTERS).await.unwrap();
    soon(async {
        loop {
            match stream.get_last_raw_message_by_subject("longshore.v1.deadletter.JOBS").await {
                Ok(message) => return message,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    })
    .await
}

fn header(message: &StreamMessage, name: &str) -> String {
    message.headers.get(name).unwrap().as_str().to_owned()
}

async fn waiting(bus: &Bus) -> u64 {
    bus.jetstream().get_stream(topology::JOBS).await.unwrap().cached_info().state.messages
}

#[tokio::test]
async fn a_rejected_job_is_kept_with_its_cause_and_frees_its_subject() {
    let (_rig, bus) = Rig::with_bus().await;
    bus.publish_job(&job("vm-1", 1)).await.unwrap();
    let mut consumer: Consumer<CopyRequested> = bus.consume(durable());
    soon(consumer.next()).await.unwrap().reject("no such provider").await.unwrap();
    let letter = letter(&bus).await;
    assert_eq!(header(&letter, "longshore-cause"), "no%20such%20provider");
    assert_eq!(header(&letter, "longshore-subject"), job("vm-1", 1).subject().unwrap().as_str());
    assert_eq!(header(&letter, "ce-type"), CopyRequested::TYPE);
    assert_eq!(serde_json::from_slice::<CopyRequested>(&letter.payload).unwrap(), job("vm-1", 1));
    assert_eq!(waiting(&bus).await, 0);
    assert!(matches!(bus.publish_job(&job("vm-1", 2)).await.unwrap(), JobPublished::Stored { .. }));
}

#[tokio::test]
async fn an_unreadable_job_becomes_a_dead_letter_and_the_next_one_is_delivered() {
    let (_rig, bus) = Rig::with_bus().await;
    let mut headers = HeaderMap::new();
    headers.insert("ce-type", CopyRequested::TYPE);
    let subject = "longshore.v1.job.copy.migration.vm-0";
    bus.jetstream().publish_with_headers(subject, headers, "{\"attempt\":".into()).await.unwrap().await.unwrap();
    bus.publish_job(&job("vm-1", 1)).await.unwrap();
    let mut consumer: Consumer<CopyRequested> = bus.consume(durable());
    let delivery = soon(consumer.next()).await.unwrap();
    assert_eq!(delivery.message().vm_name, "vm-1");
    let letter = letter(&bus).await;
    assert_eq!(&letter.payload[..], b"{\"attempt\":");
    assert!(header(&letter, "longshore-cause").contains("copy.requested.v1"));
    assert_eq!((bus.counters().undecodable.get(), bus.counters().dead_letters.get()), (1, 1));
    delivery.ack().await.unwrap();
    assert_eq!(waiting(&bus).await, 0);
}

#[tokio::test]
async fn poison_blocks_its_subject_only_until_the_handler_buries_it() {
    let (_rig, bus) = Rig::with_bus().await;
    bus.publish_job(&job("vm-1", 1)).await.unwrap();
    let mut consumer: Consumer<CopyRequested> = bus.consume(durable().max_deliver(2));
    for _ in 0..2 {
        drop(soon(consumer.next()).await.unwrap());
    }
    // Without the handler the server keeps it, undelivered.
    not_for(Duration::from_secs(1), consumer.next()).await;
    assert_eq!(waiting(&bus).await, 1);

    let test = async {
        let letter = letter(&bus).await;
        assert!(header(&letter, "longshore-cause").contains("2%20times"), "{:?}", letter.headers);
        assert_eq!(serde_json::from_slice::<CopyRequested>(&letter.payload).unwrap(), job("vm-1", 1));
        while waiting(&bus).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(matches!(bus.publish_job(&job("vm-1", 2)).await.unwrap(), JobPublished::Stored { .. }));
        let next = consumer.next().await.unwrap();
        assert_eq!(next.message().attempt, 2);
        next.ack().await.unwrap();
        bus.close().await;
    };
    let (handled, ()) = soon(futures::future::join(bus.handle_dead_letters(), test)).await;
    handled.unwrap();
}
