//! Secrets over HTTP: whatever is done with one, its values never come back.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::rig::Rig;

const SECRETS: &str = "/api/v1/namespaces/east/secrets";
const ONE: &str = "/api/v1/namespaces/east/secrets/vcenter";

/// `hunter2` once as it is and once in base64.
const SHOWN: [&str; 2] = ["hunter2", "aHVudGVyMg"];

fn secret() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "vcenter" },
        "stringData": { "password": "hunter2" }, "data": { "token": "aHVudGVyMg==" },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_shows_a_value() {
    let rig = Rig::start().await;
    let mut broken = secret();
    broken["data"]["token"] = json!("hunter2!");
    let calls = [
        (Method::POST, SECRETS, Some(secret()), StatusCode::CREATED),
        (Method::POST, SECRETS, Some(secret()), StatusCode::CONFLICT),
        (Method::POST, SECRETS, Some(broken.clone()), StatusCode::UNPROCESSABLE_ENTITY),
        (Method::PUT, ONE, Some(broken), StatusCode::UNPROCESSABLE_ENTITY),
        (Method::PUT, ONE, Some(secret()), StatusCode::OK),
        (Method::GET, ONE, None, StatusCode::OK),
        (Method::GET, SECRETS, None, StatusCode::OK),
        (Method::GET, "/api/v1/secrets", None, StatusCode::OK),
        (Method::GET, "/api/v1/secrets?watch=true", None, StatusCode::BAD_REQUEST),
        (Method::DELETE, ONE, None, StatusCode::OK),
        (Method::DELETE, ONE, None, StatusCode::NOT_FOUND),
        (Method::GET, ONE, None, StatusCode::NOT_FOUND),
        (Method::PUT, ONE, Some(secret()), StatusCode::NOT_FOUND),
    ];
    for (method, path, body, expected) in calls {
        let name = format!("{method} {path}");
        let (status, answer) = rig.ask(method, path, body).await;
        assert_eq!(status, expected, "{name}: {answer}");
        let text = answer.to_string();
        assert!(SHOWN.iter().all(|value| !text.contains(value)), "{name}: {text}");
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_values_are_shown_and_the_version_changes_with_the_content_only() {
    let rig = Rig::start().await;
    let (_, first) = rig.ask(Method::POST, SECRETS, Some(secret())).await;
    assert_eq!(first["data"], json!({ "password": "***", "token": "***" }));
    assert_eq!(first["metadata"]["namespace"], "east");
    let (_, same) = rig.ask(Method::PUT, ONE, Some(secret())).await;
    assert_eq!(same["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let mut changed = secret();
    changed["stringData"]["password"] = json!("hunter3");
    let (_, second) = rig.ask(Method::PUT, ONE, Some(changed.clone())).await;
    assert_ne!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    changed["metadata"] = first["metadata"].clone();
    let (status, error) = rig.ask(Method::PUT, ONE, Some(changed)).await;
    assert_eq!((status, &error["reason"]), (StatusCode::CONFLICT, &json!("Conflict")));
    rig.end().await;
}
