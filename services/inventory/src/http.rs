//! The inventory over HTTP, with Forklift's paths, query parameters and status codes. It reads the database and the
//! assessments only; who may ask is decided by the caller of [`router`].

mod document;
mod query;
mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::concerns::Concerns;
use crate::database::InventoryStore;

/// What the handlers read.
#[derive(Clone)]
pub(crate) struct Reader {
    pub store: Arc<dyn InventoryStore>,
    pub concerns: Concerns,
}

/// All routes, each also with a slash at its end.
pub(crate) fn router(reader: Reader) -> Router {
    Router::new()
        .route("/providers", get(routes::types))
        .route("/providers/", get(routes::types))
        .route("/providers/{type}", get(routes::providers))
        .route("/providers/{type}/", get(routes::providers))
        .route("/providers/{type}/{provider}", get(routes::provider))
        .route("/providers/{type}/{provider}/", get(routes::provider))
        .route("/providers/{type}/{provider}/{collection}", get(routes::collection))
        .route("/providers/{type}/{provider}/{collection}/", get(routes::collection))
        .route("/providers/{type}/{provider}/{collection}/{id}", get(routes::object))
        .route("/providers/{type}/{provider}/{collection}/{id}/", get(routes::object))
        .with_state(reader)
}
