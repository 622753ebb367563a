//! Moves blocks from a source to a target and proves that they arrived: extents, zeros that are never allocated,
//! a BLAKE3 hash of every chunk, resume on proof, verification past the page cache. It knows neither vSphere nor
//! the bus. CPU work and file I/O run by `spawn_blocking`: whoever wants them on few threads of low priority runs
//! [`copy`] and [`verify`] on a tokio runtime of its own made of such threads.

mod blocking;
pub mod checkpoint;
pub mod chunk;
mod copy;
pub mod extent;
pub mod manifest;
mod plan;
mod readback;
pub mod source;
pub mod target;
mod verify;

pub use checkpoint::Checkpoint;
pub use copy::{CopyError, CopyReport, CopyStopped, OnProgress, Options, Progress, copy};
pub use extent::{Extent, ExtentKind};
pub use manifest::{Manifest, ManifestError, SourceState};
pub use source::{HttpOptions, HttpSource, RawSource, Renew, RetryPolicy, Source, SourceError, SourceFault};
pub use target::{RawTarget, Target, TargetError};
pub use verify::{VerifyError, VerifyReport, verify};
