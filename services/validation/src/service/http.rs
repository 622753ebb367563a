//! `GET /v1/rules`: which rules judge, and by which version.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::bundle::{Bundle, Header};

/// The active bundle as clients see it.
#[derive(Debug, Serialize)]
struct Rules {
    version: String,
    rules: Vec<RuleView>,
}

#[derive(Debug, Serialize)]
struct RuleView {
    #[serde(flatten)]
    header: Header,
    /// Path in the bundle.
    file: String,
}

pub(super) fn router(bundle: Arc<Bundle>) -> Router {
    Router::new().route("/v1/rules", get(rules)).with_state(bundle)
}

async fn rules(State(bundle): State<Arc<Bundle>>) -> Json<Rules> {
    let view = |rule: &crate::bundle::Rule| RuleView { header: rule.header().clone(), file: rule.file().to_owned() };
    Json(Rules { version: bundle.version().to_owned(), rules: bundle.rules().iter().map(view).collect() })
}
