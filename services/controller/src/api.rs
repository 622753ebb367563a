//! The HTTP API for resources, with Kubernetes' paths, bodies and errors, so that its clients feel at home. It checks
//! and passes on; what is valid is the store's to say. Status is read here and never written: only the controller
//! writes it. Secrets go in and never come out.

mod answer;
mod body;
mod discovery;
mod kinds;
mod objects;
mod query;
mod secrets;
mod watch;

use axum::Router;
use axum::routing::{get, post};
use runtime::Process;
use runtime::http::ApiError;
use store::{Secrets, Store};

/// What every handler needs.
#[derive(Clone)]
struct Api {
    store: Store,
    secrets: Secrets,
    process: Process,
}

/// All routes below `/api` and `/apis`. They ask for no token; the listener's owner wraps them in
/// [`runtime::http::bearer`].
pub fn router(store: Store, secrets: Secrets, process: Process) -> Router {
    let api = Api { store, secrets, process };
    Router::new().merge(discovery()).merge(kinds()).merge(credentials()).with_state(api)
}

fn discovery() -> Router<Api> {
    Router::new()
        .route("/api", get(discovery::core_versions).fallback(not_offered))
        .route("/api/v1", get(discovery::core_resources).fallback(not_offered))
        .route("/apis", get(discovery::groups).fallback(not_offered))
        .route("/apis/{group}/{version}", get(discovery::resources).fallback(not_offered))
}

fn kinds() -> Router<Api> {
    let one = get(objects::read).put(objects::replace).delete(objects::delete).fallback(not_offered);
    Router::new()
        .route("/apis/{group}/{version}/{plural}", get(objects::list_everywhere).fallback(not_offered))
        .route(
            "/apis/{group}/{version}/namespaces/{namespace}/{plural}",
            get(objects::list).post(objects::create).fallback(not_offered),
        )
        .route("/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}", one)
        .route(
            "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}/status",
            get(objects::read_status).fallback(status_is_ours),
        )
}

fn credentials() -> Router<Api> {
    let one = get(secrets::read).put(secrets::replace).delete(secrets::delete).fallback(not_offered);
    Router::new()
        .route("/api/v1/secrets", get(secrets::list_everywhere).fallback(not_offered))
        .route("/api/v1/namespaces/{namespace}/secrets", post(secrets::create).get(secrets::list).fallback(not_offered))
        .route("/api/v1/namespaces/{namespace}/secrets/{name}", one)
}

async fn not_offered(method: axum::http::Method, uri: axum::http::Uri) -> ApiError {
    answer::method_not_allowed(format!("{method} is not offered at `{}`; objects are replaced by PUT", uri.path()))
}

async fn status_is_ours() -> ApiError {
    answer::method_not_allowed("only the controller writes status; change the spec instead".to_owned())
}

#[cfg(test)]
mod tests;
