//! Server-sent events that end with the process: a graceful stop of the listener alone would wait for them.

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive, KeepAliveStream};
use futures::{Stream, StreamExt};
use serde::Serialize;

use crate::Shutdown;

/// How often an idle stream shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One event per item, its data the item as JSON; ends with `items` or when the stop is asked for.
pub fn events<T, S>(
    shutdown: &Shutdown,
    items: S,
) -> Sse<KeepAliveStream<impl Stream<Item = Result<Event, Infallible>> + Send + use<T, S>>>
where
    T: Serialize + Send + 'static,
    S: Stream<Item = T> + Send + 'static,
{
    let events = items.filter_map(|item| ready(event(&item)));
    let until_stop = events.map(Ok).take_until(shutdown.token().cancelled_owned());
    Sse::new(until_stop).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

fn event<T: Serialize>(item: &T) -> Option<Event> {
    Event::default().json_data(item).inspect_err(|error| tracing::error!(%error, "event can't be written")).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::response::IntoResponse;
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn an_endless_stream_ends_with_the_process() {
        let shutdown = Shutdown::new();
        let response = events(&shutdown, stream::iter([1, 2]).chain(stream::pending())).into_response();
        let body = to_bytes(response.into_body(), usize::MAX);
        let stop = async {
            tokio::task::yield_now().await;
            shutdown.trigger();
        };
        let (text, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(5), body), stop);
        let text = text.unwrap().unwrap();
        assert_eq!(text, "data: 1\n\ndata: 2\n\n");
    }
}
