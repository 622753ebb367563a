//! One attempt at all disks of a VM. The order is the proof: lock the targets, log in, look, read, look again,
//! verify. A disk that fails stops its siblings, and nothing is written any more when this returns.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use blockcopy::{RawTarget, TargetError};
use contract::job::{CopyRequested, DiskJob, DiskTarget};
use contract::transfer::DiskProof;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Desk;
use super::disk::{self, DiskWork};
use crate::board::{JobEntry, Phase};
use crate::failure::{self, Failure, Reason};
use crate::route::{self, Route};
use crate::source::{NotConnected, Session};
use crate::state::VmState;
use crate::workers::Workers;
use runtime::chain;

/// How often a locked target is tried.
const LOCK_EVERY: Duration = Duration::from_millis(500);

/// Why an attempt ended without a proof.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The job failed.
    Failed(Failure),
    /// Something that isn't the job's failed; why.
    Unsettled(String),
    /// It was stopped from outside.
    Cancelled,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

pub(super) struct Attempt<'a> {
    pub(super) desk: &'a Desk,
    pub(super) job: &'a CopyRequested,
    pub(super) entry: &'a JobEntry,
    pub(super) stop: &'a CancellationToken,
}

impl Attempt<'_> {
    /// Copies and proves all disks, in the order of the job.
    pub(super) async fn run(&self) -> Result<Vec<DiskProof>, Stopped> {
        self.supported()?;
        let targets = self.lock().await?;
        let connected = self.unless_stopped(self.desk.providers.connect(self.job)).await?;
        let session = connected.map_err(|error| match error {
            NotConnected::Failed(failure) => Stopped::Failed(failure),
            NotConnected::Store(_) => Stopped::Unsettled(chain(&error)),
        })?;
        let done = self.with_session(&session, targets).await;
        session.end().await;
        done
    }

    /// A field that would change what has to be read, and that this version doesn't act on, is never ignored.
    fn supported(&self) -> Result<(), Failure> {
        let incremental = self.job.disks.iter().any(|disk| disk.base_change_id.is_some());
        if self.job.pass.number == 0 && self.job.pass.last && !incremental {
            return Ok(());
        }
        let vm = &self.job.vm_name;
        let text = format!("VM {vm}: passes over changed blocks are not implemented; migrate it cold");
        Err(Failure::new(Reason::UnsupportedJob, text))
    }

    async fn with_session(
        &self,
        session: &Arc<dyn Session>,
        targets: Vec<RawTarget>,
    ) -> Result<Vec<DiskProof>, Stopped> {
        let before = self.unless_stopped(session.look(self.job)).await??;
        let routes = self.routes(&before)?;
        self.entry.enter(Phase::Copying);
        let limit = Arc::new(Semaphore::new(self.desk.options.requests.max(1)));
        let siblings = self.stop.child_token();
        let work = self.job.disks.iter().zip(targets).zip(routes).zip(&self.entry.disks);
        let work = work.map(|(((disk, target), route), entry)| DiskWork {
            job: Arc::new(self.job.clone()),
            disk: disk.clone(),
            target,
            route,
            state: before.clone(),
            session: Arc::clone(session),
            entry: entry.clone(),
            limit: Arc::clone(&limit),
            options: self.desk.options.clone(),
            stop: siblings.clone(),
        });
        let copying = work.map(|work| disk::copy(work).boxed()).collect();
        let copied = self.side_by_side(copying, &siblings).await;
        // Also after a failed copy: a VM that was switched on explains why its disks can't be read any more.
        if !matches!(copied, Err(Stopped::Cancelled | Stopped::Unsettled(_))) {
            self.unchanged(session, &before, copied.as_ref().err()).await?;
        }
        let copied = copied?;
        self.entry.enter(Phase::Verifying);
        for done in &copied {
            self.desk.metrics.copied(&done.report);
        }
        let proving = copied.into_iter().map(|copied| disk::prove(copied).boxed()).collect();
        self.side_by_side(proving, &siblings).await
    }

    /// Looks again. What the VM's state says outweighs `failed`; if it can't be had, `failed` is the better reason.
    async fn unchanged(
        &self,
        session: &Arc<dyn Session>,
        before: &VmState,
        failed: Option<&Stopped>,
    ) -> Result<(), Stopped> {
        let after = match self.unless_stopped(session.look(self.job)).await? {
            Err(_) if failed.is_some() => return Ok(()),
            looked => looked?,
        };
        for disk in &self.job.disks {
            route::unchanged(before, &after, disk).map_err(Failure::from)?;
        }
        Ok(())
    }

    fn routes(&self, state: &VmState) -> Result<Vec<Route>, Failure> {
        self.job.disks.iter().map(|disk| route::check(state, disk).map_err(Failure::from)).collect()
    }

    /// Does the steps, some at once, on the copying threads. The first failure stops the others, which are waited
    /// for.
    async fn side_by_side<T: Send + 'static>(
        &self,
        steps: Vec<BoxFuture<'static, Result<T, Stopped>>>,
        siblings: &CancellationToken,
    ) -> Result<Vec<T>, Stopped> {
        let workers = &self.desk.workers;
        let steps: Vec<_> = steps.into_iter().enumerate().map(|step| on(Arc::clone(workers), step)).collect();
        let mut running = stream::iter(steps).buffer_unordered(self.desk.options.disks.max(1));
        let (mut done, mut first) = (Vec::new(), None);
        while let Some((index, result)) = running.next().await {
            match result {
                Ok(value) => done.push((index, value)),
                Err(stopped) => {
                    first.get_or_insert(stopped);
                    siblings.cancel();
                }
            }
        }
        if let Some(stopped) = first {
            return Err(stopped);
        }
        done.sort_by_key(|(index, _)| *index);
        Ok(done.into_iter().map(|(_, value)| value).collect())
    }

    async fn lock(&self) -> Result<Vec<RawTarget>, Stopped> {
        let deadline = Instant::now() + self.desk.options.lock_patience();
        let mut targets = Vec::with_capacity(self.job.disks.len());
        for disk in &self.job.disks {
            targets.push(self.unless_stopped(lock(&self.job.vm_name, disk, deadline)).await??);
        }
        Ok(targets)
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        self.stop.run_until_cancelled(work).await.ok_or(Stopped::Cancelled)
    }
}

/// Runs one step on the copying threads.
async fn on<T: Send + 'static>(
    workers: Arc<Workers>,
    (index, step): (usize, BoxFuture<'static, Result<T, Stopped>>),
) -> (usize, Result<T, Stopped>) {
    let done = workers.run(step).await;
    (index, done.unwrap_or_else(|lost| Err(Stopped::Unsettled(chain(&lost)))))
}

/// Opens a target, waiting until `deadline` for a former worker to let go of it.
async fn lock(vm: &str, disk: &DiskJob, deadline: Instant) -> Result<RawTarget, Failure> {
    let DiskTarget::LocalFile { path } = &disk.target;
    let about = format!("VM {vm}, {}", disk.name);
    let path = Path::new(path);
    if !path.is_absolute() {
        let text = format!("{about}: the target {} is not an absolute path", path.display());
        return Err(Failure::new(Reason::UnsupportedJob, text));
    }
    loop {
        match RawTarget::open(path, disk.capacity).await {
            Ok(target) => return Ok(target),
            Err(TargetError::Locked { .. }) if Instant::now() < deadline => tokio::time::sleep(LOCK_EVERY).await,
            Err(error) => return Err(failure::target(&about, &error)),
        }
    }
}
