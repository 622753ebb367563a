//! What every inventory store must do, shown on SQLite files.

use std::path::Path;

use serde_json::json;
use sqlx::Connection;
use tempfile::TempDir;

use super::*;

struct Fixture {
    store: Sqlite,
    provider: ProviderUid,
    dir: TempDir,
}

impl Fixture {
    fn file(&self) -> std::path::PathBuf {
        self.dir.path().join("inventory.db")
    }

    async fn commit(&self, batch: Batch) -> Committed {
        self.store.commit(&self.provider, &batch).await.unwrap()
    }

    async fn entries(&self, entries: Vec<Entry>) -> Committed {
        self.commit(Batch { listing: 1, entries, ..Batch::default() }).await
    }

    async fn n(&self, kind: Kind, id: &str) -> u64 {
        self.store.object(&self.provider, &Key::new(kind, id)).await.unwrap().unwrap().revision.n
    }

    async fn document(&self, kind: Kind, id: &str) -> Map<String, Value> {
        self.store.object(&self.provider, &Key::new(kind, id)).await.unwrap().unwrap().document
    }

    /// Marked objects as `kind id n`, a removal with `-`.
    async fn marked(&self) -> Vec<String> {
        let marks = self.store.marks(100).await.unwrap();
        marks.iter().map(shown).collect()
    }

    async fn send_all(&self) {
        for mark in self.store.marks(100).await.unwrap() {
            self.store.sent(&mark).await.unwrap();
        }
    }
}

fn shown(mark: &Mark) -> String {
    let what = match &mark.subject {
        Subject::Provider => "provider".to_owned(),
        Subject::Object(key) => key.to_string(),
    };
    format!("{what} {}{}", if mark.removed { "-" } else { "" }, mark.revision.n)
}

async fn open(path: &Path) -> Sqlite {
    Sqlite::open(path).await.unwrap()
}

fn row(uid: &str) -> ProviderRow {
    ProviderRow {
        uid: uid.into(),
        kind: "vsphere".to_owned(),
        namespace: "ns".to_owned(),
        name: format!("name-{uid}"),
        resource: json!({"kind": "Provider"}),
    }
}

/// A store with one provider whose first, empty listing is complete.
async fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("inventory.db")).await;
    let provider = ProviderUid::from("p-1");
    store.put_provider(&row("p-1")).await.unwrap();
    let listing = store.begin_listing(&provider).await.unwrap();
    store.complete_listing(&provider, listing).await.unwrap();
    Fixture { store, provider, dir }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn entry(kind: Kind, id: &str, document: Value) -> Entry {
    let mut document = object(document);
    let path = format!("/DC0/{id}");
    document.insert("path".to_owned(), path.as_str().into());
    Entry {
        key: Key::new(kind, id),
        name: id.to_owned(),
        path,
        parent: "group-v1".to_owned(),
        document,
        volatile: Map::new(),
        projection: None,
        shows: vec![],
        disk_files: vec![],
    }
}

fn vm(id: &str, memory: u32) -> Entry {
    entry(Kind::Vm, id, json!({"id": id, "memoryMB": memory}))
}

fn vm_on(id: &str, host: &str) -> Entry {
    Entry { shows: vec![Key::new(Kind::Host, host)], ..entry(Kind::Vm, id, json!({"id": id, "host": host})) }
}

fn vm_with_disks(id: &str, files: &[&str]) -> Entry {
    let disks: Vec<_> = files.iter().map(|file| json!({"file": file, "shared": false})).collect();
    let disk_files = files.iter().map(|file| (*file).to_owned()).collect();
    Entry { disk_files, ..entry(Kind::Vm, id, json!({"id": id, "disks": disks})) }
}

fn host(maintenance: bool, status: &str) -> Entry {
    Entry {
        projection: Some(json!({"id": "host-1", "inMaintenance": maintenance})),
        shows: vec![Key::new(Kind::Cluster, "domain-c1")],
        ..entry(Kind::Host, "host-1", json!({"inMaintenance": maintenance, "status": status}))
    }
}

fn cluster(drs: bool) -> Entry {
    let projection = json!({"id": "domain-c1", "drsEnabled": drs});
    Entry { projection: Some(projection.clone()), ..entry(Kind::Cluster, "domain-c1", projection) }
}

#[tokio::test]
async fn only_a_difference_raises_a_revision_and_sets_a_mark() {
    let f = fixture().await;
    assert_eq!(f.entries(vec![vm("vm-1", 512)]).await, Committed { raised: 1, removed: 0 });
    assert_eq!(f.marked().await, ["vm vm-1 1"]);
    f.send_all().await;
    assert_eq!(f.entries(vec![vm("vm-1", 512)]).await, Committed::default());
    assert!(f.marked().await.is_empty());
    f.entries(vec![vm("vm-1", 1024)]).await;
    assert_eq!(f.marked().await, ["vm vm-1 2"]);
}

#[tokio::test]
async fn a_volatile_field_is_kept_without_a_revision_or_mark() {
    let f = fixture().await;
    f.entries(vec![vm("vm-1", 512)]).await;
    f.send_all().await;
    let volatile = object(json!({"storageUsed": 7}));
    f.entries(vec![Entry { volatile, ..vm("vm-1", 512) }]).await;
    assert_eq!(f.document(Kind::Vm, "vm-1").await["storageUsed"], json!(7));
    assert_eq!(f.n(Kind::Vm, "vm-1").await, 1);
    assert!(f.marked().await.is_empty());
}

#[tokio::test]
async fn a_failing_write_leaves_neither_row_nor_revision_nor_mark() {
    let f = fixture().await;
    f.entries(vec![vm("vm-1", 512)]).await;
    f.send_all().await;
    let mut other = sqlx::SqliteConnection::connect(&format!("sqlite://{}", f.file().display())).await.unwrap();
    sqlx::query(
        "CREATE TRIGGER full BEFORE INSERT ON dirty WHEN NEW.id = 'vm-2' BEGIN SELECT RAISE(ABORT, 'full'); END",
    )
    .execute(&mut other)
    .await
    .unwrap();
    let batch = Batch { listing: 1, entries: vec![vm("vm-1", 1024), vm("vm-2", 1)], ..Batch::default() };
    f.store.commit(&f.provider, &batch).await.unwrap_err();
    assert_eq!(f.document(Kind::Vm, "vm-1").await["memoryMB"], json!(512));
    assert_eq!(f.n(Kind::Vm, "vm-1").await, 1);
    assert!(f.store.object(&f.provider, &Key::new(Kind::Vm, "vm-2")).await.unwrap().is_none());
    assert!(f.marked().await.is_empty());
    sqlx::query("DROP TRIGGER full").execute(&mut other).await.unwrap();
    f.commit(batch).await;
    assert_eq!(f.marked().await, ["vm vm-1 2", "vm vm-2 1"]);
}

#[tokio::test]
async fn a_changed_projection_raises_the_vms_that_show_it_and_no_other_change_does() {
    let f = fixture().await;
    f.entries(vec![vm_on("vm-1", "host-1"), vm_on("vm-2", "host-2"), host(false, "green"), cluster(false)]).await;
    f.send_all().await;
    f.entries(vec![host(false, "red")]).await;
    assert_eq!(f.marked().await, ["host host-1 2"]);
    f.entries(vec![host(true, "red")]).await;
    assert_eq!(f.marked().await, ["host host-1 3", "vm vm-1 2"]);
    f.send_all().await;
    f.entries(vec![cluster(true)]).await;
    assert_eq!(f.marked().await, ["cluster domain-c1 2", "vm vm-1 3"]);
    let shown = f.store.shown(&f.provider, &Key::new(Kind::Vm, "vm-1")).await.unwrap().unwrap();
    assert_eq!(shown.projections[&Kind::Host]["inMaintenance"], json!(true));
    assert_eq!(shown.projections[&Kind::Cluster]["drsEnabled"], json!(true));
    assert_eq!(shown.object.revision.n, 3);
}

#[tokio::test]
async fn a_removed_host_raises_the_vms_that_showed_it() {
    let f = fixture().await;
    f.entries(vec![vm_on("vm-1", "host-1"), host(false, "green")]).await;
    f.send_all().await;
    f.commit(Batch { listing: 1, gone: vec![Key::new(Kind::Host, "host-1")], ..Batch::default() }).await;
    assert_eq!(f.marked().await, ["host host-1 -2", "vm vm-1 2"]);
}

#[tokio::test]
async fn every_vm_of_a_shared_file_is_marked_and_freed_again() {
    let f = fixture().await;
    f.entries(vec![vm_with_disks("vm-1", &["[a] x.vmdk", "[a] own.vmdk"])]).await;
    f.send_all().await;
    f.entries(vec![vm_with_disks("vm-2", &["[a] x.vmdk"])]).await;
    assert_eq!(f.marked().await, ["vm vm-1 2", "vm vm-2 1"]);
    let disks = &f.document(Kind::Vm, "vm-1").await["disks"];
    assert_eq!((&disks[0]["shared"], &disks[1]["shared"]), (&json!(true), &json!(false)));
    assert_eq!(f.document(Kind::Vm, "vm-2").await["disks"][0]["shared"], json!(true));
    f.send_all().await;
    assert_eq!(f.entries(vec![vm_with_disks("vm-1", &["[a] x.vmdk", "[a] own.vmdk"])]).await, Committed::default());
    f.commit(Batch { listing: 1, gone: vec![Key::new(Kind::Vm, "vm-2")], ..Batch::default() }).await;
    assert_eq!(f.marked().await, ["vm vm-1 3", "vm vm-2 -2"]);
    assert_eq!(f.document(Kind::Vm, "vm-1").await["disks"][0]["shared"], json!(false));
}

#[tokio::test]
async fn a_removed_object_that_comes_back_goes_on_counting() {
    let f = fixture().await;
    f.entries(vec![vm("vm-1", 1)]).await;
    let gone = Batch { listing: 1, gone: vec![Key::new(Kind::Vm, "vm-1")], ..Batch::default() };
    assert_eq!(f.commit(gone.clone()).await, Committed { raised: 1, removed: 1 });
    assert_eq!(f.marked().await, ["vm vm-1 -2"]);
    f.send_all().await;
    assert_eq!(f.commit(gone).await, Committed::default());
    f.entries(vec![vm("vm-1", 1)]).await;
    assert_eq!(f.marked().await, ["vm vm-1 3"]);
}

#[tokio::test]
async fn a_new_path_changes_document_and_revision_once() {
    let f = fixture().await;
    f.entries(vec![vm("vm-1", 1)]).await;
    let paths = vec![(Key::new(Kind::Vm, "vm-1"), "/DC0/vm/new/vm-1".to_owned())];
    f.commit(Batch { listing: 1, paths: paths.clone(), ..Batch::default() }).await;
    assert_eq!(f.document(Kind::Vm, "vm-1").await["path"], json!("/DC0/vm/new/vm-1"));
    f.commit(Batch { listing: 1, paths, ..Batch::default() }).await;
    assert_eq!(f.n(Kind::Vm, "vm-1").await, 2);
    let page = Page { name: Some("new/vm-1".to_owned()), ..Page::default() };
    assert_eq!(f.store.objects(&f.provider, Kind::Vm, &page).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_complete_listing_removes_only_what_it_did_not_see() {
    let f = fixture().await;
    f.entries(vec![vm("vm-1", 1), vm("vm-2", 1), vm("vm-3", 1)]).await;
    f.send_all().await;
    let listing = f.store.begin_listing(&f.provider).await.unwrap();
    let seen = vec![Key::new(Kind::Vm, "vm-3")];
    f.commit(Batch { listing, entries: vec![vm("vm-1", 1)], seen, ..Batch::default() }).await;
    assert!(f.marked().await.is_empty());
    assert_eq!(f.store.complete_listing(&f.provider, listing).await.unwrap().removed, 1);
    assert_eq!(f.marked().await, ["vm vm-2 -2"]);
}

#[tokio::test]
async fn a_reopened_store_knows_everything_and_keeps_its_epoch() {
    let f = fixture().await;
    f.entries(vec![vm("vm-1", 1)]).await;
    f.commit(Batch { listing: 1, entries: vec![vm("vm-1", 2)], ..Batch::default() }).await;
    let mark = f.store.marks(1).await.unwrap().remove(0);
    f.store.block(&mark).await.unwrap();
    assert!(f.marked().await.is_empty());
    f.store.close().await;
    let store = open(&f.file()).await;
    assert_eq!(store.epoch(), f.store.epoch());
    let f = Fixture { store, ..f };
    assert_eq!(f.n(Kind::Vm, "vm-1").await, 2);
    assert_eq!(f.marked().await, ["vm vm-1 2"]);
    assert!(f.store.provider(&f.provider).await.unwrap().unwrap().synced);
}

#[tokio::test]
async fn nothing_but_the_state_is_sent_before_the_first_full_listing() {
    let f = fixture().await;
    let provider = ProviderUid::from("p-2");
    f.store.put_provider(&row("p-2")).await.unwrap();
    let listing = f.store.begin_listing(&provider).await.unwrap();
    let batch = Batch { listing, entries: vec![vm("vm-9", 1)], ..Batch::default() };
    f.store.commit(&provider, &batch).await.unwrap();
    f.store.set_state(&provider, &change(Collection::Loading)).await.unwrap();
    assert_eq!(f.marked().await, ["provider 1"]);
    f.store.complete_listing(&provider, listing).await.unwrap();
    assert_eq!(f.marked().await, ["provider 1", "vm vm-9 1"]);
}

#[tokio::test]
async fn a_mark_stays_when_a_newer_revision_came_while_it_was_sent() {
    let f = fixture().await;
    f.entries(vec![vm("vm-1", 1)]).await;
    let mark = f.store.marks(1).await.unwrap().remove(0);
    f.entries(vec![vm("vm-1", 2)]).await;
    f.store.sent(&mark).await.unwrap();
    assert_eq!(f.marked().await, ["vm vm-1 2"]);
    assert_eq!(f.store.backlog().await.unwrap(), 1);
}

fn change(collection: Collection) -> StateChange {
    StateChange { generation: 1, secret_version: "7".to_owned(), collection, fingerprint: None }
}

#[tokio::test]
async fn only_news_raise_the_revision_of_a_state_and_a_seen_fingerprint_stays() {
    let f = fixture().await;
    let seen = StateChange { fingerprint: Some("AA".to_owned()), ..change(Collection::Loading) };
    assert_eq!(f.store.set_state(&f.provider, &seen).await.unwrap().revision.n, 1);
    let again = f.store.set_state(&f.provider, &change(Collection::Loading)).await.unwrap();
    assert_eq!((again.revision.n, again.fingerprint.as_deref()), (1, Some("AA")));
    f.entries(vec![vm("vm-1", 1)]).await;
    let more = f.store.set_state(&f.provider, &change(Collection::Loading)).await.unwrap();
    assert_eq!((more.revision.n, more.vm_count), (2, 1));
    assert_eq!(f.store.provider(&f.provider).await.unwrap().unwrap().state, Some(more));
    let gone = f.store.set_state(&"p-9".into(), &change(Collection::Synced)).await;
    assert!(matches!(gone, Err(Error::NoProvider(_))));
}

#[tokio::test]
async fn a_dropped_provider_leaves_tombstone_marks_only() {
    let f = fixture().await;
    f.entries(vec![vm("vm-1", 1)]).await;
    f.store.set_state(&f.provider, &change(Collection::Synced)).await.unwrap();
    f.store.drop_provider(&f.provider).await.unwrap();
    assert_eq!(f.marked().await, ["provider -2", "vm vm-1 -2"]);
    assert!(f.store.providers().await.unwrap().is_empty());
    f.store.drop_provider(&f.provider).await.unwrap();
}

#[tokio::test]
async fn a_page_is_ordered_by_name_and_cut_by_limit_and_offset() {
    let f = fixture().await;
    f.entries(vec![vm("vm-3", 1), vm("vm-1", 1), vm("vm-2", 1)]).await;
    let ids = async |page: Page| {
        let objects = f.store.objects(&f.provider, Kind::Vm, &page).await.unwrap();
        objects.into_iter().map(|object| object.key.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Page::default()).await, ["vm-1", "vm-2", "vm-3"]);
    assert_eq!(ids(Page { limit: Some(1), offset: 1, name: None }).await, ["vm-2"]);
    for name in ["vm-2", "/DC0/vm-2", "DC0/vm-2"] {
        assert_eq!(ids(Page { name: Some(name.to_owned()), ..Page::default() }).await, ["vm-2"], "{name}");
    }
    assert!(ids(Page { name: Some("m-2".to_owned()), ..Page::default() }).await.is_empty());
}

#[tokio::test]
async fn another_stream_gets_everything_again_and_the_same_one_nothing() {
    let f = fixture().await;
    f.entries(vec![vm("vm-1", 1), entry(Kind::ComputeResource, "domain-s1", json!({}))]).await;
    assert!(!f.store.use_stream("first").await.unwrap());
    f.send_all().await;
    assert!(!f.store.use_stream("first").await.unwrap());
    assert!(f.marked().await.is_empty());
    assert!(f.store.use_stream("second").await.unwrap());
    assert_eq!(f.marked().await, ["vm vm-1 1"]);
}

#[tokio::test]
async fn the_tree_is_read_with_the_names_of_paths() {
    let f = fixture().await;
    let folder = Entry {
        name: "a/b".to_owned(),
        path: "/DC0/vm/a%2fb".to_owned(),
        ..entry(Kind::Folder, "group-v7", json!({}))
    };
    f.entries(vec![folder]).await;
    let nodes = f.store.nodes(&f.provider).await.unwrap();
    let parent = "group-v1".to_owned();
    assert_eq!(nodes, [Node { key: Key::new(Kind::Folder, "group-v7"), name: "a%2fb".to_owned(), parent }]);
    let documents = f.store.documents(&f.provider, &[Key::new(Kind::Folder, "group-v7")]).await.unwrap();
    assert_eq!(documents.len(), 1);
}
