//! One token for everything on a listener. A request without it learns nothing, not even which paths exist.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use trust::Secret;

use super::ApiError;

/// Asks every request of `router`, and every unknown path, for `Authorization: Bearer <token>`. An empty `token`
/// lets nobody in. `router` must have no fallback of its own.
pub fn bearer(router: Router, token: Secret<String>) -> Router {
    router.fallback(unknown_path).layer(from_fn_with_state(token, check))
}

async fn unknown_path(request: Request) -> ApiError {
    ApiError::not_found(format!("there is nothing at `{}`", request.uri().path()))
}

async fn check(State(token): State<Secret<String>>, request: Request, next: Next) -> Response {
    match presented(request.headers()) {
        None => ApiError::unauthorized("no bearer token was sent; the token is in the context file").into_response(),
        Some(presented) if !same(presented, token.expose()) => {
            ApiError::unauthorized("the bearer token is not the one of this server; is the context file of another?")
                .into_response()
        }
        Some(_) => next.run(request).await,
    }
}

/// The token of the request; an empty one is none.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Compares in a time that does not depend on where the first difference is.
fn same(presented: &str, token: &str) -> bool {
    let differing = presented.bytes().zip(token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    !token.is_empty() && presented.len() == token.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn ask(token: &str, authorization: Option<&str>, path: &str) -> StatusCode {
        let router = bearer(Router::new().route("/plans", get(|| async { "" })), Secret::new(token.to_owned()));
        let mut request = Request::get(path);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn the_right_token_is_let_in() {
        assert_eq!(ask("s3cret", Some("Bearer s3cret"), "/plans").await, StatusCode::OK);
        assert_eq!(ask("s3cret", Some("bearer s3cret"), "/nothing").await, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_missing_empty_or_foreign_token_is_401_on_every_path() {
        for wrong in
            [None, Some("Bearer "), Some("Bearer"), Some("Bearer other!"), Some("Bearer s3cre"), Some("s3cret")]
        {
            for path in ["/plans", "/nothing"] {
                assert_eq!(ask("s3cret", wrong, path).await, StatusCode::UNAUTHORIZED, "{wrong:?} {path}");
            }
        }
    }

    #[tokio::test]
    async fn a_server_without_a_token_lets_nobody_in() {
        for any in [None, Some("Bearer "), Some("Bearer x")] {
            assert_eq!(ask("", any, "/plans").await, StatusCode::UNAUTHORIZED, "{any:?}");
        }
    }
}
