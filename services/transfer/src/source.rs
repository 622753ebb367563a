//! Where a job's disks are read: a session with a provider, made for one job and ended with it. The trait is what
//! a job needs of any provider; `vcenter` is the one that exists (RHV's comes beside it).

mod vcenter;

use std::sync::Arc;

use async_trait::async_trait;
use contract::job::{CopyRequested, DiskJob};
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::route::Route;
use crate::state::VmState;

pub(crate) use vcenter::VcenterProviders;

/// Opens sessions.
#[async_trait]
pub(crate) trait Providers: Send + Sync {
    /// Logs in for `job`.
    async fn connect(&self, job: &CopyRequested) -> Result<Arc<dyn Session>, NotConnected>;
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotConnected {
    /// The job can't be done: the provider, its Secret or the login is wrong.
    #[error("no session with the provider")]
    Failed(#[source] Failure),
    /// The resources can't be read now; it says nothing about the job.
    #[error("the provider's resources can't be read")]
    Store(#[source] store::Error),
}

/// A login at a provider.
#[async_trait]
pub(crate) trait Session: Send + Sync {
    /// What the provider says about the job's VM now.
    async fn look(&self, job: &CopyRequested) -> Result<VmState, Failure>;

    /// Opens a disk by a route that was checked. Must be called on the threads that copy. `limit` bounds the
    /// requests in flight, `stall` is how long a silent source is waited for, `retry` how often.
    async fn open(&self, opening: &Opening<'_>) -> Result<OpenDisk, Failure>;

    /// Ends the session. It must not hang.
    async fn end(&self);
}

/// What is to be opened.
pub(crate) struct Opening<'a> {
    pub(crate) job: &'a CopyRequested,
    pub(crate) disk: &'a DiskJob,
    pub(crate) route: &'a Route,
    pub(crate) limit: Arc<Semaphore>,
    pub(crate) stall: std::time::Duration,
    pub(crate) retry: blockcopy::RetryPolicy,
}

/// A disk that can be read.
pub(crate) struct OpenDisk {
    pub(crate) source: Box<dyn blockcopy::Source>,
    /// What identifies the disk's content beyond [`VmState`], such as the text of its descriptor.
    pub(crate) fingerprint: String,
}
