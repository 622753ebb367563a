//! The handlers of all kinds but Secret.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use forklift_api::Kind;
use futures::StreamExt;
use runtime::http::ApiError;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Deletion;

use super::body::{self, Target};
use super::query::{self, Parameters};
use super::watch::Watch;
use super::{Api, answer, kinds};

type Answer = Result<Response, ApiError>;

/// The parts of a path; absent ones are empty.
#[derive(Debug, Deserialize)]
pub struct Place {
    group: String,
    version: String,
    plural: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

impl Place {
    fn kind(&self) -> Result<&'static Kind, ApiError> {
        kinds::of(&self.group, &self.version, &self.plural)
    }
}

/// `GET …/namespaces/{namespace}/{plural}`: a list, or with `watch=true` a stream of changes.
pub async fn list(State(api): State<Api>, Path(place): Path<Place>, Query(query): Query<Parameters>) -> Answer {
    collection(&api, place.kind()?, Some(&place.namespace), &query).await
}

/// `GET …/{plural}`: the same over all namespaces.
pub async fn list_everywhere(
    State(api): State<Api>,
    Path(place): Path<Place>,
    Query(query): Query<Parameters>,
) -> Answer {
    collection(&api, place.kind()?, None, &query).await
}

async fn collection(api: &Api, kind: &'static Kind, namespace: Option<&str>, query: &Parameters) -> Answer {
    query::check(query)?;
    if query::is_watch(query) {
        return watch(api, kind, namespace).await;
    }
    let items = api.store.untyped().list(kind, namespace).await.map_err(|error| answer::refused(&error))?;
    Ok(Json(json!({
        "apiVersion": kind.api_version(),
        "kind": format!("{}List", kind.kind),
        "metadata": {},
        "items": items,
    }))
    .into_response())
}

async fn watch(api: &Api, kind: &'static Kind, namespace: Option<&str>) -> Answer {
    let events = api.store.untyped().watch(kind, namespace).await.map_err(|error| answer::refused(&error))?;
    let mut watch = Watch::new(kind);
    let changes = events.flat_map(move |event| {
        let changes = match event {
            Ok(event) => watch.translate(event),
            Err(error) => {
                // The store lists anew by itself; the client then gets the differences.
                tracing::warn!(%error, kind = kind.kind, "watch interrupted");
                Vec::new()
            }
        };
        futures::stream::iter(changes)
    });
    Ok(runtime::http::events(&api.process.shutdown, changes).into_response())
}

/// `GET …/{plural}/{name}`.
pub async fn read(State(api): State<Api>, Path(place): Path<Place>) -> Answer {
    let kind = place.kind()?;
    let found = api.store.untyped().get(kind, &place.namespace, &place.name).await;
    match found.map_err(|error| answer::refused(&error))? {
        Some(object) => Ok(Json(object).into_response()),
        None => Err(ApiError::not_found(format!("{} {}/{} was not found", kind.kind, place.namespace, place.name))
            .with_details(json!({ "kind": kind.kind, "name": place.name }))),
    }
}

/// `GET …/{plural}/{name}/status`: the whole object, as Kubernetes answers.
pub async fn read_status(state: State<Api>, place: Path<Place>) -> Answer {
    read(state, place).await
}

/// `POST …/{plural}`. A second time is 409 AlreadyExists.
pub async fn create(
    State(api): State<Api>,
    Path(place): Path<Place>,
    Query(query): Query<Parameters>,
    body: Bytes,
) -> Answer {
    query::check(&query)?;
    let kind = place.kind()?;
    let object = read_body(&body, kind, &place, None)?;
    let stored = api.store.untyped().create(kind, object).await.map_err(|error| answer::refused(&error))?;
    Ok((StatusCode::CREATED, Json(stored)).into_response())
}

/// `PUT …/{plural}/{name}`: needs the resourceVersion that was read; a status in it is not taken.
pub async fn replace(
    State(api): State<Api>,
    Path(place): Path<Place>,
    Query(query): Query<Parameters>,
    body: Bytes,
) -> Answer {
    query::check(&query)?;
    let kind = place.kind()?;
    let object = read_body(&body, kind, &place, Some(&place.name))?;
    let stored = api.store.untyped().replace(kind, object).await.map_err(|error| answer::refused(&error))?;
    Ok(Json(stored).into_response())
}

fn read_body(body: &Bytes, kind: &Kind, place: &Place, name: Option<&str>) -> Result<Value, ApiError> {
    let api_version = kind.api_version();
    body::object(body, Target { api_version: &api_version, kind: &kind.kind, namespace: &place.namespace, name })
}

/// `DELETE …/{plural}/{name}`: 200 when it is gone, 202 with the object while finalizers hold it.
pub async fn delete(
    State(api): State<Api>,
    Path(place): Path<Place>,
    Query(query): Query<Parameters>,
    body: Bytes,
) -> Answer {
    query::check(&query)?;
    let (kind, preconditions) = (place.kind()?, body::preconditions(&body)?);
    let deletion = api.store.untyped().delete(kind, &place.namespace, &place.name, &preconditions).await;
    Ok(match deletion.map_err(|error| answer::refused(&error))? {
        Deletion::Done(_) => Json(answer::removed(&kind.plural, &place.name)).into_response(),
        Deletion::Waiting(object) => (StatusCode::ACCEPTED, Json(object)).into_response(),
    })
}
