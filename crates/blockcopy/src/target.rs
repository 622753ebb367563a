//! Where bytes go. A target is open as long as a value of it lives, also in a write that is still under way;
//! whoever holds it open is the only one who writes.

mod fault;
mod file;
#[cfg(test)]
pub(crate) mod small;

use async_trait::async_trait;
use bytes::Bytes;

pub use fault::TargetError;
pub use file::RawTarget;

/// A disk of fixed length that is written by chunks, in any order, many at once.
#[async_trait]
pub trait Target: Send + Sync {
    /// Length in bytes.
    fn length(&self) -> u64;

    /// Writes all of `data` at `offset`, within the length.
    async fn write_at(&self, offset: u64, data: Bytes) -> Result<(), TargetError>;

    /// Makes a range read as zeros without allocating anything; what was allocated there is given back.
    async fn zero(&self, offset: u64, length: u64) -> Result<(), TargetError>;

    /// Exactly `length` bytes from `offset`.
    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, TargetError>;

    /// Makes all that was written durable.
    async fn flush(&self) -> Result<(), TargetError>;

    /// Flushes, and drops what memory holds of it: reads after this come from the medium.
    async fn settle(&self) -> Result<(), TargetError>;
}
