//! The engine: reads what must be read, hashes it, writes what is not zero, and knows of every chunk what it did.
//! Memory is bounded by `in_flight × request`. When it returns, for whatever reason, no write is under way.

mod error;
mod resume;
mod step;
#[cfg(test)]
mod tests;

use futures::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::chunk::{self, CHUNK};
use crate::extent;
use crate::manifest::{Manifest, SourceState};
use crate::plan::Plan;
use crate::source::Source;
use crate::target::Target;

pub use error::{CopyError, CopyStopped};
use step::{Done, Worker};

/// How a copy is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Reads at once; each holds one request in memory.
    pub in_flight: usize,
    /// Bytes of a request, rounded down to whole chunks, at least one.
    pub request: u64,
    /// The state the source is in now, if the caller can prove one. It goes into the manifest.
    pub state: Option<SourceState>,
    /// What a former attempt left. Its chunks are hashed again at the target. If its state is `state`, those that
    /// still match are not read; else everything is read, and only what differs is written. A manifest of
    /// another length proves nothing and is passed over.
    pub former: Option<Manifest>,
}

impl Default for Options {
    /// Four requests of 4 MiB: at 5 ms of latency this was past the knee for every peer measured.
    fn default() -> Self {
        Self { in_flight: 4, request: 4 * CHUNK, state: None, former: None }
    }
}

/// How far a copy or verification is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Bytes that are done, whether read, known to be zero, or kept.
    pub done_bytes: u64,
    /// Length of the disk.
    pub total_bytes: u64,
    /// Bytes fetched from the source so far.
    pub read_bytes: u64,
    /// The hashes so far, to make a checkpoint of.
    pub manifest: &'a Manifest,
}

impl<'a> Progress<'a> {
    pub(crate) fn start(manifest: &'a Manifest) -> Self {
        Self { done_bytes: 0, total_bytes: manifest.length(), read_bytes: 0, manifest }
    }
}

/// Called after each step; it must return at once.
pub type OnProgress<'a> = dyn Fn(&Progress<'_>) + Send + Sync + 'a;

/// What a finished copy did. `zero + written + kept` is the disk's length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// Bytes fetched from the source.
    pub read_bytes: u64,
    /// Bytes that are zero and not allocated at the target.
    pub zero_bytes: u64,
    /// Bytes written to the target.
    pub written_bytes: u64,
    /// Bytes that the target held already.
    pub kept_bytes: u64,
    /// The hash of every chunk.
    pub manifest: Manifest,
}

/// Copies `source` to `target` and makes it durable. `cancel` stops it; writes that began are finished first.
pub async fn copy(
    source: &dyn Source,
    target: &dyn Target,
    options: &Options,
    progress: &OnProgress<'_>,
    cancel: &CancellationToken,
) -> Result<CopyReport, CopyStopped> {
    let manifest = Manifest::new(source.length(), options.state.clone());
    let mut report = CopyReport { read_bytes: 0, zero_bytes: 0, written_bytes: 0, kept_bytes: 0, manifest };
    match run(source, target, options, &mut report, progress, cancel).await {
        Ok(()) => Ok(report),
        Err(cause) => Err(CopyStopped { cause, manifest: report.manifest }),
    }
}

async fn run(
    source: &dyn Source,
    target: &dyn Target,
    options: &Options,
    report: &mut CopyReport,
    progress: &OnProgress<'_>,
    cancel: &CancellationToken,
) -> Result<(), CopyError> {
    let length = source.length();
    if length != target.length() {
        return Err(CopyError::Length { source_bytes: length, target_bytes: target.length() });
    }
    let former = options.former.as_ref().filter(|former| former.length() == length);
    let same = former.filter(|former| former.same_state(options.state.as_ref()));
    if let Some(same) = same {
        // Until it is proven or refuted, it is still what a next attempt should try.
        report.manifest = same.clone();
    }
    let proven = resume::prove(target, former, options.in_flight, cancel).await?;
    report.manifest = resume::kept(same, &proven).unwrap_or_else(|| Manifest::new(length, options.state.clone()));
    let extents = cancel.run_until_cancelled(source.extents()).await.ok_or(CopyError::Cancelled)?;
    let zero = extent::zero_chunks(&extents.map_err(|source| CopyError::Source { offset: 0, source })?, length)?;
    let kept = if same.is_some() { proven.as_slice() } else { &[] };
    let plan = Plan::new(chunk::count(length), &zero, kept, options.request / CHUNK);
    let stop = cancel.child_token();
    let worker = Worker { source, target, former, proven: &proven, stop: &stop };

    let mut failure = None;
    let steps = stream::iter(plan.take_while(|_| !stop.is_cancelled())).map(|step| worker.run(step));
    let mut steps = std::pin::pin!(steps.buffer_unordered(options.in_flight.max(1)));
    while let Some(result) = steps.next().await {
        match result {
            Ok(done) => record(report, done, progress),
            Err(error) => {
                // The others are waited for: their reads end at once, their writes must.
                failure.get_or_insert(error);
                stop.cancel();
            }
        }
    }
    if let Some(error) = failure {
        return Err(error);
    }
    if !report.manifest.is_complete() {
        return Err(CopyError::Cancelled);
    }
    target.flush().await.map_err(CopyError::Target)
}

fn record(report: &mut CopyReport, done: Done, progress: &OnProgress<'_>) {
    for (index, hash) in done.hashes {
        report.manifest.set(index, hash);
    }
    report.read_bytes += done.read_bytes;
    report.zero_bytes += done.zero_bytes;
    report.written_bytes += done.written_bytes;
    report.kept_bytes += done.kept_bytes;
    progress(&Progress {
        done_bytes: report.zero_bytes + report.written_bytes + report.kept_bytes,
        total_bytes: report.manifest.length(),
        read_bytes: report.read_bytes,
        manifest: &report.manifest,
    });
}
