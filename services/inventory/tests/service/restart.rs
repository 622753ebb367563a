//! A restart serves what is known and tells only what is different.

use std::collections::BTreeSet;

use futures::StreamExt;
use serde_json::json;

use crate::rig::{Rig, Vcenter};

/// Subjects that got a message after `sequence`.
async fn told_since(rig: &Rig, sequence: u64) -> BTreeSet<String> {
    let stream = rig.bus.jetstream().get_stream(bus::topology::INVENTORY).await.unwrap();
    let config = async_nats::jetstream::consumer::pull::OrderedConfig {
        deliver_policy: async_nats::jetstream::consumer::DeliverPolicy::ByStartSequence {
            start_sequence: sequence + 1,
        },
        ..Default::default()
    };
    let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    let mut subjects = BTreeSet::new();
    while let Ok(Some(message)) = tokio::time::timeout(std::time::Duration::from_secs(1), messages.next()).await {
        let message = message.unwrap();
        let tokens: Vec<_> = message.subject.split('.').skip(3).map(str::to_owned).collect();
        subjects.insert(format!("{} {}", tokens[0], tokens[2]));
    }
    subjects
}

#[tokio::test]
async fn only_differences_are_told_after_a_restart() {
    let (rig, vcenter) = (Rig::start().await, Vcenter::start().await);
    let provider = rig.good_provider(&vcenter).await;
    let running = rig.inventory().await;
    rig.synced(&provider).await;
    let before = rig.rest().await;
    let vms = running.list(&provider, "vms").await;
    let id = |name: &str| vms.iter().find(|vm| vm["name"] == name).unwrap()["id"].as_str().unwrap().to_owned();
    running.stop().await;
    let sessions = vcenter.control(reqwest::Method::GET, "/sessions", None).await;
    assert_eq!(sessions.as_array().map(Vec::len), Some(0), "a session was left open");

    let running = rig.inventory().await;
    assert_eq!(running.list(&provider, "vms").await, vms, "served from disk, before anything else");
    rig.until(&provider, |state| state.revision.n >= 4).await;
    rig.synced(&provider).await;
    rig.rest().await;
    assert_eq!(told_since(&rig, before).await, BTreeSet::from(["provider state".to_owned()]));
    assert_eq!(running.list(&provider, "vms").await, vms);
    running.stop().await;

    let before = rig.sequence().await;
    vcenter.patch("web", json!({"notes": "not kept", "memoryMiB": 2048})).await;
    vcenter.delete("db").await;
    let running = rig.inventory().await;
    rig.until(&provider, |state| state.vm_count == 3).await;
    rig.rest().await;
    let expected = ["provider state".to_owned(), format!("vm {}", id("web")), format!("vm {}", id("db"))];
    assert_eq!(told_since(&rig, before).await, BTreeSet::from(expected));
    running.stop().await;
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let rig = Rig::start().await;
    let running = rig.inventory().await;
    let process = runtime::Process::new(runtime::Shutdown::new());
    let options = inventory::Options { data: rig.folder.path().join("data"), ..inventory::Options::default() };
    let second =
        inventory::Inventory::open(options, rig.bus.clone(), rig.store.clone(), rig.secrets.clone(), process).await;
    assert!(matches!(second, Err(inventory::Error::Data(_))));
    running.stop().await;
}
