//! Proof that a target holds what its manifest says: everything is read back from the medium, past the page
//! cache, and every chunk's hash compared.

use std::io;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::chunk;
use crate::copy::{OnProgress, Progress};
use crate::manifest::Manifest;
use crate::readback::{self, ReadbackError};
use crate::target::{Target, TargetError};

/// A proven target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// Chunks compared: all.
    pub chunks: u64,
    /// Bytes they have.
    pub bytes: u64,
}

/// A target that is not proven.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Target and manifest have different lengths.
    #[error("the target has {target} bytes, its manifest speaks of {manifest}")]
    Length {
        /// Bytes of the target.
        target: u64,
        /// Bytes of the manifest.
        manifest: u64,
    },
    /// The manifest misses hashes.
    #[error("the manifest is not complete; copy the disk again")]
    Incomplete,
    /// Chunks differ.
    #[error(
        "{chunks} of {of} chunks read back from the medium differ from what was written, the first at byte {first}; check the medium and copy again"
    )]
    Differs {
        /// How many.
        chunks: u64,
        /// Of how many.
        of: u64,
        /// Offset of the lowest that differs.
        first: u64,
    },
    /// The target could not be read.
    #[error("the target could not be read back")]
    Target(#[source] TargetError),
    /// A worker thread went away.
    #[error("the verification lost its threads, the process is ending")]
    Thread(#[source] io::Error),
    /// Cancelled.
    #[error("the verification was cancelled")]
    Cancelled,
}

/// Reads all of `target` back and compares it with `manifest`, `in_flight` chunks at once.
pub async fn verify(
    target: &dyn Target,
    manifest: &Manifest,
    in_flight: usize,
    progress: &OnProgress<'_>,
    cancel: &CancellationToken,
) -> Result<VerifyReport, VerifyError> {
    if target.length() != manifest.length() {
        return Err(VerifyError::Length { target: target.length(), manifest: manifest.length() });
    }
    if !manifest.is_complete() {
        return Err(VerifyError::Incomplete);
    }
    target.settle().await.map_err(VerifyError::Target)?;
    let of = chunk::count(manifest.length());
    let mut state = Progress::start(manifest);
    let (mut chunks, mut first) = (0, u64::MAX);
    let mut hashes = std::pin::pin!(readback::hashes(target, 0..of, in_flight, cancel));
    while let Some(read) = hashes.next().await {
        let (index, hash) = read.map_err(VerifyError::from)?;
        let span = chunk::span(index, manifest.length());
        if manifest.hash(index) != Some(hash) {
            chunks += 1;
            first = first.min(span.start);
        }
        state.done_bytes += span.end - span.start;
        progress(&state);
    }
    if chunks > 0 {
        Err(VerifyError::Differs { chunks, of, first })
    } else {
        Ok(VerifyReport { chunks: of, bytes: manifest.length() })
    }
}

impl From<ReadbackError> for VerifyError {
    fn from(error: ReadbackError) -> Self {
        match error {
            ReadbackError::Target(error) => Self::Target(error),
            ReadbackError::Thread(error) => Self::Thread(error),
            ReadbackError::Cancelled => Self::Cancelled,
        }
    }
}
