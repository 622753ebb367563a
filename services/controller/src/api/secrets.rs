//! The handlers of Secrets. They take values and give only their names back.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use runtime::http::ApiError;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{ObjectId, SecretObject};

use super::body::{self, Target};
use super::query::{self, Parameters};
use super::{Api, answer};

type Answer = Result<Response, ApiError>;

/// The parts of a path; absent ones are empty.
#[derive(Debug, Deserialize)]
pub struct Place {
    namespace: String,
    #[serde(default)]
    name: String,
}

impl Place {
    fn id(&self) -> ObjectId {
        ObjectId { kind: "Secret".to_owned(), namespace: self.namespace.clone(), name: self.name.clone() }
    }
}

/// `GET /api/v1/namespaces/{namespace}/secrets`.
pub async fn list(State(api): State<Api>, Path(place): Path<Place>, Query(query): Query<Parameters>) -> Answer {
    all(&api, Some(&place.namespace), &query).await
}

/// `GET /api/v1/secrets`.
pub async fn list_everywhere(State(api): State<Api>, Query(query): Query<Parameters>) -> Answer {
    all(&api, None, &query).await
}

async fn all(api: &Api, namespace: Option<&str>, query: &Parameters) -> Answer {
    query::check(query)?;
    if query::is_watch(query) {
        return Err(ApiError::bad_request("Secrets can't be watched; list them"));
    }
    let names = api.secrets.list(namespace).await.map_err(|error| answer::refused(&error))?;
    let mut items = Vec::with_capacity(names.len());
    for (namespace, name) in names {
        // One that was removed since the names were read is left out.
        if let Some(secret) = find(api, &namespace, &name).await? {
            items.push(secret.redacted());
        }
    }
    Ok(Json(json!({ "apiVersion": "v1", "kind": "SecretList", "metadata": {}, "items": items })).into_response())
}

async fn find(api: &Api, namespace: &str, name: &str) -> Result<Option<SecretObject>, ApiError> {
    api.secrets.get(namespace, name).await.map_err(|error| answer::refused(&error))
}

async fn existing(api: &Api, place: &Place) -> Result<SecretObject, ApiError> {
    let found = find(api, &place.namespace, &place.name).await?;
    found.ok_or_else(|| answer::refused(&store::Error::NotFound { object: place.id() }))
}

/// `GET /api/v1/namespaces/{namespace}/secrets/{name}`: the names of its values, `***` for each value.
pub async fn read(State(api): State<Api>, Path(place): Path<Place>) -> Answer {
    Ok(Json(existing(&api, &place).await?.redacted()).into_response())
}

/// `POST /api/v1/namespaces/{namespace}/secrets`. A second time is 409 AlreadyExists.
pub async fn create(
    State(api): State<Api>,
    Path(place): Path<Place>,
    Query(query): Query<Parameters>,
    body: Bytes,
) -> Answer {
    query::check(&query)?;
    let mut secret = read_body(&body, &place, None)?;
    // A version belongs to an object that exists.
    secret.metadata.resource_version = None;
    let name = secret.name().to_owned();
    if find(&api, &place.namespace, &name).await?.is_some() {
        let object = ObjectId { name, ..place.id() };
        return Err(answer::refused(&store::Error::AlreadyExists { object }));
    }
    Ok((StatusCode::CREATED, Json(put(&api, secret).await?)).into_response())
}

/// `PUT /api/v1/namespaces/{namespace}/secrets/{name}`: all values are replaced. Without a resourceVersion the
/// newest one is replaced, for no reader could have based the new values on the old.
pub async fn replace(
    State(api): State<Api>,
    Path(place): Path<Place>,
    Query(query): Query<Parameters>,
    body: Bytes,
) -> Answer {
    query::check(&query)?;
    let secret = read_body(&body, &place, Some(&place.name))?;
    existing(&api, &place).await?;
    Ok(Json(put(&api, secret).await?).into_response())
}

fn read_body(body: &Bytes, place: &Place, name: Option<&str>) -> Result<SecretObject, ApiError> {
    let target = Target { api_version: "v1", kind: "Secret", namespace: &place.namespace, name };
    let manifest = body::object(body, target)?;
    SecretObject::from_manifest(&manifest).map_err(|error| answer::refused(&error))
}

async fn put(api: &Api, secret: SecretObject) -> Result<Value, ApiError> {
    let stored = api.secrets.put(secret).await.map_err(|error| answer::refused(&error))?;
    Ok(stored.redacted())
}

/// `DELETE /api/v1/namespaces/{namespace}/secrets/{name}`.
pub async fn delete(State(api): State<Api>, Path(place): Path<Place>, Query(query): Query<Parameters>) -> Answer {
    query::check(&query)?;
    existing(&api, &place).await?;
    api.secrets.delete(&place.namespace, &place.name).await.map_err(|error| answer::refused(&error))?;
    Ok(Json(answer::removed("secrets", &place.name)).into_response())
}
