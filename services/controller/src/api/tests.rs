//! The API as a client meets it: over HTTP, with the token, on a store in a real nats-server.

mod rig;
mod secrets;
mod watching;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use rig::{Rig, network_map};

const MAPS: &str = "/apis/forklift.konveyor.io/v1beta1/namespaces/east/networkmaps";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_is_created_read_listed_replaced_and_deleted() {
    let rig = Rig::start().await;
    let (status, created) = rig.ask(Method::POST, MAPS, Some(network_map("one", "pod"))).await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(created["metadata"]["uid"].is_string());
    let path = format!("{MAPS}/one");
    assert_eq!(rig.get(&path).await, (StatusCode::OK, created.clone()));
    assert_eq!(rig.get(&format!("{path}/status")).await.0, StatusCode::OK);
    let (_, list) = rig.get(MAPS).await;
    assert_eq!(list["kind"], "NetworkMapList");
    assert_eq!(list["items"], json!([created]));
    assert_eq!(rig.get("/apis/forklift.konveyor.io/v1beta1/networkmaps").await.1["items"], json!([created]));
    assert_eq!(rig.get(&MAPS.replace("east", "west")).await.1["items"], json!([]));

    let mut wanted = created.clone();
    wanted["spec"]["map"][0]["destination"]["type"] = json!("ignored");
    let (status, replaced) = rig.ask(Method::PUT, &path, Some(wanted)).await;
    assert_eq!(status, StatusCode::OK, "{replaced}");
    assert_eq!(replaced["spec"]["map"][0]["destination"]["type"], "ignored");
    assert_ne!(replaced["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"]);

    assert_eq!(rig.ask(Method::DELETE, &path, None).await.0, StatusCode::OK);
    let (status, error) = rig.get(&path).await;
    assert_eq!((status, &error["reason"]), (StatusCode::NOT_FOUND, &json!("NotFound")));
    assert_eq!(rig.ask(Method::DELETE, &path, None).await.0, StatusCode::NOT_FOUND);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_version_a_taken_name_and_a_failed_precondition_are_conflicts() {
    let rig = Rig::start().await;
    let (_, first) = rig.ask(Method::POST, MAPS, Some(network_map("one", "pod"))).await;
    let (status, error) = rig.ask(Method::POST, MAPS, Some(network_map("one", "pod"))).await;
    assert_eq!((status, &error["reason"]), (StatusCode::CONFLICT, &json!("AlreadyExists")));

    let path = format!("{MAPS}/one");
    let mut newer = first.clone();
    newer["spec"]["map"] = json!([]);
    assert_eq!(rig.ask(Method::PUT, &path, Some(newer)).await.0, StatusCode::OK);
    let (status, error) = rig.ask(Method::PUT, &path, Some(first)).await;
    assert_eq!(
        (status, &error["reason"], &error["kind"]),
        (StatusCode::CONFLICT, &json!("Conflict"), &json!("Status"))
    );

    let other = json!({ "preconditions": { "uid": "another" } });
    assert_eq!(rig.ask(Method::DELETE, &path, Some(other)).await.0, StatusCode::CONFLICT);
    assert_eq!(rig.get(&path).await.0, StatusCode::OK);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_kind_or_field_is_answered_with_what_was_meant() {
    let rig = Rig::start().await;
    let (status, error) = rig.get(&MAPS.replace("networkmaps", "networkmap")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(error["message"].as_str().unwrap().ends_with("did you mean `networkmaps`?"), "{error}");

    let mut wrong = network_map("one", "pod");
    wrong["spec"]["maps"] = json!([]);
    let (status, error) = rig.ask(Method::POST, MAPS, Some(wrong)).await;
    assert_eq!((status, &error["reason"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("Invalid")));
    let cause = &error["details"]["causes"][0];
    assert_eq!(cause["field"], "spec.maps");
    assert!(cause["message"].as_str().unwrap().contains("did you mean `map`?"), "{error}");
    assert_eq!(rig.get(MAPS).await.1["items"], json!([]));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_would_wrongly_rely_on_is_refused() {
    let rig = Rig::start().await;
    let dry = rig.ask(Method::POST, &format!("{MAPS}?dryRun=All"), Some(network_map("one", "pod"))).await;
    assert_eq!(dry.0, StatusCode::BAD_REQUEST);
    assert_eq!(rig.get(MAPS).await.1["items"], json!([]));
    assert_eq!(rig.get(&format!("{MAPS}?labelSelector=a%3Db")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(rig.ask(Method::DELETE, MAPS, None).await.0, StatusCode::METHOD_NOT_ALLOWED);
    let patch = rig.ask(Method::PATCH, &format!("{MAPS}/one"), Some(json!({}))).await;
    assert_eq!((patch.0, &patch.1["reason"]), (StatusCode::METHOD_NOT_ALLOWED, &json!("MethodNotAllowed")));

    let elsewhere = MAPS.replace("east", "west");
    let (status, error) = rig.ask(Method::POST, &elsewhere, Some(network_map("one", "pod"))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{error}");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_is_read_and_never_written() {
    let rig = Rig::start().await;
    let mut object = network_map("one", "pod");
    object["status"] =
        json!({ "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z" }] });
    let (status, mut stored) = rig.ask(Method::POST, MAPS, Some(object.clone())).await;
    assert_eq!(status, StatusCode::CREATED, "{stored}");
    assert!(stored["status"]["conditions"].is_null(), "{stored}");
    let path = format!("{MAPS}/one");
    stored["status"] = object["status"].clone();
    let (status, replaced) = rig.ask(Method::PUT, &path, Some(stored.clone())).await;
    assert_eq!(status, StatusCode::OK);
    assert!(replaced["status"]["conditions"].is_null(), "{replaced}");
    let (status, error) = rig.ask(Method::PUT, &format!("{path}/status"), Some(stored)).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(error["message"].as_str().unwrap().contains("only the controller writes status"));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_has_every_kind_with_short_names_and_columns() {
    let rig = Rig::start().await;
    let (_, apis) = rig.get("/apis").await;
    let resources = apis["resources"].as_array().unwrap();
    let find = |name: &str| resources.iter().find(|resource| resource["name"] == name).unwrap();
    for kind in forklift_api::kinds() {
        assert_eq!(find(&kind.plural)["kind"], kind.kind);
    }
    let columns: Vec<&Value> =
        find("plans")["columns"].as_array().unwrap().iter().map(|column| &column["name"]).collect();
    assert_eq!(columns, ["READY", "EXECUTING", "SUCCEEDED", "FAILED", "AGE"]);
    assert_eq!(find("virtualmachineimports")["shortNames"], json!(["vmimport"]));
    assert_eq!(find("secrets")["group"], "");
    let groups: Vec<&Value> = apis["groups"].as_array().unwrap().iter().map(|group| &group["name"]).collect();
    assert_eq!(groups, ["forklift.konveyor.io", "v2v.kubevirt.io"]);
    let (_, one) = rig.get("/apis/v2v.kubevirt.io/v1beta1").await;
    assert_eq!((&one["kind"], one["resources"].as_array().unwrap().len()), (&json!("APIResourceList"), 1));
    assert_eq!(rig.get("/api/v1").await.1["resources"][0]["name"], "secrets");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_token_nothing_is_told() {
    let rig = Rig::start().await;
    for path in ["/apis", MAPS, "/api/v1/secrets", "/nothing"] {
        let answer = reqwest::get(format!("{}{path}", rig.base)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(rig.get("/nothing").await.0, StatusCode::NOT_FOUND);
    rig.end().await;
}
