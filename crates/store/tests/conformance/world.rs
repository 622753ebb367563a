//! Objects to test with, and how to wait for what a watch tells.

use std::collections::BTreeMap;
use std::time::Duration;

use forklift_api::{Migration, MigrationSpec, ObjectRef, OwnerReference, Plan, PlanSpec, Provider, ProviderSpec};
use futures::{Stream, StreamExt};
use kube::{Resource, ResourceExt};
use store::{Error, Event, Object, Store};

/// A started backend.
pub trait World {
    /// Its store.
    fn store(&self) -> &Store;
    /// A namespace that is there and empty.
    fn namespace(&self) -> &str;
}

/// A valid Provider.
pub fn provider(namespace: &str, name: &str) -> Provider {
    let secret = ObjectRef { name: Some("credentials".into()), ..ObjectRef::default() };
    let spec = ProviderSpec { type_: "vsphere".into(), secret, ..ProviderSpec::default() };
    within(Provider::new(name, spec), namespace)
}

/// A valid Plan.
pub fn plan(namespace: &str, name: &str) -> Plan {
    within(Plan::new(name, PlanSpec { target_namespace: "vms".into(), ..PlanSpec::default() }), namespace)
}

/// A valid Migration.
pub fn migration(namespace: &str, name: &str) -> Migration {
    within(Migration::new(name, MigrationSpec::default()), namespace)
}

fn within<K: Resource>(mut object: K, namespace: &str) -> K {
    object.meta_mut().namespace = Some(namespace.to_owned());
    object
}

/// `object`, owned by `owner`.
pub fn owned_by<K: Resource, O: Resource<DynamicType = ()>>(mut object: K, owner: &O) -> K {
    object.owner_references_mut().push(OwnerReference { controller: None, ..owner.owner_ref(&()).unwrap() });
    object
}

/// The next event within ten seconds; an interruption is passed over.
pub async fn next<K>(events: &mut (impl Stream<Item = Result<Event<K>, Error>> + Unpin)) -> Event<K> {
    loop {
        match tokio::time::timeout(Duration::from_secs(30), events.next()).await.expect("an event in time") {
            Some(Ok(event)) => return event,
            Some(Err(error)) => eprintln!("interrupted: {error}"),
            None => panic!("the watch ended"),
        }
    }
}

/// An event in short: `list a`, `apply a`, `delete a`, `init`, `done`.
pub fn word<K: ResourceExt>(event: &Event<K>) -> String {
    match event {
        Event::Init => "init".into(),
        Event::InitDone => "done".into(),
        Event::InitApply(object) => format!("list {}", object.name_any()),
        Event::Apply(object) => format!("apply {}", object.name_any()),
        Event::Delete(object) => format!("delete {}", object.name_any()),
    }
}

/// The next `count` events in short.
pub async fn words<K: ResourceExt>(
    events: &mut (impl Stream<Item = Result<Event<K>, Error>> + Unpin),
    count: usize,
) -> Vec<String> {
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(word(&next(events).await));
    }
    words
}

/// What a watch's events add up to: resourceVersion by name.
#[derive(Default)]
pub struct Mirror {
    /// The state.
    pub objects: BTreeMap<String, String>,
    listing: BTreeMap<String, String>,
}

impl Mirror {
    /// Takes one event in.
    pub fn take<K: ResourceExt>(&mut self, event: &Event<K>) {
        let version = |object: &K| (object.name_any(), object.resource_version().unwrap());
        match event {
            Event::Init => self.listing.clear(),
            Event::InitApply(object) => self.listing.extend([version(object)]),
            Event::InitDone => self.objects = std::mem::take(&mut self.listing),
            Event::Apply(object) => self.objects.extend([version(object)]),
            Event::Delete(object) => drop(self.objects.remove(&object.name_any())),
        }
    }

    /// Takes events in until the state is that of the store's list.
    pub async fn catch_up<K: Object>(
        &mut self,
        events: &mut (impl Stream<Item = Result<Event<K>, Error>> + Unpin),
        store: &Store,
        namespace: &str,
    ) {
        let listed = store.list::<K>(Some(namespace)).await.unwrap();
        let listed: BTreeMap<_, _> =
            listed.iter().map(|object| (object.name_any(), object.resource_version().unwrap())).collect();
        while self.objects != listed {
            let event = next(events).await;
            self.take(&event);
        }
    }
}

/// Waits until nothing is left of `name`; owner clean-up may take its time.
pub async fn gone<K: Object>(store: &Store, namespace: &str, name: &str) {
    for _ in 0..100 {
        if store.get::<K>(namespace, name).await.unwrap().is_none() {
            return;
        }
        store.garbage_collect().await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{name} is still there");
}
