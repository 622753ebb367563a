//! Reads chunks of a target back and hashes them: what resume keeps and what verification proves rest on it.

use std::io;

use futures::stream::{self, Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::blocking;
use crate::chunk::{self, Hash};
use crate::target::{Target, TargetError};

/// Why a target could not be read back.
#[derive(Debug)]
pub(crate) enum ReadbackError {
    Target(TargetError),
    Thread(io::Error),
    Cancelled,
}

/// The hash that each of `chunks` has at the target, in any order, `in_flight` at once. It ends early, after an
/// `Err(Cancelled)`, when `stop` is cancelled.
pub(crate) fn hashes<'a>(
    target: &'a dyn Target,
    chunks: impl Iterator<Item = u64> + Send + 'a,
    in_flight: usize,
    stop: &'a CancellationToken,
) -> impl Stream<Item = Result<(u64, Hash), ReadbackError>> + Send + 'a {
    let read = move |index| async move {
        let span = chunk::span(index, target.length());
        let length = usize::try_from(span.end - span.start).unwrap_or(usize::MAX);
        let read = stop.run_until_cancelled(target.read_at(span.start, length)).await;
        let bytes = read.ok_or(ReadbackError::Cancelled)?.map_err(ReadbackError::Target)?;
        let hash = blocking::run(move || chunk::hash(&bytes)).await.map_err(ReadbackError::Thread)?;
        Ok((index, hash))
    };
    stream::iter(chunks).map(read).buffer_unordered(in_flight.max(1))
}
