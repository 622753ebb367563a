//! `/livez`, `/readyz` and `/metrics`, without a token, as Kubernetes and Prometheus expect them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::ApiError;
use crate::Process;

/// What Prometheus' scrapers negotiate for the text we write.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The three paths. `/readyz` answers 503 while a probe is not ready or the process stops, with the reasons.
pub fn probes(process: &Process) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(process.clone())
}

async fn readyz(State(process): State<Process>) -> Response {
    let mut readiness = process.health.readiness();
    if process.shutdown.is_requested() {
        readiness.ready = false;
    }
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(process): State<Process>) -> Result<Response, ApiError> {
    let text = process.metrics.encode().map_err(|_| ApiError::internal("the metrics can't be written"))?;
    Ok(([(CONTENT_TYPE, OPENMETRICS)], text).into_response())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;
    use crate::Shutdown;

    async fn get_path(process: &Process, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = probes(process).oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readyz_is_503_with_the_reason_of_each_probe() {
        let process = Process::new(Shutdown::new());
        process.health.probe("inventory").not_ready("first sync of provider `east` is not done");
        process.health.probe("transfer").ready();
        let (status, body) = get_path(&process, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            body,
            json!({ "ready": false, "probes": {
                "inventory": { "ready": false, "reason": "first sync of provider `east` is not done" },
                "transfer": { "ready": true },
            }})
        );
        assert_eq!(get_path(&process, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_process_that_stops_is_alive_but_not_ready() {
        let process = Process::new(Shutdown::new());
        assert_eq!(get_path(&process, "/readyz").await.0, StatusCode::OK);
        process.shutdown.trigger();
        assert_eq!(get_path(&process, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(get_path(&process, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_written_as_openmetrics() {
        let (status, body) = get_path(&Process::new(Shutdown::new()), "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.ends_with("# EOF\n"), "{body}");
    }
}
