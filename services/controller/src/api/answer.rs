//! The store's errors as HTTP answers, and the few answers that are no objects.

use axum::http::StatusCode;
use runtime::chain;
use runtime::http::ApiError;
use serde_json::{Value, json};
use store::{Error, Problem};

/// The answer to what the store refused. What failed beneath it goes to the log, not to the client.
pub fn refused(error: &Error) -> ApiError {
    let status = StatusCode::from_u16(error.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut message = error.to_string();
    if status.is_server_error() {
        tracing::error!(error = %chain(error), "the store failed");
        message.push_str("; the controller's log has the cause");
    }
    let details = match error {
        Error::Invalid { object, problems } => json!({
            "kind": object.kind,
            "name": object.name,
            "causes": problems.iter().map(cause).collect::<Vec<_>>(),
        }),
        Error::NotFound { object } | Error::AlreadyExists { object } | Error::Conflict { object, .. } => {
            json!({ "kind": object.kind, "name": object.name })
        }
        _ => Value::Null,
    };
    ApiError::new(status, error.reason(), message).with_details(details)
}

fn cause(problem: &Problem) -> Value {
    json!({ "field": problem.path, "message": problem.message })
}

/// 405, in Kubernetes' words.
pub fn method_not_allowed(message: String) -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
}

/// The body after an object was removed.
pub fn removed(kind: &str, name: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Success", "details": { "kind": kind, "name": name },
    })
}
