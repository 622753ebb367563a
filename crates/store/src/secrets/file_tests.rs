use std::os::unix::fs::PermissionsExt as _;

use futures::StreamExt as _;
use serde_json::json;

use super::*;
use crate::secrets::{SecretChange, Secrets};

fn secret(password: &str) -> SecretObject {
    SecretObject::from_manifest(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "vc.example", "namespace": "default" },
        "stringData": { "password": password },
    }))
    .unwrap()
}

fn open() -> (tempfile::TempDir, Secrets) {
    let dir = tempfile::tempdir().unwrap();
    let secrets = Secrets::open(&dir.path().join("secrets")).unwrap();
    (dir, secrets)
}

#[tokio::test]
async fn a_secret_is_read_back_and_nobody_else_may_read_its_file() {
    let (dir, secrets) = open();
    let put = secrets.put(secret("one")).await.unwrap();
    assert_eq!(secrets.get("default", "vc.example").await.unwrap().unwrap(), put);
    let mode = |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("secrets"), 0o700);
    assert_eq!(mode("secrets/default"), 0o700);
    assert_eq!(mode("secrets/default/vc=2Eexample.json"), 0o600);
    assert_eq!(fs::read_dir(dir.path().join("secrets/default")).unwrap().count(), 1);
}

#[tokio::test]
async fn the_version_changes_with_the_content_only_and_never_comes_back() {
    let (_dir, secrets) = open();
    let first = secrets.put(secret("one")).await.unwrap();
    let again = secrets.put(secret("one")).await.unwrap();
    assert_eq!(first.resource_version(), again.resource_version());
    let changed = secrets.put(secret("two")).await.unwrap();
    assert_ne!(first.resource_version(), changed.resource_version());
    assert_eq!(first.metadata.uid, changed.metadata.uid);
    secrets.delete("default", "vc.example").await.unwrap();
    let anew = secrets.put(secret("one")).await.unwrap();
    assert!(![first.resource_version(), changed.resource_version()].contains(&anew.resource_version()));
    assert_ne!(first.metadata.uid, anew.metadata.uid);
}

#[tokio::test]
async fn of_two_writers_who_read_the_same_version_the_second_is_told() {
    let (_dir, secrets) = open();
    let read = secrets.put(secret("one")).await.unwrap();
    let with = |password: &str| SecretObject { data: secret(password).data, ..read.clone() };
    secrets.put(with("two")).await.unwrap();
    let error = secrets.put(with("three")).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert_eq!(secrets.get("default", "vc.example").await.unwrap().unwrap().text("password").unwrap().expose(), "two");
}

#[tokio::test]
async fn names_are_listed_and_a_removed_one_is_not_found() {
    let (_dir, secrets) = open();
    secrets.put(secret("one")).await.unwrap();
    assert_eq!(secrets.list(None).await.unwrap(), [("default".to_owned(), "vc.example".to_owned())]);
    assert_eq!(secrets.list(Some("other")).await.unwrap(), []);
    secrets.delete("default", "vc.example").await.unwrap();
    assert!(secrets.delete("default", "vc.example").await.unwrap_err().is_not_found());
    assert_eq!(secrets.get("default", "vc.example").await.unwrap(), None);
}

#[tokio::test]
async fn a_new_password_is_noticed_also_by_another_process() {
    let (dir, secrets) = open();
    secrets.put(secret("one")).await.unwrap();
    let other = Secrets::open(&dir.path().join("secrets")).unwrap();
    let mut changes = other.changes();
    let (namespace, name) = ("default".to_owned(), "vc.example".to_owned());
    let there = SecretChange::Changed { namespace: namespace.clone(), name: name.clone() };
    assert_eq!(changes.next().await.unwrap().unwrap(), there);
    secrets.put(secret("two")).await.unwrap();
    assert_eq!(changes.next().await.unwrap().unwrap(), there);
    secrets.delete("default", "vc.example").await.unwrap();
    assert_eq!(changes.next().await.unwrap().unwrap(), SecretChange::Removed { namespace, name });
}
