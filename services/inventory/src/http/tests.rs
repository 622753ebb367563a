//! The routes as a client sees them, on a real database.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use bus::Follow;
use contract::assessment::VmAssessed;
use contract::concern::{Category, Concern};
use contract::revision::Revision;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use super::*;
use crate::database::{Batch, Entry, InventoryStore, ProviderRow, Sqlite, StateChange};
use crate::kind::{Key, Kind};

struct Fixture {
    reader: Reader,
    store: Sqlite,
    _dir: tempfile::TempDir,
}

impl Fixture {
    async fn get(&self, path: &str) -> (StatusCode, HeaderMap, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(self.reader.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
    }
}

fn entry(kind: Kind, id: &str, name: &str, document: Value) -> Entry {
    Entry {
        key: Key::new(kind, id),
        name: name.to_owned(),
        path: format!("/DC0/vm/{name}"),
        parent: "group-v1".to_owned(),
        document: document.as_object().unwrap().clone(),
        volatile: Map::new(),
        projection: None,
        shows: vec![],
        disk_files: vec![],
    }
}

/// A provider with two VMs and a host, whose first listing is complete if `synced`.
async fn fixture(synced: bool) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&dir.path().join("inventory.db")).await.unwrap();
    let row = ProviderRow {
        uid: "p-1".into(),
        kind: "vsphere".to_owned(),
        namespace: "ns".to_owned(),
        name: "vc".to_owned(),
        resource: json!({"kind": "Provider"}),
    };
    store.put_provider(&row).await.unwrap();
    let listing = store.begin_listing(&row.uid).await.unwrap();
    let vm = |id: &str, name: &str| {
        let document = json!({"id": id, "name": name, "path": format!("/DC0/vm/{name}"), "powerState": "poweredOff",
                              "disks": [], "guestId": "debian11_64Guest"});
        entry(Kind::Vm, id, name, document)
    };
    let host = entry(Kind::Host, "host-1", "esx1", json!({"id": "host-1", "name": "esx1", "status": "green"}));
    let entries = vec![vm("vm-1", "web"), vm("vm-2", "db"), host];
    store.commit(&row.uid, &Batch { listing, entries, ..Batch::default() }).await.unwrap();
    let collection = if synced { Collection::Synced } else { Collection::Loading };
    let change = StateChange { generation: 1, secret_version: "1".to_owned(), collection, fingerprint: None };
    store.set_state(&row.uid, &change).await.unwrap();
    if synced {
        store.complete_listing(&row.uid, listing).await.unwrap();
    }
    let reader = Reader { store: Arc::new(store.clone()), concerns: Concerns::default() };
    Fixture { reader, store, _dir: dir }
}

use contract::inventory::Collection;

fn names(documents: &Value) -> Vec<&str> {
    documents.as_array().unwrap().iter().map(|document| document["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn providers_are_shown_by_type_with_their_counts() {
    let f = fixture(true).await;
    for path in ["/providers", "/providers/"] {
        let (status, _, body) = f.get(path).await;
        assert_eq!(status, StatusCode::OK);
        let provider = &body["vsphere"][0];
        assert_eq!(provider["uid"], "p-1");
        assert_eq!(provider["selfLink"], "providers/vsphere/p-1");
        assert_eq!((&provider["vmCount"], &provider["hostCount"]), (&json!(2), &json!(1)));
        assert_eq!(provider["collection"]["phase"], "synced");
    }
    assert_eq!(f.get("/providers/vsphere").await.2[0]["name"], "vc");
    assert_eq!(f.get("/providers/vsphere/p-1").await.2["object"]["kind"], "Provider");
    assert_eq!(f.get("/providers/ovirt").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_list_is_brief_and_one_object_is_whole_unless_detail_says_otherwise() {
    let f = fixture(true).await;
    let (status, headers, list) = f.get("/providers/vsphere/p-1/vms").await;
    assert_eq!((status, headers["x-inventory-phase"].to_str().unwrap()), (StatusCode::OK, "synced"));
    assert_eq!(names(&list), ["db", "web"]);
    assert_eq!(list[0]["selfLink"], "providers/vsphere/p-1/vms/vm-2");
    assert_eq!(list[0]["revision"], 1);
    assert!(list[0].get("powerState").is_none() && list[0].get("concerns").is_none());
    let table = f.get("/providers/vsphere/p-1/vms/?detail=1").await.2;
    assert_eq!(table[0]["powerState"], "poweredOff");
    assert_eq!(table[0]["concerns"], json!([]));
    assert!(table[0].get("guestId").is_none());
    assert_eq!(f.get("/providers/vsphere/p-1/vms?detail=all").await.2[0]["guestId"], "debian11_64Guest");
    assert_eq!(f.get("/providers/vsphere/p-1/vms/vm-1").await.2["guestId"], "debian11_64Guest");
    assert_eq!(f.get("/providers/vsphere/p-1/hosts?detail=1").await.2[0]["status"], "green");
}

#[tokio::test]
async fn a_collection_is_filtered_by_name_and_paged() {
    let f = fixture(true).await;
    assert_eq!(names(&f.get("/providers/vsphere/p-1/vms?name=web").await.2), ["web"]);
    assert_eq!(names(&f.get("/providers/vsphere/p-1/vms?name=vm/web").await.2), ["web"]);
    assert_eq!(names(&f.get("/providers/vsphere/p-1/vms?limit=1&offset=1").await.2), ["web"]);
    let (status, _, body) = f.get("/providers/vsphere/p-1/vms?limit=many").await;
    assert_eq!((status, &body["reason"]), (StatusCode::BAD_REQUEST, &json!("BadRequest")));
}

#[tokio::test]
async fn concerns_are_shown_with_the_revision_they_belong_to() {
    let f = fixture(true).await;
    let assessed = |epoch| Follow::Item {
        subject: String::new(),
        sequence: 1,
        message: VmAssessed {
            provider: "p-1".into(),
            vm: "vm-1".into(),
            vm_revision: Revision { epoch, n: 1 },
            rules_revision: "abc".to_owned(),
            concerns: vec![Concern {
                id: "vmware.x".to_owned(),
                category: Category::Warning,
                label: "x".to_owned(),
                assessment: "y".to_owned(),
            }],
            removed: false,
        },
    };
    f.reader.concerns.apply(assessed(f.store.epoch()));
    let vm = f.get("/providers/vsphere/p-1/vms/vm-1").await.2;
    assert_eq!(vm["concerns"][0]["id"], "vmware.x");
    assert_eq!(vm["revisionValidated"], 1);
    f.reader.concerns.apply(assessed(1));
    assert_eq!(f.get("/providers/vsphere/p-1/vms/vm-1").await.2["revisionValidated"], 0);
}

#[tokio::test]
async fn what_was_never_listed_in_full_is_partial() {
    let f = fixture(false).await;
    let (status, headers, list) = f.get("/providers/vsphere/p-1/vms").await;
    assert_eq!((status, list.as_array().unwrap().len()), (StatusCode::PARTIAL_CONTENT, 2));
    assert_eq!(headers["x-inventory-phase"], "loading");
    assert_eq!(f.get("/providers/vsphere/p-1/vms/vm-1").await.0, StatusCode::PARTIAL_CONTENT);
}

#[tokio::test]
async fn an_unknown_provider_has_a_reason_header_and_an_unknown_object_has_none() {
    let f = fixture(true).await;
    for path in ["/providers/vsphere/p-9/vms", "/providers/vsphere/p-9", "/providers/ovirt/p-1/vms"] {
        let (status, headers, body) = f.get(path).await;
        assert_eq!((status, headers["x-reason"].to_str().unwrap()), (StatusCode::NOT_FOUND, "ProviderNotFound"));
        assert_eq!(body["kind"], "Status");
    }
    for path in
        ["/providers/vsphere/p-1/vms/vm-9", "/providers/vsphere/p-1/things", "/providers/vsphere/p-1/computeresources"]
    {
        let (status, headers, body) = f.get(path).await;
        assert_eq!(
            (status, headers.get("x-reason"), &body["reason"]),
            (StatusCode::NOT_FOUND, None, &json!("NotFound"))
        );
    }
}
