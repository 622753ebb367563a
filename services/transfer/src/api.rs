//! The service's HTTP API: what runs now. In a cluster it is reached only through the controller.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::board::{Board, JobView};

/// The answer of `/transfers`.
#[derive(Debug, Serialize)]
struct Transfers {
    items: Vec<JobView>,
}

pub(crate) fn router(board: Board) -> Router {
    Router::new().route("/transfers", get(list)).with_state(board)
}

async fn list(State(board): State<Board>) -> Json<Transfers> {
    Json(Transfers { items: board.list() })
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use contract::job::{CopyRequested, Pass};
    use jiff::Timestamp;
    use tower::ServiceExt;

    use super::*;

    async fn get_transfers(board: &Board) -> serde_json::Value {
        let request = Request::get("/transfers").body(Body::empty()).unwrap();
        let response = router(board.clone()).oneshot(request).await.unwrap();
        serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_job_is_listed_while_it_runs() {
        let board = Board::default();
        let job = CopyRequested {
            migration: "m".into(),
            plan: "p".into(),
            namespace: "default".to_owned(),
            attempt: 2,
            provider: "uid".into(),
            provider_name: "vcenter".to_owned(),
            vm: "vm-1".into(),
            vm_name: "web".to_owned(),
            pass: Pass { number: 0, last: true },
            disks: Vec::new(),
        };
        let place = board.enter(&job, Timestamp::UNIX_EPOCH);
        let item = serde_json::json!({
            "migration": "m", "vm": "vm-1", "vmName": "web", "attempt": 2, "phase": "Opening",
            "started": "1970-01-01T00:00:00Z", "disks": [],
        });
        assert_eq!(get_transfers(&board).await, serde_json::json!({ "items": [item] }));
        drop(place);
        assert_eq!(get_transfers(&board).await, serde_json::json!({ "items": [] }));
    }
}
