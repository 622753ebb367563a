//! Where bytes come from: a length, what is known of it without reading, and concurrent reads. An error says
//! what object it is about and, as a [`SourceFault`], whether it is the server, the login or the bytes.

mod fault;
mod file;
mod http;

use async_trait::async_trait;
use bytes::Bytes;

use crate::extent::Extent;

pub use fault::{SourceError, SourceFault};
pub use file::RawSource;
pub use http::{HttpOptions, HttpSource, Renew, RetryPolicy};

/// Bytes that don't change while they are read.
#[async_trait]
pub trait Source: Send + Sync {
    /// Length in bytes, fixed when the source was opened.
    fn length(&self) -> u64;

    /// What is known, ascending and without overlap; gaps are unknown. An empty list is always true.
    async fn extents(&self) -> Result<Vec<Extent>, SourceError>;

    /// Exactly `length` bytes from `offset`; both lie within the source. Called many times at once.
    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, SourceError>;
}
