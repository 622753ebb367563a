//! The handlers: look up, cut, answer. A collection that was never listed in full answers 206 with what is known.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use contract::id::ProviderUid;
use contract::inventory::Collection;
use runtime::http::ApiError;
use serde_json::Value;

use super::query::{Detail, Parameters};
use super::{Reader, document};
use crate::database::{self, KnownProvider, Object};
use crate::kind::{Key, Kind};

/// Forklift's header that tells an unknown provider from an unknown object.
const REASON: HeaderName = HeaderName::from_static("x-reason");
/// How the collection stands: whatever is not `synced` may be out of date.
const PHASE: HeaderName = HeaderName::from_static("x-inventory-phase");
const VSPHERE: &str = "vsphere";

type Parsed = Result<Query<Parameters>, QueryRejection>;

/// `GET /providers`: all providers by type.
pub(super) async fn types(State(reader): State<Reader>) -> Result<Json<Value>, Refusal> {
    let mut types = BTreeMap::from([(VSPHERE.to_owned(), vec![])]);
    for known in reader.store.providers().await? {
        types.entry(known.row.kind.clone()).or_default().push(document::provider(&known));
    }
    Ok(Json(types.into_iter().map(|(kind, providers)| (kind, Value::Array(providers))).collect()))
}

/// `GET /providers/{type}`: the providers of one type.
pub(super) async fn providers(
    State(reader): State<Reader>,
    Path(kind): Path<String>,
) -> Result<Json<Vec<Value>>, Refusal> {
    let all = reader.store.providers().await?;
    let found: Vec<_> = all.iter().filter(|known| known.row.kind == kind).map(document::provider).collect();
    if found.is_empty() && kind != VSPHERE {
        let message = format!("no provider of type `{kind}` is known; GET /providers shows all");
        return Err(ApiError::not_found(message).into());
    }
    Ok(Json(found))
}

/// `GET /providers/{type}/{provider}`.
pub(super) async fn provider(
    State(reader): State<Reader>,
    Path((kind, uid)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let known = reader.known(&kind, &uid).await?;
    Ok(Json(document::provider(&known)))
}

/// `GET /providers/{type}/{provider}/{collection}`.
pub(super) async fn collection(
    State(reader): State<Reader>,
    Path((kind, uid, collection)): Path<(String, String, String)>,
    parameters: Parsed,
) -> Result<Response, Refusal> {
    let known = reader.known(&kind, &uid).await?;
    let objects = kind_of(&collection)?;
    let Query(parameters) = parameters.map_err(ApiError::from)?;
    let detail = parameters.detail(Detail::Brief)?;
    let page = parameters.page()?;
    let found = reader.store.objects(&known.row.uid, objects, &page).await?;
    let documents: Vec<_> = found.into_iter().map(|object| reader.document(&known, object, detail)).collect();
    Ok(answer(&known, Json(documents)))
}

/// `GET /providers/{type}/{provider}/{collection}/{id}`.
pub(super) async fn object(
    State(reader): State<Reader>,
    Path((kind, uid, collection, id)): Path<(String, String, String, String)>,
    parameters: Parsed,
) -> Result<Response, Refusal> {
    let known = reader.known(&kind, &uid).await?;
    let key = Key::new(kind_of(&collection)?, id);
    let Query(parameters) = parameters.map_err(ApiError::from)?;
    let detail = parameters.detail(Detail::All)?;
    match reader.store.object(&known.row.uid, &key).await? {
        Some(object) => Ok(answer(&known, Json(reader.document(&known, object, detail)))),
        None => {
            let message = format!(
                "provider {}/{} has no {key}; GET providers/{kind}/{uid}/{collection} shows all",
                known.row.namespace, known.row.name
            );
            Err(ApiError::not_found(message).into())
        }
    }
}

impl Reader {
    async fn known(&self, kind: &str, uid: &str) -> Result<KnownProvider, Refusal> {
        let known = self.store.provider(&ProviderUid::from(uid)).await?;
        known.filter(|known| known.row.kind == kind).ok_or_else(|| {
            let message = format!("no provider of type `{kind}` has the UID `{uid}`; GET /providers shows all");
            Refusal::UnknownProvider(ApiError::not_found(message))
        })
    }

    fn document(&self, known: &KnownProvider, object: Object, detail: Detail) -> Value {
        let assessed = self.concerns.of(&known.row.uid, &object.key.id);
        document::object(&known.row.kind, &known.row.uid, object, assessed.as_deref(), detail)
    }
}

fn kind_of(collection: &str) -> Result<Kind, Refusal> {
    Kind::of_collection(collection).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.into_iter().filter(|kind| kind.is_published()).map(Kind::plural).collect();
        ApiError::not_found(format!("there is no collection `{collection}`; there are {}", known.join(", "))).into()
    })
}

fn answer(known: &KnownProvider, body: impl IntoResponse) -> Response {
    let status = if known.synced { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    let phase = match known.state.as_ref().map(|state| &state.collection) {
        None => "unknown",
        Some(Collection::Loading) => "loading",
        Some(Collection::Synced) => "synced",
        Some(Collection::CredentialsRefused { .. }) => "credentialsRefused",
        Some(Collection::CertificateRefused { .. }) => "certificateRefused",
        Some(Collection::SettingsRefused { .. }) => "settingsRefused",
        Some(Collection::Unreachable { .. }) => "unreachable",
    };
    (status, [(PHASE, HeaderValue::from_static(phase))], body).into_response()
}

/// Why a request gets no document.
pub(super) enum Refusal {
    /// There is no such provider.
    UnknownProvider(ApiError),
    /// Anything else.
    Other(ApiError),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

impl From<database::Error> for Refusal {
    fn from(error: database::Error) -> Self {
        tracing::error!(error = runtime::chain(&error), "inventory.read_failed");
        Self::Other(ApiError::internal(format!("{error} failed; the service's log says more")))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::UnknownProvider(error) => {
                ([(REASON, HeaderValue::from_static("ProviderNotFound"))], error).into_response()
            }
            Self::Other(error) => error.into_response(),
        }
    }
}
