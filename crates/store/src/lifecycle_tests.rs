use serde_json::json;

use super::*;

fn checker() -> Checker {
    Checker::new(forklift_api::find("provider").unwrap()).unwrap()
}

fn sent() -> Value {
    json!({
        "apiVersion": "forklift.konveyor.io/v1beta1", "kind": "Provider",
        "metadata": { "name": "vc", "namespace": "default" },
        "spec": { "type": "vsphere", "secret": { "name": "s" } },
    })
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn stored() -> Value {
    let mut object = create(&checker(), sent(), Uuid::nil(), now()).unwrap();
    object["metadata"]["resourceVersion"] = json!("7");
    object
}

fn written_by(change: Change) -> Value {
    match change {
        Change::Write(object) => object,
        other => panic!("not a write: {other:?}"),
    }
}

#[test]
fn the_store_alone_sets_identity_time_generation_and_status_of_a_new_object() {
    let mut object = sent();
    object["metadata"]["uid"] = json!("mine");
    object["metadata"]["generation"] = json!(9);
    object["metadata"]["deletionTimestamp"] = json!("2020-01-01T00:00:00Z");
    object["status"] = json!({ "phase": "Ready" });
    let object = create(&checker(), object, Uuid::nil(), now()).unwrap();
    assert_eq!(object["metadata"]["uid"], json!(Uuid::nil().to_string()));
    assert_eq!(object["metadata"]["generation"], json!(1));
    assert_eq!(object["metadata"]["creationTimestamp"], json!("2027-01-15T08:00:00Z"));
    assert_eq!(object["metadata"].get("deletionTimestamp"), None);
    assert_eq!(object.get("status"), None);
}

#[test]
fn a_name_is_made_from_generate_name() {
    let mut object = sent();
    object["metadata"] = json!({ "generateName": "run-", "namespace": "default" });
    let object = create(&checker(), object, Uuid::nil(), now()).unwrap();
    assert_eq!(object["metadata"]["name"], json!("run-00000000"));
}

#[test]
fn generation_counts_changes_of_the_spec_only() {
    let mut labelled = stored();
    labelled["metadata"]["labels"] = json!({ "a": "b" });
    let labelled = written_by(replace(&checker(), &stored(), labelled).unwrap());
    assert_eq!(labelled["metadata"]["generation"], json!(1));

    let mut changed = stored();
    changed["spec"]["url"] = json!("https://vc/sdk");
    let changed = written_by(replace(&checker(), &stored(), changed).unwrap());
    assert_eq!(changed["metadata"]["generation"], json!(2));
}

#[test]
fn a_replace_keeps_the_status_and_a_status_update_keeps_all_else() {
    let mut new = stored();
    new["status"] = json!({ "phase": "Ready" });
    new["spec"]["url"] = json!("https://other/sdk");
    new["metadata"]["labels"] = json!({ "a": "b" });
    let by_status = written_by(replace_status(&checker(), stored(), new.clone()).unwrap());
    assert_eq!(by_status["status"], json!({ "phase": "Ready" }));
    assert_eq!(by_status["spec"], stored()["spec"]);
    assert_eq!(by_status["metadata"], stored()["metadata"]);

    let by_replace = written_by(replace(&checker(), &by_status, new).unwrap());
    assert_eq!(by_replace["status"], json!({ "phase": "Ready" }));
    assert_eq!(by_replace["metadata"]["generation"], json!(2));
    let mut without = by_replace.clone();
    without.as_object_mut().unwrap().remove("status");
    assert_eq!(replace(&checker(), &by_replace, without).unwrap(), Change::Nothing(by_replace));
}

#[test]
fn an_old_or_missing_version_and_another_uid_are_refused() {
    let mut new = stored();
    new["metadata"]["resourceVersion"] = json!("6");
    assert!(matches!(replace(&checker(), &stored(), new.clone()), Err(Refusal::Conflict(_))));
    assert!(matches!(replace_status(&checker(), stored(), new.clone()), Err(Refusal::Conflict(_))));
    new["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    assert!(matches!(replace(&checker(), &stored(), new), Err(Refusal::Invalid(_))));
    let mut new = stored();
    new["metadata"]["uid"] = json!("11111111-1111-1111-1111-111111111111");
    assert!(matches!(replace(&checker(), &stored(), new), Err(Refusal::Conflict(_))));
}

#[test]
fn finalizers_hold_an_object_until_the_last_is_taken() {
    let mut held = stored();
    held["metadata"]["finalizers"] = json!(["longshore/ledger"]);
    let marked = written_by(delete(held.clone(), &Preconditions::default(), now()).unwrap());
    assert_eq!(marked["metadata"]["deletionTimestamp"], json!("2027-01-15T08:00:00Z"));
    assert_eq!(delete(marked.clone(), &Preconditions::default(), now()).unwrap(), Change::Nothing(marked.clone()));

    let mut more = marked.clone();
    more["metadata"]["finalizers"] = json!(["longshore/ledger", "other"]);
    assert!(matches!(replace(&checker(), &marked, more), Err(Refusal::Invalid(_))));

    let mut released = marked.clone();
    released["metadata"]["finalizers"] = json!([]);
    assert!(matches!(replace(&checker(), &marked, released), Ok(Change::Remove(_))));
    assert!(matches!(delete(stored(), &Preconditions::default(), now()), Ok(Change::Remove(_))));
}

#[test]
fn a_deletion_of_another_incarnation_is_refused() {
    let other = Preconditions::uid("another");
    assert!(matches!(delete(stored(), &other, now()), Err(Refusal::Conflict(_))));
    let newer = Preconditions { uid: None, resource_version: Some("8".into()) };
    assert!(matches!(delete(stored(), &newer, now()), Err(Refusal::Conflict(_))));
}
