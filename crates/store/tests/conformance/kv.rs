//! The JetStream bucket as a backend of the suite, and what only it can be asked: a server that is killed, a bucket
//! that is lost, a value that is too large, a crash in the middle of owner clean-up.

use std::time::Duration;

use bus::server::{NatsServer, ServerOptions};
use bus::{Bus, ConnectOptions};
use forklift_api::{Migration, Plan};
use store::{Error, Event, Preconditions, Store, VALUE_LIMIT};

use crate::world::{Mirror, World, gone, migration, next, owned_by, plan, words};

/// A server of its own for each test.
pub struct KvWorld {
    server: NatsServer,
    bus: Bus,
    store: Store,
    _dir: tempfile::TempDir,
}

impl World for KvWorld {
    fn store(&self) -> &Store {
        &self.store
    }

    fn namespace(&self) -> &str {
        "default"
    }
}

impl KvWorld {
    pub async fn end(self) {
        self.bus.close().await;
        self.server.stop().await.unwrap();
    }

    /// As `kill -9` and a new start on the same store.
    async fn kill_and_restart(&mut self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.server.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        self.server.exited().await;
        self.server.restart().await.unwrap();
    }
}

pub async fn start() -> KvWorld {
    let dir = tempfile::tempdir().unwrap();
    let options = ServerOptions { store_dir: dir.path().join("nats"), ..ServerOptions::default() };
    let server = NatsServer::start(options).await.unwrap();
    let bus = Bus::connect(&ConnectOptions::new(server.url(), "conformance")).await.unwrap();
    let store = Store::kv(&bus).await.unwrap();
    KvWorld { server, bus, store, _dir: dir }
}

/// Repeats until the reconnected client gets through.
async fn until_ok<T, F: Future<Output = Result<T, Error>>>(mut attempt: impl FnMut() -> F) -> T {
    for _ in 0..60 {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => eprintln!("not yet: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("the server didn't come back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_no_object_and_a_watch_no_change() {
    let mut world = start().await;
    let (store, ns) = (world.store.clone(), "default");
    for name in ["a", "b", "c"] {
        store.create(&plan(ns, name)).await.unwrap();
    }
    let mut events = store.watch::<Plan>(Some(ns)).await.unwrap();
    let mut mirror = Mirror::default();
    mirror.catch_up(&mut events, &store, ns).await;
    let before = store.list::<Plan>(Some(ns)).await.unwrap();
    world.kill_and_restart().await;
    assert_eq!(until_ok(|| store.list::<Plan>(Some(ns))).await, before);
    store.delete::<Plan>(ns, "b", &Preconditions::default()).await.unwrap();
    store.create(&plan(ns, "d")).await.unwrap();
    mirror.catch_up(&mut events, &store, ns).await;
    assert_eq!(mirror.objects.keys().collect::<Vec<_>>(), ["a", "c", "d"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_lists_anew_when_the_bucket_was_replaced() {
    let world = start().await;
    let (store, ns) = (&world.store, "default");
    store.create(&plan(ns, "old")).await.unwrap();
    let mut events = store.watch::<Plan>(Some(ns)).await.unwrap();
    assert_eq!(words(&mut events, 3).await, ["init", "list old", "done"]);
    world.bus.jetstream().delete_key_value(bus::topology::RESOURCES).await.unwrap();
    let anew =
        async_nats::jetstream::kv::Config { bucket: bus::topology::RESOURCES.into(), history: 1, ..Default::default() };
    world.bus.jetstream().create_key_value(anew).await.unwrap();
    store.create(&plan(ns, "new")).await.unwrap();
    while !matches!(next(&mut events).await, Event::Init) {}
    assert_eq!(words(&mut events, 2).await, ["list new", "done"]);
    world.end().await;
}

#[tokio::test]
async fn an_object_larger_than_a_value_is_refused_with_both_sizes() {
    let world = start().await;
    let mut large = plan("default", "large");
    large.spec.description = Some("x".repeat(VALUE_LIMIT));
    let error = world.store.create(&large).await.unwrap_err();
    let Error::TooLarge { size, limit, .. } = error else { panic!("{error}") };
    assert!(size > limit);
    large.spec.description = Some("x".repeat(VALUE_LIMIT - 2000));
    let mut stored = world.store.create(&large).await.unwrap();
    stored.spec.description = Some("x".repeat(VALUE_LIMIT));
    assert!(matches!(world.store.replace(&stored).await, Err(Error::TooLarge { .. })));
    world.end().await;
}

#[tokio::test]
async fn what_a_crash_left_of_a_removed_owner_is_collected_at_the_next_start() {
    let world = start().await;
    let (store, ns) = (&world.store, "default");
    let owner = store.create(&plan(ns, "owner")).await.unwrap();
    store.create(&owned_by(migration(ns, "left"), &owner)).await.unwrap();
    store.create(&migration(ns, "kept")).await.unwrap();
    let bucket = world.bus.jetstream().get_key_value(bus::topology::RESOURCES).await.unwrap();
    bucket.delete("forklift=2Ekonveyor=2Eio.plans.default.owner").await.unwrap();
    assert!(store.get::<Plan>(ns, "owner").await.unwrap().is_none());
    let again = Store::kv(&world.bus).await.unwrap();
    assert_eq!(again.garbage_collect().await.unwrap(), 1);
    assert_eq!(again.garbage_collect().await.unwrap(), 0);
    gone::<Migration>(store, ns, "left").await;
    assert!(store.get::<Migration>(ns, "kept").await.unwrap().is_some());
    world.end().await;
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_named() {
    let world = start().await;
    let bucket = world.bus.jetstream().get_key_value(bus::topology::RESOURCES).await.unwrap();
    let key = "forklift=2Ekonveyor=2Eio.plans.default.broken";
    bucket.put(key, r#"{"metadata":{"name":"broken","namespace":"default"},"spec":5}"#.into()).await.unwrap();
    let error = world.store.get::<Plan>("default", "broken").await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error}");
    assert!(error.to_string().starts_with("Plan default/broken is stored in a form"), "{error}");
    world
        .store
        .untyped()
        .delete(forklift_api::find("plan").unwrap(), "default", "broken", &Preconditions::default())
        .await
        .unwrap();
    assert_eq!(world.store.get::<Plan>("default", "broken").await.unwrap(), None);
    world.end().await;
}
