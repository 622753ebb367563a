//! The listener: it takes connections until the stop is asked for, then lets the open ones end.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::Shutdown;

/// How long open connections have to end after the stop was asked for. Less than what tasks have.
const DRAIN_WITHIN: Duration = Duration::from_secs(3);

/// The address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address}; is the port taken by another process? choose one with --listen")]
pub struct BindError {
    /// Where.
    pub address: SocketAddr,
    #[source]
    source: std::io::Error,
}

/// The listener broke.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP listener failed")]
pub struct ServeError(#[source] std::io::Error);

/// Listens on `address`; port 0 takes a free one, told by `local_addr`.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| BindError { address, source })
}

/// Serves until the stop is asked for, then waits three seconds at most for open requests. A stream of events must
/// end with the shutdown token by itself (see [`super::events`]).
pub async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) -> Result<(), ServeError> {
    let stop = shutdown.token().cancelled_owned();
    let served = axum::serve(listener, router).with_graceful_shutdown(stop).into_future();
    let too_late = async {
        shutdown.requested().await;
        tokio::time::sleep(DRAIN_WITHIN).await;
    };
    tokio::select! {
        result = served => result.map_err(ServeError),
        () = too_late => {
            tracing::warn!("open HTTP connections were cut at the end of the stop");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let first = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("can't listen on {address}; ")), "{error}");
    }

    #[tokio::test]
    async fn an_open_request_does_not_hold_the_stop_up_for_long() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let shutdown = Shutdown::new();
        let stop = shutdown.clone();
        let half_a_request = async move {
            client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            stop.trigger();
            client
        };
        let begin = Instant::now();
        let (served, _client) = tokio::join!(serve(listener, Router::new(), shutdown), half_a_request);
        served.unwrap();
        assert!(begin.elapsed() < DRAIN_WITHIN + Duration::from_secs(2), "{:?}", begin.elapsed());
    }
}
