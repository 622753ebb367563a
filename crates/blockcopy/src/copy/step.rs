//! One step of a copy, from request to written blocks. A read is given up when the copy stops; a write never is.

use std::ops::Range;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::CopyError;
use crate::blocking;
use crate::chunk::{self, Hash, Run};
use crate::manifest::Manifest;
use crate::plan::Step;
use crate::source::Source;
use crate::target::Target;

/// What a step did.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) hashes: Vec<(u64, Hash)>,
    pub(super) read_bytes: u64,
    pub(super) zero_bytes: u64,
    pub(super) written_bytes: u64,
    pub(super) kept_bytes: u64,
}

/// What all steps share.
pub(super) struct Worker<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) target: &'a dyn Target,
    pub(super) former: Option<&'a Manifest>,
    /// Chunks of which the target holds what `former` says.
    pub(super) proven: &'a [bool],
    pub(super) stop: &'a CancellationToken,
}

/// A chunk that was read, with what is to be known before it is written.
struct Examined {
    index: u64,
    offset: u64,
    data: Bytes,
    hash: Hash,
    runs: Vec<Run>,
}

impl Worker<'_> {
    pub(super) async fn run(&self, step: Step) -> Result<Done, CopyError> {
        match step {
            Step::Keep(chunks) => Ok(self.keep(chunks)),
            Step::Zero(chunks) => self.zero(chunks).await,
            Step::Read(chunks) => self.read(chunks).await,
        }
    }

    /// Length of the disk.
    fn length(&self) -> u64 {
        self.source.length()
    }

    fn bytes(&self, chunks: &Range<u64>) -> Range<u64> {
        chunk::span(chunks.start, self.length()).start..chunk::span(chunks.end.saturating_sub(1), self.length()).end
    }

    /// The hash that the target is proven to hold at `index`.
    fn held(&self, index: u64) -> Option<Hash> {
        let proven = usize::try_from(index).ok().and_then(|index| self.proven.get(index)).copied().unwrap_or(false);
        self.former.filter(|_| proven).and_then(|former| former.hash(index))
    }

    fn keep(&self, chunks: Range<u64>) -> Done {
        let bytes = self.bytes(&chunks);
        let hashes = chunks.filter_map(|index| Some((index, self.held(index)?))).collect();
        Done { hashes, kept_bytes: bytes.end - bytes.start, ..Done::default() }
    }

    async fn zero(&self, chunks: Range<u64>) -> Result<Done, CopyError> {
        let bytes = self.bytes(&chunks);
        let length = bytes.end - bytes.start;
        self.target.zero(bytes.start, length).await.map_err(CopyError::Target)?;
        let hash = |index| {
            let span = chunk::span(index, self.length());
            (index, chunk::zero_hash(span.end - span.start))
        };
        Ok(Done { hashes: chunks.map(hash).collect(), zero_bytes: length, ..Done::default() })
    }

    async fn read(&self, chunks: Range<u64>) -> Result<Done, CopyError> {
        let bytes = self.bytes(&chunks);
        let length = usize::try_from(bytes.end - bytes.start).unwrap_or(usize::MAX);
        let read = self.stop.run_until_cancelled(self.source.read_at(bytes.start, length)).await;
        let data = read.ok_or(CopyError::Cancelled)?;
        let data = data.map_err(|source| CopyError::Source { offset: bytes.start, source })?;
        let mut done = Done { read_bytes: data.len() as u64, ..Done::default() };
        let examined = blocking::run(move || examine(chunks.start, bytes.start, &data)).await;
        for chunk in examined.map_err(CopyError::Thread)? {
            if self.stop.is_cancelled() {
                return Err(CopyError::Cancelled);
            }
            done.hashes.push((chunk.index, chunk.hash));
            if self.held(chunk.index) == Some(chunk.hash) {
                done.kept_bytes += chunk.data.len() as u64;
            } else {
                self.write(&chunk, &mut done).await?;
            }
        }
        Ok(done)
    }

    async fn write(&self, chunk: &Examined, done: &mut Done) -> Result<(), CopyError> {
        for run in &chunk.runs {
            let (offset, length) = (chunk.offset + run.range.start as u64, run.range.len() as u64);
            if run.zero {
                self.target.zero(offset, length).await.map_err(CopyError::Target)?;
                done.zero_bytes += length;
            } else {
                let data = chunk.data.slice(run.range.clone());
                self.target.write_at(offset, data).await.map_err(CopyError::Target)?;
                done.written_bytes += length;
            }
        }
        Ok(())
    }
}

/// Hashes the chunks of a request and finds their zeros.
fn examine(first: u64, offset: u64, data: &Bytes) -> Vec<Examined> {
    let size = usize::try_from(chunk::CHUNK).unwrap_or(usize::MAX);
    let mut examined = Vec::with_capacity(data.len().div_ceil(size));
    let mut rest = data.clone();
    for index in first.. {
        if rest.is_empty() {
            break;
        }
        let data = rest.split_to(size.min(rest.len()));
        let (hash, runs) = (chunk::hash(&data), chunk::runs(&data));
        let offset = offset + (index - first) * chunk::CHUNK;
        examined.push(Examined { index, offset, data, hash, runs });
    }
    examined
}
