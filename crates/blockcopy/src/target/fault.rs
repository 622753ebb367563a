//! All that can be wrong with a target.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// A target could not be opened, written, read or made durable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It can't be opened.
    #[error("can't open the target {}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no regular file.
    #[error("the target {} is not a regular file", .path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// Another worker has it open.
    #[error("the target {} is locked by another worker; wait for its end", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Between opening and locking, another file took its name.
    #[error("the target {} was replaced while it was opened", .path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// It is longer than the disk, so it is some other disk's.
    #[error("the target {} has {is} bytes, more than the disk's {wanted}; remove it", .path.display())]
    Longer {
        /// The file.
        path: PathBuf,
        /// Its length.
        is: u64,
        /// The disk's.
        wanted: u64,
    },
    /// No space or quota is left.
    #[error("no space is left for the target {}; make room in its folder", .path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// It can't be read.
    #[error("can't read the target {} at byte {offset}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It can't be written.
    #[error("can't write the target {} at byte {offset}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It can't be made durable: what was written before may be lost.
    #[error("can't make the target {} durable", .path.display())]
    Flush {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl TargetError {
    /// Sorts an error that may mean a full disk.
    pub(super) fn writing(path: &Path, source: io::Error, other: impl FnOnce(PathBuf, io::Error) -> Self) -> Self {
        let full = [Errno::NOSPC, Errno::DQUOT].iter().any(|full| source.raw_os_error() == Some(full.raw_os_error()));
        if full { Self::Full { path: path.to_owned() } } else { other(path.to_owned(), source) }
    }
}
