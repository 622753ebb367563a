//! Why a copy stopped, and what of it can be kept.

use std::io;

use crate::extent::BadExtents;
use crate::manifest::Manifest;
use crate::readback::ReadbackError;
use crate::source::SourceError;
use crate::target::TargetError;

/// A copy that did not finish. No write is under way any more.
#[derive(Debug, thiserror::Error)]
#[error("the copy did not finish")]
pub struct CopyStopped {
    /// Why.
    #[source]
    pub cause: CopyError,
    /// The chunks that were written or kept, for the next attempt to start from. Not durable yet, and each is to be
    /// read back before it is believed.
    pub manifest: Manifest,
}

/// Why a copy stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The source failed.
    #[error("the source failed at byte {offset}")]
    Source {
        /// Where the request began.
        offset: u64,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// The source's extents can't be believed.
    #[error("the source's extents can't be used")]
    Extents(#[from] BadExtents),
    /// The target failed.
    #[error("the target failed")]
    Target(#[source] TargetError),
    /// Source and target have different lengths.
    #[error("the source has {source_bytes} bytes, the target {target_bytes}; a copy needs both to be equal")]
    Length {
        /// Bytes of the source.
        source_bytes: u64,
        /// Bytes of the target.
        target_bytes: u64,
    },
    /// A worker thread went away.
    #[error("the copy lost its threads, the process is ending")]
    Thread(#[source] io::Error),
    /// It was cancelled.
    #[error("the copy was cancelled")]
    Cancelled,
}

impl From<ReadbackError> for CopyError {
    fn from(error: ReadbackError) -> Self {
        match error {
            ReadbackError::Target(error) => Self::Target(error),
            ReadbackError::Thread(error) => Self::Thread(error),
            ReadbackError::Cancelled => Self::Cancelled,
        }
    }
}
