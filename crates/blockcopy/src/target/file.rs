//! A raw file on this machine as a target. An exclusive lock on it is the fence between two workers: it is held
//! from opening until the last write under way has ended. Zeros are holes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::{Advice, FallocateFlags, FlockOperation, OFlags, SeekFrom};
use rustix::io::Errno;

use super::{Target, TargetError};
use crate::blocking;
use crate::chunk::ZEROS;

/// An open, locked raw file. Clones share file and lock.
#[derive(Clone, Debug)]
pub struct RawTarget {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    path: PathBuf,
    length: u64,
}

impl RawTarget {
    /// Opens and locks a file that exists; a shorter one is made `length` bytes long (by a hole).
    pub async fn open(path: &Path, length: u64) -> Result<Self, TargetError> {
        Self::acquire(path, length, false).await
    }

    /// As [`RawTarget::open`], but makes the file if there is none.
    pub async fn create(path: &Path, length: u64) -> Result<Self, TargetError> {
        Self::acquire(path, length, true).await
    }

    async fn acquire(path: &Path, length: u64, create: bool) -> Result<Self, TargetError> {
        let at = path.to_owned();
        let opened = blocking::run(move || Inner::open(at, length, create)).await;
        let inner = opened.unwrap_or_else(|source| Err(TargetError::Open { path: path.to_owned(), source }))?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Bytes that the file system has allocated for it.
    pub async fn allocated(&self) -> Result<u64, TargetError> {
        let read = |inner: &Inner| inner.file.metadata().map(|metadata| metadata.blocks() * 512);
        self.run(read, |path, source| TargetError::Read { path, offset: 0, source }).await
    }

    /// Runs one call on a blocking thread, which holds the file, and so the lock, until it is done.
    async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
        failed: impl FnOnce(PathBuf, io::Error) -> TargetError,
    ) -> Result<T, TargetError> {
        let inner = Arc::clone(&self.inner);
        let done = blocking::run(move || call(&inner)).await.and_then(|result| result);
        done.map_err(|source| TargetError::writing(&self.inner.path, source, failed))
    }
}

impl Inner {
    fn open(path: PathBuf, length: u64, create: bool) -> Result<Self, TargetError> {
        let (failed, at) = (|path, source| TargetError::Open { path, source }, path.clone());
        let failed = |source| TargetError::writing(&at, source, failed);
        // Not blocking, so that a pipe put in its place can't hang us; for a regular file it means nothing.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create).custom_flags(flags.bits().cast_signed());
        let file = options.open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(TargetError::NotAFile { path });
        }
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(TargetError::Locked { path }),
            Err(error) => return Err(failed(error.into())),
        }
        let named = std::fs::symlink_metadata(&path).map_err(failed)?;
        if (named.dev(), named.ino()) != (metadata.dev(), metadata.ino()) {
            return Err(TargetError::Replaced { path });
        }
        // Again, for it may have grown before the lock was ours.
        let is = file.metadata().map_err(failed)?.len();
        if is > length {
            return Err(TargetError::Longer { path, is, wanted: length });
        }
        if is < length {
            file.set_len(length).map_err(failed)?;
        }
        Ok(Self { file, path, length })
    }

    /// Whether nothing is allocated in the range, as far as the file system tells.
    fn is_hole(&self, offset: u64, length: u64) -> bool {
        match rustix::fs::seek(&self.file, SeekFrom::Data(offset)) {
            Ok(data) => data >= offset.saturating_add(length),
            Err(error) => error == Errno::NXIO,
        }
    }

    fn zero(&self, offset: u64, length: u64) -> io::Result<()> {
        if length == 0 || self.is_hole(offset, length) {
            return Ok(());
        }
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match rustix::fs::fallocate(&self.file, flags, offset, length) {
            Ok(()) => Ok(()),
            // Right bytes are worth more than space: a file system without holes gets its zeros written.
            Err(Errno::OPNOTSUPP) => self.write_zeros(offset, length),
            Err(error) => Err(error.into()),
        }
    }

    fn write_zeros(&self, mut offset: u64, length: u64) -> io::Result<()> {
        let end = offset.saturating_add(length);
        while offset < end {
            let part = usize::try_from(end - offset).ok().and_then(|length| ZEROS.get(..length)).unwrap_or(&ZEROS);
            self.file.write_all_at(part, offset)?;
            offset += part.len() as u64;
        }
        Ok(())
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        if length <= ZEROS.len() && self.is_hole(offset, length as u64) {
            return Ok(Bytes::from_static(&ZEROS).slice(..length));
        }
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, offset)?;
        Ok(Bytes::from(buffer))
    }
}

#[async_trait]
impl Target for RawTarget {
    fn length(&self) -> u64 {
        self.inner.length
    }

    async fn write_at(&self, offset: u64, data: Bytes) -> Result<(), TargetError> {
        let write = move |inner: &Inner| inner.file.write_all_at(&data, offset);
        self.run(write, |path, source| TargetError::Write { path, offset, source }).await
    }

    async fn zero(&self, offset: u64, length: u64) -> Result<(), TargetError> {
        let zero = move |inner: &Inner| inner.zero(offset, length);
        self.run(zero, |path, source| TargetError::Write { path, offset, source }).await
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, TargetError> {
        let read = move |inner: &Inner| inner.read(offset, length);
        self.run(read, |path, source| TargetError::Read { path, offset, source }).await
    }

    async fn flush(&self) -> Result<(), TargetError> {
        self.run(|inner| inner.file.sync_all(), |path, source| TargetError::Flush { path, source }).await
    }

    async fn settle(&self) -> Result<(), TargetError> {
        let settle = |inner: &Inner| {
            inner.file.sync_all()?;
            rustix::fs::fadvise(&inner.file, 0, None, Advice::DontNeed).map_err(io::Error::from)
        };
        self.run(settle, |path, source| TargetError::Flush { path, source }).await
    }
}

#[cfg(test)]
mod tests;
