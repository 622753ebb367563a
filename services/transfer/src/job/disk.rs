//! One disk: open, copy; later, prove and keep the manifest. Runs on the copying threads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use blockcopy::{CopyError, CopyReport, Manifest, RawTarget, SourceState, VerifyError};
use contract::job::{CopyRequested, DiskJob};
use contract::transfer::DiskProof;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::attempt::Stopped;
use crate::board::DiskEntry;
use crate::failure::{self, Failure, Reason};
use crate::options::Options;
use crate::route::Route;
use crate::source::{OpenDisk, Opening, Session};
use crate::state::VmState;
use runtime::chain;

/// All that copying a disk needs.
pub(super) struct DiskWork {
    pub(super) job: Arc<CopyRequested>,
    pub(super) disk: DiskJob,
    pub(super) target: RawTarget,
    pub(super) route: Route,
    pub(super) state: VmState,
    pub(super) session: Arc<dyn Session>,
    pub(super) entry: DiskEntry,
    pub(super) limit: Arc<Semaphore>,
    pub(super) options: Options,
    pub(super) stop: CancellationToken,
}

/// A copied disk that is still to be proven.
pub(super) struct Copied {
    pub(super) report: CopyReport,
    work: DiskWork,
}

impl DiskWork {
    fn about(&self) -> String {
        format!("VM {}, {}", self.job.vm_name, self.disk.name)
    }
}

/// Reads the disk and writes its target. A copy that stops keeps what it proved for the same attempt's next try.
pub(super) async fn copy(work: DiskWork) -> Result<Copied, Stopped> {
    let opening = Opening {
        job: &work.job,
        disk: &work.disk,
        route: &work.route,
        limit: Arc::clone(&work.limit),
        stall: work.options.stall(),
        retry: work.options.retry(),
    };
    let opened = work.stop.run_until_cancelled(work.session.open(&opening)).await;
    let OpenDisk { source, fingerprint } = opened.ok_or(Stopped::Cancelled)??;
    if source.length() != work.disk.capacity {
        let (about, is, wanted) = (work.about(), source.length(), work.disk.capacity);
        let text = format!("{about}: its file has {is} bytes, the disk {wanted}; start the migration again");
        return Err(Failure::new(Reason::SourceChanged, text).into());
    }
    let kept = manifest_path(work.target.path());
    let options = blockcopy::Options {
        in_flight: work.options.reads.max(1),
        request: work.options.request_mib.max(1) << 20,
        state: state_token(&work, &fingerprint),
        former: former(&kept).await,
    };
    let progress = |progress: &blockcopy::Progress<'_>| work.entry.note(progress);
    match blockcopy::copy(source.as_ref(), &work.target, &options, &progress, &work.stop).await {
        Ok(report) => Ok(Copied { report, work }),
        Err(stopped) => {
            keep(&stopped.manifest, &kept).await;
            match &stopped.cause {
                CopyError::Cancelled => Err(Stopped::Cancelled),
                CopyError::Thread(cause) => Err(Stopped::Unsettled(chain(cause))),
                cause => Err(failure::copying(&work.about(), cause).into()),
            }
        }
    }
}

/// Reads the medium back and compares; then the manifest is the proof, beside the disk and durable.
pub(super) async fn prove(copied: Copied) -> Result<DiskProof, Stopped> {
    let Copied { report, work } = copied;
    let about = work.about();
    let in_flight = work.options.reads.max(1);
    let verified = blockcopy::verify(&work.target, &report.manifest, in_flight, &|_| {}, &work.stop).await;
    match verified {
        Ok(_) => {}
        Err(VerifyError::Cancelled) => return Err(Stopped::Cancelled),
        Err(VerifyError::Thread(cause)) => return Err(Stopped::Unsettled(chain(&cause))),
        Err(error) => return Err(failure::verifying(&about, &error).into()),
    }
    let path = manifest_path(work.target.path());
    report.manifest.save(&path).await.map_err(|error| failure::manifest(&about, &error))?;
    let Some(root) = report.manifest.root() else {
        return Err(failure::verifying(&about, &VerifyError::Incomplete).into());
    };
    Ok(DiskProof {
        disk: work.disk.name,
        capacity: report.manifest.length(),
        read_bytes: report.read_bytes,
        zero_bytes: report.zero_bytes,
        written_bytes: report.written_bytes,
        root_hash: root.to_string(),
        manifest: path.display().to_string(),
    })
}

/// `<disk>.manifest`, beside the disk.
fn manifest_path(disk: &Path) -> PathBuf {
    let mut path = disk.as_os_str().to_owned();
    path.push(".manifest");
    path.into()
}

/// A manifest that can't be read is no reason not to copy: everything is then read again.
async fn former(path: &Path) -> Option<Manifest> {
    match Manifest::load(path).await {
        Ok(former) => former,
        Err(error) => {
            tracing::warn!(error = %chain(&error), "manifest.passed_over");
            None
        }
    }
}

async fn keep(manifest: &Manifest, path: &Path) {
    if manifest.known().next().is_none() {
        return;
    }
    if let Err(error) = manifest.save(path).await {
        tracing::warn!(error = %chain(&error), "manifest.not_kept");
    }
}

/// Names the state of the source for this attempt only: between two attempts the controller gives the VM its power
/// back, so that nothing but reading again can prove that its bytes are the same.
fn state_token(work: &DiskWork, fingerprint: &str) -> Option<SourceState> {
    let disk = work.state.disks.iter().find(|disk| disk.key == work.disk.key)?;
    let job = &work.job;
    let parts = format!(
        "{}\n{}\n{}\n{}\n{}\n{}\n{fingerprint}",
        job.migration, job.vm, job.attempt, work.state.version, disk.backing.file, disk.backing.content,
    );
    SourceState::new(blockcopy::chunk::hash(parts.as_bytes()).to_string())
}
