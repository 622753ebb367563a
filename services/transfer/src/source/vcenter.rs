//! Disks of a vCenter, by its datastore browser. One login per job; transient failures of single calls are tried
//! again a few times, a refused password never.

mod endpoint;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use blockcopy::{HttpOptions, HttpSource, Renew};
use contract::job::CopyRequested;
use futures::future::{BoxFuture, FutureExt};
use reqwest::header::HeaderMap;
use store::{Secrets, Store};
use vsphere::{Client, DatastoreFile, DatastorePath, FileError, LoginError, MoRef, Object, descriptor};

use super::{NotConnected, OpenDisk, Opening, Providers, Session};
use crate::failure::{self, Failure, Reason};
use crate::flat;
use crate::route::Route;
use crate::state::{DATASTORE_PATHS, VM_PATHS, VmState};
use runtime::chain;

/// Pauses between attempts at one call.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(6)];
/// A logout that takes longer is left to the server's own idle timeout.
const LOGOUT: Duration = Duration::from_secs(10);

/// Logs in to the vCenter that a job's Provider names.
pub(crate) struct VcenterProviders {
    store: Store,
    secrets: Secrets,
}

impl VcenterProviders {
    pub(crate) fn new(store: Store, secrets: Secrets) -> Self {
        Self { store, secrets }
    }
}

#[async_trait]
impl Providers for VcenterProviders {
    async fn connect(&self, job: &CopyRequested) -> Result<Arc<dyn Session>, NotConnected> {
        let endpoint = endpoint::read(&self.store, &self.secrets, job).await?;
        let login = || Client::login(&endpoint).boxed();
        let client = patiently(LoginError::is_transient, login).await;
        let client = client.map_err(|error| NotConnected::Failed(failure::login(&job.provider_name, &error)))?;
        Ok(Arc::new(VcenterSession { client }))
    }
}

struct VcenterSession {
    client: Client,
}

#[async_trait]
impl Session for VcenterSession {
    async fn look(&self, job: &CopyRequested) -> Result<VmState, Failure> {
        let about = format!("VM {}", job.vm_name);
        let vm = self.read(&about, &MoRef::vm(job.vm.as_str()), VM_PATHS).await?;
        let mut state = VmState::read(&vm);
        for datastore in state.datastores() {
            state.add_datastore(&self.read(&about, &datastore, DATASTORE_PATHS).await?);
        }
        Ok(state)
    }

    async fn open(&self, opening: &Opening<'_>) -> Result<OpenDisk, Failure> {
        let Route::DatastoreFile { datacenter, descriptor } = opening.route;
        let about = format!("VM {}, {}", opening.job.vm_name, opening.disk.name);
        let path: DatastorePath =
            descriptor.parse().map_err(|error| Failure::because(Reason::UnsupportedBacking, &about, &error))?;
        let file = self.client.datastore_file(datacenter, &path);
        let content = patiently(transient, || file.read(descriptor::MAX_SIZE).boxed()).await;
        let content = content.map_err(|error| unreadable(&about, &error))?;
        let flat = flat::locate(&about, &path, &content, opening.disk.capacity)?;
        let file = self.client.datastore_file(datacenter, &flat);
        let tls = file.tls().config.clone();
        let options = HttpOptions {
            limit: Arc::clone(&opening.limit),
            stall: opening.stall,
            retry: opening.retry,
            renew: Some(Arc::new(Renewal(file.clone()))),
            ..HttpOptions::new(flat.to_string(), file.url().clone(), file.headers(), tls)
        };
        let source = HttpSource::open(options).await;
        let source = source.map_err(|error| Failure::because(failure::read(&error.fault), &about, &error))?;
        Ok(OpenDisk { source: Box::new(source), fingerprint: String::from_utf8_lossy(&content).into_owned() })
    }

    async fn end(&self) {
        match tokio::time::timeout(LOGOUT, self.client.logout()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(error = %chain(&error), "session.left_to_time_out"),
            Err(_) => tracing::debug!("session.left_to_time_out"),
        }
    }
}

impl VcenterSession {
    /// Reads properties; one that is withheld is a failure, for "no snapshot" must not be read out of silence.
    async fn read(&self, about: &str, object: &MoRef, paths: &[&str]) -> Result<Object, Failure> {
        let call = || self.client.properties(object, paths).boxed();
        let read = patiently(vsphere::Error::is_transient, call).await;
        let read = read.map_err(|error| failure::vcenter(about, &error))?;
        match read.missing.first() {
            None => Ok(read),
            Some(missing) => {
                let text = format!(
                    "{about}: the vCenter withholds {} of {object} ({}); give the account the right to read it",
                    missing.path, missing.fault,
                );
                Err(Failure::new(Reason::AccessDenied, text))
            }
        }
    }
}

/// A fresh login for the reads of one file.
struct Renewal(DatastoreFile);

#[async_trait]
impl Renew for Renewal {
    async fn renew(&self, refused: &HeaderMap) -> Result<HeaderMap, Box<dyn Error + Send + Sync>> {
        self.0.renew(refused).await.map_err(Into::into)
    }
}

/// Repeats `call` as long as its failure may pass, a few times.
async fn patiently<'a, T, E>(
    transient: fn(&E) -> bool,
    mut call: impl FnMut() -> BoxFuture<'a, Result<T, E>> + Send,
) -> Result<T, E> {
    for pause in PAUSES {
        match call().await {
            Err(error) if transient(&error) => tokio::time::sleep(pause).await,
            done => return done,
        }
    }
    call().await
}

fn transient(error: &FileError) -> bool {
    match error {
        FileError::Connection { source, .. } => source.is_transient(),
        FileError::Refused { status, .. } => matches!(status, 429 | 502..=504),
        _ => false,
    }
}

fn unreadable(about: &str, error: &FileError) -> Failure {
    let reason = match error {
        FileError::NotFound { .. } => Reason::SourceChanged,
        FileError::Refused { status: 401, .. } => Reason::CredentialsRefused,
        FileError::Refused { status: 403, .. } => Reason::AccessDenied,
        FileError::TooLarge { .. } => Reason::UnsupportedBacking,
        FileError::Connection { source, .. } => return failure::vcenter(about, source),
        _ => Reason::SourceUnreachable,
    };
    Failure::because(reason, about, error)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    async fn tries(failures: usize, transient: fn(&usize) -> bool) -> (Result<usize, usize>, usize) {
        let calls = AtomicUsize::default();
        let call = || {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            async move { if call < failures { Err(call) } else { Ok(call) } }.boxed()
        };
        (patiently(transient, call).await, calls.load(Ordering::SeqCst))
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        assert_eq!(tries(2, |_| true).await, (Ok(2), 3));
        assert_eq!(tries(9, |_| true).await, (Err(3), 4));
        assert_eq!(tries(2, |_| false).await, (Err(0), 1));
    }
}
