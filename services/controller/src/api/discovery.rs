//! What is served: Kubernetes' discovery documents, and in `/apis` all kinds with the columns of their tables, so
//! that a client needs no table of its own.

use axum::Json;
use axum::extract::Path;
use forklift_api::Kind;
use runtime::http::ApiError;
use serde_json::{Value, json};

use super::kinds;

const VERBS: [&str; 6] = ["create", "delete", "get", "list", "update", "watch"];
const SECRET_VERBS: [&str; 5] = ["create", "delete", "get", "list", "update"];

/// `GET /api`.
pub async fn core_versions() -> Json<Value> {
    Json(json!({ "kind": "APIVersions", "versions": ["v1"] }))
}

/// `GET /api/v1`.
pub async fn core_resources() -> Json<Value> {
    Json(resource_list("v1", &[secret()]))
}

/// `GET /apis`: Kubernetes' list of groups, and under `resources` every kind of every group, Secrets included.
pub async fn groups() -> Json<Value> {
    let mut names: Vec<(&str, &str)> =
        forklift_api::kinds().iter().map(|kind| (kind.group.as_str(), kind.version.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    let groups: Vec<Value> = names.into_iter().map(|(name, version)| group(name, version)).collect();
    let resources: Vec<Value> = forklift_api::kinds().iter().map(resource).chain([secret()]).collect();
    Json(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups, "resources": resources }))
}

/// `GET /apis/{group}/{version}`.
pub async fn resources(Path((group, version)): Path<(String, String)>) -> Result<Json<Value>, ApiError> {
    let known = kinds::in_version(&group, &version)?;
    let resources: Vec<Value> = known.into_iter().map(resource).collect();
    Ok(Json(resource_list(&format!("{group}/{version}"), &resources)))
}

fn group(name: &str, version: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

fn resource_list(version: &str, resources: &[Value]) -> Value {
    json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources })
}

fn resource(kind: &Kind) -> Value {
    let columns: Vec<Value> = kind
        .columns
        .iter()
        .map(|column| json!({ "name": column.name, "type": column.type_, "jsonPath": column.json_path }))
        .collect();
    json!({
        "group": kind.group, "version": kind.version, "kind": kind.kind,
        "name": kind.plural, "singularName": kind.singular, "shortNames": kind.short_names,
        "namespaced": kind.namespaced, "verbs": VERBS, "columns": columns,
    })
}

fn secret() -> Value {
    let column = |name: &str, type_: &str, path: &str| json!({ "name": name, "type": type_, "jsonPath": path });
    json!({
        "group": "", "version": "v1", "kind": "Secret", "name": "secrets", "singularName": "secret",
        "shortNames": [], "namespaced": true, "verbs": SECRET_VERBS,
        "columns": [
            column("TYPE", "string", ".type"),
            column("KEYS", "string", ".data"),
            column("AGE", "date", ".metadata.creationTimestamp"),
        ],
    })
}
