//! Following objects through the property collector.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use vsphere::{Error, Fault, MoRef, Object, ObjectSpec, PropertyWatch, UpdateKind, UpdateSet};

use crate::peer::Peer;

const WAIT: Duration = Duration::from_secs(10);

/// What a consumer holds.
#[derive(Default)]
struct Held(BTreeMap<MoRef, Object>);

impl Held {
    fn take(&mut self, set: UpdateSet) {
        for update in set.updates {
            if update.kind == UpdateKind::Leave {
                self.0.remove(&update.reference).expect("an object that leaves was there");
                continue;
            }
            let object =
                self.0.entry(update.reference.clone()).or_insert_with(|| Object::new(update.reference.clone()));
            assert_eq!(object.apply(update), Vec::<String>::new());
        }
    }

    /// Takes sets until one is whole; gives their number.
    async fn take_whole(&mut self, watch: &mut PropertyWatch) -> usize {
        for sets in 1.. {
            let set = watch.next(WAIT).await.unwrap().expect("something changed");
            let truncated = set.truncated;
            self.take(set);
            if !truncated {
                return sets;
            }
        }
        unreachable!()
    }

    /// Takes sets until `done`, for changes may come in several.
    async fn take_until(&mut self, watch: &mut PropertyWatch, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            self.take_whole(watch).await;
        }
    }

    fn named(&self, name: &str) -> Option<&Object> {
        self.0.values().find(|object| object.text("name") == Some(name))
    }

    fn kinds(&self) -> BTreeMap<&str, usize> {
        self.0.keys().fold(BTreeMap::new(), |mut count, object| {
            *count.entry(object.kind.as_str()).or_default() += 1;
            count
        })
    }
}

fn vms() -> Vec<ObjectSpec> {
    let paths = ["name", "runtime", "config.hardware", "config.annotation", "config.changeTrackingEnabled", "snapshot"];
    vec![ObjectSpec::new("VirtualMachine", &paths)]
}

#[tokio::test]
async fn the_first_set_is_everything_of_all_types() {
    let peer = Peer::start();
    let client = peer.login().await;
    let mut specs = vms();
    for kind in ["HostSystem", "ClusterComputeResource", "Network", "Datastore", "Folder", "Datacenter"] {
        specs.push(ObjectSpec::new(kind, &["name", "parent"]));
    }
    let mut watch = client.watch(&specs).await.unwrap();
    let mut held = Held::default();
    held.take_whole(&mut watch).await;
    let kinds = held.kinds();
    assert_eq!(kinds["VirtualMachine"], peer.get("/vms").await.as_array().unwrap().len());
    assert_eq!((kinds["HostSystem"], kinds["ClusterComputeResource"], kinds["Datacenter"]), (3, 2, 1));
    assert!(kinds.contains_key("DistributedVirtualPortgroup"), "subtypes are included: {kinds:?}");
    assert!(held.0.contains_key(client.root_folder()), "the root folder is a folder too");
    let demo = held.named("demo-vm").unwrap();
    assert_eq!(demo.integer("config.hardware.numCPU"), Some(2));
    let disks =
        demo.list("config.hardware.device").into_iter().filter(|device| device.type_name() == Some("VirtualDisk"));
    let files: Vec<_> = disks.filter_map(|disk| disk.text("backing.fileName")).collect();
    assert_eq!(files.len(), 2);
    assert!(files[0].starts_with("[vmfs-1] ") && files[1].starts_with("[nfs 1] "), "{files:?}");
    watch.close().await;
    assert_eq!((peer.calls("DestroyPropertyCollector").await, peer.calls("DestroyView").await), (1, 1));
}

#[tokio::test]
async fn small_pages_are_put_together() {
    let peer = Peer::start();
    let client = peer.login().await;
    let mut watch = client.watch_paged(&vms(), 2).await.unwrap();
    let mut held = Held::default();
    let sets = held.take_whole(&mut watch).await;
    let all = peer.get("/vms").await.as_array().unwrap().len();
    assert_eq!(held.0.len(), all);
    assert!(sets >= all / 2, "{sets} sets of at most 2 for {all}");
}

#[tokio::test]
async fn changes_additions_and_removals_arrive() {
    let peer = Peer::start();
    let client = peer.login().await;
    let mut watch = client.watch(&vms()).await.unwrap();
    let mut held = Held::default();
    held.take_whole(&mut watch).await;

    peer.patch_vm("demo-vm", json!({"cpus": 6, "notes": "moved & <checked>", "changeTracking": true})).await;
    held.take_until(&mut watch, |held| held.named("demo-vm").unwrap().integer("config.hardware.numCPU") == Some(6))
        .await;
    let changed = |held: &Held| held.named("demo-vm").unwrap().text("config.annotation") == Some("moved & <checked>");
    held.take_until(&mut watch, changed).await;
    assert_eq!(held.named("demo-vm").unwrap().integer("config.hardware.memoryMB"), Some(1024), "its neighbour stays");

    peer.patch_vm("demo-vm", json!({"changeTracking": false})).await;
    let off = |held: &Held| held.named("demo-vm").unwrap().boolean("config.changeTrackingEnabled") == Some(false);
    held.take_until(&mut watch, off).await;

    peer.patch_vm("demo-vm", json!({"snapshot": "one"})).await;
    held.take_until(&mut watch, |held| held.named("demo-vm").unwrap().get("snapshot").is_some()).await;
    peer.patch_vm("demo-vm", json!({"snapshot": ""})).await;
    held.take_until(&mut watch, |held| held.named("demo-vm").unwrap().get("snapshot").is_none()).await;

    peer.control("POST", "/vms", json!({"name": "newcomer", "disks": [{"datastore": "vmfs-1", "size": "1MiB"}]})).await;
    let there = |held: &Held| held.named("newcomer").is_some_and(|vm| vm.list("config.hardware.device").len() > 1);
    held.take_until(&mut watch, there).await;
    peer.control("DELETE", "/vms/newcomer", json!(null)).await;
    held.take_until(&mut watch, |held| held.named("newcomer").is_none()).await;
}

#[tokio::test]
async fn a_quiet_wait_ends_without_a_set() {
    let peer = Peer::start();
    let client = peer.login().await;
    let mut watch = client.watch(&[ObjectSpec::new("Datacenter", &["name"])]).await.unwrap();
    Held::default().take_whole(&mut watch).await;
    let version = watch.version().to_owned();
    assert_eq!(watch.next(Duration::from_secs(1)).await.unwrap(), None);
    assert_eq!(watch.version(), version);
}

#[tokio::test]
async fn a_lost_session_ends_the_watch_and_a_new_one_starts_with_everything() {
    let peer = Peer::start();
    let client = peer.login().await;
    let mut watch = client.watch(&vms()).await.unwrap();
    let mut held = Held::default();
    held.take_whole(&mut watch).await;
    let (ended, ()) = tokio::join!(watch.next(WAIT), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        peer.expire_sessions().await;
    });
    assert!(matches!(ended, Err(Error::SessionLost)), "{ended:?}");
    assert_eq!(peer.logins().await, (1, 0), "a watch opens no session by itself");
    client.renew().await.unwrap();
    let mut again = Held::default();
    again.take_whole(&mut client.watch(&vms()).await.unwrap()).await;
    assert_eq!(again.0.len(), held.0.len());
}

#[tokio::test]
async fn a_watch_that_is_refused_leaves_nothing_behind() {
    let peer = Peer::start();
    let client = peer.login().await;
    peer.fault("CreateFilter", "InvalidProperty", 1).await;
    let error = client.watch(&vms()).await.unwrap_err();
    assert!(matches!(error.fault(), Some(Fault::InvalidProperty { .. })), "{error:?}");
    assert_eq!((peer.calls("DestroyPropertyCollector").await, peer.calls("DestroyView").await), (1, 1));
}

#[tokio::test]
async fn a_version_that_the_server_does_not_know_is_a_typed_fault() {
    let peer = Peer::start();
    let client = peer.login().await;
    let mut watch = client.watch(&vms()).await.unwrap();
    peer.fault("WaitForUpdatesEx", "InvalidCollectorVersion", 1).await;
    let error = watch.next(WAIT).await.unwrap_err();
    assert_eq!(error.fault(), Some(&Fault::InvalidCollectorVersion));
}
