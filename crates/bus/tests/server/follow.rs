//! Followers: catching up, going on, surviving restarts and the loss of a stream.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use bus::{Bus, Follow, Follower, PublishError, Published, topology};
use contract::inventory::{InventoryEvent, ObjectRemoved};
use futures::StreamExt;

use crate::rig::{Rig, not_for, removed, soon};

const ALL: &str = "longshore.v1.inventory.>";

fn follower(bus: &Bus) -> Follower<InventoryEvent> {
    bus.follow(topology::INVENTORY, ALL)
}

async fn publish(bus: &Bus, id: &str, n: u64) {
    assert!(matches!(bus.publish(&removed(id, n)).await.unwrap(), Published::Stored { .. }));
}

/// `id/n`, or the marker's name.
async fn next(follower: &mut Follower<InventoryEvent>) -> String {
    match soon(follower.next()).await.unwrap() {
        Follow::Item { message: InventoryEvent::Removed(ObjectRemoved { id, revision, .. }), .. } => {
            format!("{id}/{}", revision.n)
        }
        Follow::Item { message, .. } => panic!("{message:?}"),
        Follow::CaughtUp => "caught up".to_owned(),
        Follow::Restarted => "restarted".to_owned(),
    }
}

#[tokio::test]
async fn a_follower_gets_the_last_values_then_the_marker_then_what_is_new() {
    let (_rig, bus) = Rig::with_bus().await;
    for (id, n) in [("a", 1), ("b", 1), ("a", 2), ("c", 1), ("b", 2)] {
        publish(&bus, id, n).await;
    }
    let mut follower = follower(&bus);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(next(&mut follower).await);
    }
    assert_eq!(seen, ["a/2", "c/1", "b/2", "caught up"]);
    publish(&bus, "a", 3).await;
    assert_eq!(next(&mut follower).await, "a/3");
}

#[tokio::test]
async fn a_follower_of_nothing_is_caught_up_at_once() {
    let (_rig, bus) = Rig::with_bus().await;
    assert_eq!(next(&mut follower(&bus)).await, "caught up");
    publish(&bus, "a", 1).await;
    let mut elsewhere = bus.follow::<InventoryEvent>(topology::INVENTORY, "longshore.v1.inventory.vm.>");
    assert_eq!(next(&mut elsewhere).await, "caught up");
    not_for(Duration::from_millis(300), elsewhere.next()).await;
}

#[tokio::test]
async fn a_follower_goes_on_after_a_server_restart_without_a_repetition() {
    let (mut rig, bus) = Rig::with_bus().await;
    publish(&bus, "a", 1).await;
    publish(&bus, "b", 1).await;
    let mut follower = follower(&bus);
    for expected in ["a/1", "b/1", "caught up"] {
        assert_eq!(next(&mut follower).await, expected);
    }
    for n in 2..4 {
        rig.server.restart().await.unwrap();
        let publisher = async {
            loop {
                match bus.publish(&removed("b", n)).await {
                    Ok(_) => return,
                    Err(PublishError::TooLarge { .. }) => unreachable!(),
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        let (item, ()) = futures::future::join(next(&mut follower), publisher).await;
        assert_eq!(item, format!("b/{n}"));
    }
}

#[tokio::test]
async fn a_follower_says_that_its_stream_was_made_anew() {
    let (_rig, bus) = Rig::with_bus().await;
    for n in 1..=5 {
        publish(&bus, "a", n).await;
    }
    let mut follower = follower(&bus);
    assert_eq!(next(&mut follower).await, "a/5");
    assert_eq!(next(&mut follower).await, "caught up");
    // Only a test does this.
    bus.jetstream().delete_stream(topology::INVENTORY).await.unwrap();
    topology::ensure(bus.jetstream(), 1).await.unwrap();
    publish(&bus, "b", 1).await;
    for expected in ["restarted", "b/1", "caught up"] {
        assert_eq!(next(&mut follower).await, expected);
    }
}

#[tokio::test]
async fn catching_up_ends_when_what_is_awaited_was_purged() {
    let (_rig, bus) = Rig::with_bus().await;
    for n in 0..500 {
        publish(&bus, &format!("host-{n}"), 1).await;
    }
    let mut follower = follower(&bus);
    assert_eq!(next(&mut follower).await, "host-0/1");
    bus.jetstream().get_stream(topology::INVENTORY).await.unwrap().purge().await.unwrap();
    soon(async { while !matches!(follower.next().await.unwrap(), Follow::CaughtUp) {} }).await;
}

#[tokio::test]
async fn a_message_that_was_sent_into_a_breaking_connection_is_fetched_again() {
    let (_rig, bus) = Rig::with_bus().await;
    let mut follower = follower(&bus);
    assert_eq!(next(&mut follower).await, "caught up");
    // Another reader of the same consumer takes messages away; for the server they are delivered.
    let stream = bus.jetstream().get_stream(topology::INVENTORY).await.unwrap();
    let name = stream.consumer_names().next().await.unwrap().unwrap();
    let consumer: PullConsumer = stream.get_consumer(&name).await.unwrap();
    let mut thief = consumer.batch().max_messages(1).expires(Duration::from_secs(20)).messages().await.unwrap();
    let mut n = 0;
    let mut stolen = false;
    while !stolen {
        n += 1;
        publish(&bus, "a", n).await;
        stolen = tokio::time::timeout(Duration::from_millis(300), thief.next()).await.is_ok();
    }
    let mut seen = String::new();
    while seen != format!("a/{n}") {
        seen = next(&mut follower).await;
    }
}
