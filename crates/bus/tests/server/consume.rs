//! Deliveries: acknowledged, given back, dropped, long, unknown, shared.

use std::time::Duration;

use bus::{Bus, ConsumeError, Consumer, Durable, JobPublished, Published, topology};
use contract::inventory::{ObjectRemoved, VmEvent};
use contract::job::CopyRequested;
use contract::message::Message;

use crate::rig::{Rig, job, not_for, removed, soon};

const QUIET: Duration = Duration::from_millis(600);

fn durable() -> Durable {
    Durable::new(topology::JOBS, "worker", "longshore.v1.job.copy.>").in_flight(4)
}

async fn waiting(bus: &Bus) -> u64 {
    bus.jetstream().get_stream(topology::JOBS).await.unwrap().cached_info().state.messages
}

async fn one_job() -> (Rig, Bus, Consumer<CopyRequested>) {
    let (rig, bus) = Rig::with_bus().await;
    bus.publish_job(&job("vm-1", 1)).await.unwrap();
    let consumer = bus.consume(durable());
    (rig, bus, consumer)
}

#[tokio::test]
async fn an_acknowledged_job_leaves_the_queue() {
    let (_rig, bus, mut consumer) = one_job().await;
    let delivery = soon(consumer.next()).await.unwrap();
    assert_eq!((delivery.message(), delivery.deliveries()), (&job("vm-1", 1), 1));
    assert_eq!(waiting(&bus).await, 1);
    delivery.ack().await.unwrap();
    assert_eq!(waiting(&bus).await, 0);
    not_for(QUIET, consumer.next()).await;
}

#[tokio::test]
async fn a_job_that_is_dropped_undecided_comes_back_at_once() {
    let (_rig, _bus, mut consumer) = one_job().await;
    drop(soon(consumer.next()).await.unwrap());
    // Far less than the 30 seconds of `ack_wait`.
    let again = tokio::time::timeout(Duration::from_secs(5), consumer.next()).await.unwrap().unwrap();
    assert_eq!(again.deliveries(), 2);
    again.ack().await.unwrap();
}

#[tokio::test]
async fn a_job_given_back_comes_after_the_delay() {
    let (_rig, _bus, mut consumer) = one_job().await;
    let before = std::time::Instant::now();
    soon(consumer.next()).await.unwrap().retry_after(Duration::from_secs(1)).await.unwrap();
    let again = soon(consumer.next()).await.unwrap();
    assert!(before.elapsed() >= Duration::from_millis(900), "{:?}", before.elapsed());
    assert_eq!(again.deliveries(), 2);
    again.ack().await.unwrap();
}

#[tokio::test]
async fn long_work_keeps_its_job() {
    let (_rig, bus) = Rig::with_bus().await;
    bus.publish_job(&job("vm-1", 1)).await.unwrap();
    let mut consumer: Consumer<CopyRequested> = bus.consume(durable().ack_wait(Duration::from_secs(1)));
    let delivery = soon(consumer.next()).await.unwrap();
    let done = delivery.working(async {
        not_for(Duration::from_secs(3), consumer.next()).await;
        7
    });
    assert_eq!(soon(done).await, 7);
    delivery.ack().await.unwrap();
    assert_eq!(waiting(&bus).await, 0);
}

#[tokio::test]
async fn work_without_a_sign_of_life_is_given_to_another() {
    let (_rig, bus) = Rig::with_bus().await;
    bus.publish_job(&job("vm-1", 1)).await.unwrap();
    let mut consumer: Consumer<CopyRequested> = bus.consume(durable().ack_wait(Duration::from_secs(1)));
    let held = soon(consumer.next()).await.unwrap();
    let again = soon(consumer.next()).await.unwrap();
    assert_eq!(again.deliveries(), 2);
    again.ack().await.unwrap();
    drop(held);
}

#[tokio::test]
async fn an_unknown_type_is_acknowledged_and_counted() {
    let (_rig, bus) = Rig::with_bus().await;
    assert!(matches!(bus.publish(&removed("host-1", 1)).await.unwrap(), Published::Stored { .. }));
    let durable = Durable::new(topology::INVENTORY, "validation", "longshore.v1.inventory.>");
    let mut consumer = bus.consume::<VmEvent>(durable.clone());
    not_for(QUIET, async { consumer.next().await.map(|delivery| delivery.sequence()) }).await;
    assert_eq!(bus.counters().unknown.get(), 1);
    drop(consumer);
    // It was acknowledged: a reader that knows it doesn't get it from the same durable any more.
    let mut knows = bus.consume::<ObjectRemoved>(durable);
    not_for(QUIET, async { knows.next().await.map(|delivery| delivery.sequence()) }).await;
}

#[tokio::test]
async fn overlapping_consumers_of_a_work_queue_are_refused() {
    let (_rig, bus, mut consumer) = one_job().await;
    consumer.open().await.unwrap();
    let other = Durable::new(topology::JOBS, "other", "longshore.v1.job.>");
    let error = bus.consume::<CopyRequested>(other).open().await.unwrap_err();
    let ConsumeError::Open { name, .. } = &error else { panic!("{error}") };
    assert_eq!(name, "other");
}

#[tokio::test]
async fn a_consumer_goes_on_after_a_server_restart() {
    let (mut rig, bus, mut consumer) = one_job().await;
    soon(consumer.next()).await.unwrap().ack().await.unwrap();
    rig.server.restart().await.unwrap();
    soon(async {
        while bus.publish_job(&job("vm-2", 1)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    let delivery = soon(consumer.next()).await.unwrap();
    assert_eq!(delivery.message().vm_name, "vm-2");
    delivery.ack().await.unwrap();
}

#[tokio::test]
async fn shutdown_ends_a_waiting_consumer() {
    let (_rig, bus) = Rig::with_bus().await;
    let mut consumer = bus.consume::<CopyRequested>(durable());
    let stop = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        bus.close().await;
    };
    let (ended, ()) = soon(futures::future::join(consumer.next(), stop)).await;
    assert!(ended.is_none());
}

#[tokio::test]
async fn a_process_that_dies_costs_its_neighbours_no_delivery() {
    let (_rig, bus) = Rig::with_bus().await;
    for vm in ["vm-1", "vm-2", "vm-3"] {
        bus.publish_job(&job(vm, 1)).await.unwrap();
    }
    let mut dies: Consumer<CopyRequested> = bus.consume(durable());
    let held = soon(dies.next()).await.unwrap();
    drop(dies);
    let mut next: Consumer<CopyRequested> = bus.consume(durable());
    for vm in ["vm-2", "vm-3"] {
        let delivery = soon(next.next()).await.unwrap();
        assert_eq!((delivery.message().vm_name.as_str(), delivery.deliveries()), (vm, 1));
        delivery.ack().await.unwrap();
    }
    held.ack().await.unwrap();
}

#[tokio::test]
async fn a_consumer_that_is_polled_in_short_turns_loses_nothing() {
    let (mut rig, bus) = Rig::with_bus().await;
    let mut consumer: Consumer<CopyRequested> = bus.consume(durable());
    consumer.open().await.unwrap();
    rig.server.restart().await.unwrap();
    let mut published = false;
    let taken = soon(async {
        loop {
            published = published || bus.publish_job(&job("vm-1", 1)).await.is_ok();
            if let Ok(delivery) = tokio::time::timeout(Duration::from_millis(20), consumer.next()).await {
                return delivery.unwrap();
            }
        }
    })
    .await;
    assert_eq!(taken.message().vm_name, "vm-1");
    taken.ack().await.unwrap();
}

#[tokio::test]
async fn a_withdrawn_job_is_gone_and_its_worker_can_still_settle_it() {
    let (_rig, bus, mut consumer) = one_job().await;
    bus.publish_job(&job("vm-2", 1)).await.unwrap();
    let taken = soon(consumer.next()).await.unwrap();
    let subject = job("vm-1", 1).subject().unwrap();
    for _ in 0..2 {
        bus.withdraw_job(&subject).await.unwrap();
        assert_eq!(bus.last::<CopyRequested>(&subject).await.unwrap(), None);
        assert_eq!(waiting(&bus).await, 1);
    }
    taken.ack().await.unwrap();
    let next = soon(consumer.next()).await.unwrap();
    assert_eq!(next.message().vm_name, "vm-2");
    next.ack().await.unwrap();
    assert!(matches!(bus.publish_job(&job("vm-1", 2)).await.unwrap(), JobPublished::Stored { .. }));
}
