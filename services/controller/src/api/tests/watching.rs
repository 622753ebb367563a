//! Watching over HTTP.

use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use reqwest::Method;
use serde_json::Value;
use tokio::time::timeout;

use super::MAPS;
use super::rig::{Rig, network_map};

/// Longest wait for one event.
const SOON: Duration = Duration::from_secs(20);

/// `TYPE name` of each event, until the stream ends.
async fn watch(rig: &Rig, path: &str) -> impl Stream<Item = String> + Unpin + use<> {
    let response = rig.send(Method::GET, path, None).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let lines = stream::unfold((response, Vec::new()), |(mut response, mut rest)| async move {
        loop {
            if let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = rest.drain(..end + 2).collect();
                return Some((String::from_utf8(event).unwrap(), (response, rest)));
            }
            match response.chunk().await {
                Ok(Some(chunk)) => rest.extend_from_slice(&chunk),
                _ => return None,
            }
        }
    });
    let told = lines.filter_map(|event| async move {
        let event: Value = serde_json::from_str(event.trim().strip_prefix("data:")?).unwrap();
        let name = event["object"]["metadata"]["name"].as_str().unwrap_or("-");
        Some(format!("{} {name}", event["type"].as_str().unwrap()))
    });
    Box::pin(told)
}

async fn next(events: &mut (impl Stream<Item = String> + Unpin)) -> String {
    timeout(SOON, events.next()).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_tells_what_is_there_and_then_every_change() {
    let rig = Rig::start().await;
    let (_, mut object) = rig.ask(Method::POST, MAPS, Some(network_map("one", "pod"))).await;
    let mut events = watch(&rig, &format!("{MAPS}?watch=true")).await;
    assert_eq!(next(&mut events).await, "ADDED one");
    assert_eq!(next(&mut events).await, "BOOKMARK -");

    rig.ask(Method::POST, MAPS, Some(network_map("two", "pod"))).await;
    assert_eq!(next(&mut events).await, "ADDED two");
    object["spec"]["map"][0]["destination"]["type"] = "ignored".into();
    rig.ask(Method::PUT, &format!("{MAPS}/one"), Some(object)).await;
    assert_eq!(next(&mut events).await, "MODIFIED one");
    rig.ask(Method::DELETE, &format!("{MAPS}/two"), None).await;
    assert_eq!(next(&mut events).await, "DELETED two");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_watch_does_not_hold_the_stop_up() {
    let rig = Rig::start().await;
    let mut events = watch(&rig, "/apis/forklift.konveyor.io/v1beta1/plans?watch=1").await;
    assert_eq!(next(&mut events).await, "BOOKMARK -");
    rig.process.shutdown.trigger();
    let begin = std::time::Instant::now();
    assert_eq!(timeout(SOON, events.next()).await.unwrap(), None);
    rig.process.tasks.join().await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    rig.end().await;
}
