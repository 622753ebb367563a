//! The source as the controller touches it: power, and the looks that come before. One session a provider, opened
//! when needed and again when it expired; refused credentials are never tried twice in the same version.

use std::collections::HashMap;
use std::time::Duration;

use contract::id::VmId;
use forklift_api::Provider;
use forklift_api::virtual_machine_import::longshore::DiskStatus;
use kube::ResourceExt;
use runtime::chain;
use store::{ProviderLogin, Secrets};
use tokio::sync::Mutex;
use vsphere::{Client, Endpoint, Error, Fault, LoginError, MoRef, PowerState, descriptor};

use crate::step::{Power, Problem};

/// What is looked at before a VM is touched.
const PREPARATION: [&str; 3] = ["runtime.powerState", "guest.toolsRunningStatus", "snapshot"];

/// A logout that takes longer is left to the server's own idle timeout.
const LOGOUT: Duration = Duration::from_secs(5);

/// Sessions with source providers.
pub(crate) struct Sources {
    secrets: Secrets,
    sessions: Mutex<HashMap<String, Session>>,
}

struct Session {
    version: Version,
    state: State,
}

/// Of provider and secret: another version is another login.
#[derive(Clone, PartialEq, Eq)]
struct Version {
    generation: Option<i64>,
    secret: String,
}

impl Session {
    async fn end(self) {
        let State::Open(client) = self.state else { return };
        match tokio::time::timeout(LOGOUT, client.logout()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(error = chain(&error), "source.logout_failed"),
            Err(_) => tracing::debug!("source.logout_timed_out"),
        }
    }
}

enum State {
    Open(Client),
    Refused(Problem),
}

impl Sources {
    pub fn new(secrets: Secrets) -> Self {
        Self { secrets, sessions: Mutex::default() }
    }

    /// The VM's power state, read now.
    pub async fn power(&self, provider: &Provider, vm: &VmId, name: &str) -> Result<Power, Problem> {
        let reference = MoRef::vm(vm.as_str());
        let state = self
            .with(provider, name, move |client| {
                let reference = reference.clone();
                async move { client.power_state(&reference).await }
            })
            .await?;
        match state {
            PowerState::On => Ok(Power::On),
            PowerState::Off => Ok(Power::Off),
            PowerState::Suspended => Ok(Power::Suspended),
            PowerState::Unknown(_) => {
                Err(Problem::passing("PowerStateUnknown", format!("the source tells no power state of VM '{name}'")))
            }
        }
    }

    /// Asks the guest to shut down; a VM that is off already is as it should be.
    pub async fn shutdown_guest(&self, provider: &Provider, vm: &VmId, name: &str) -> Result<(), Problem> {
        let reference = MoRef::vm(vm.as_str());
        self.with(provider, name, move |client| {
            let reference = reference.clone();
            async move { client.shutdown_guest(&reference).await.map(drop) }
        })
        .await
    }

    /// Powers the VM on; one that runs already is as it should be.
    pub async fn power_on(&self, provider: &Provider, vm: &VmId, name: &str) -> Result<(), Problem> {
        let reference = MoRef::vm(vm.as_str());
        self.with(provider, name, move |client| {
            let reference = reference.clone();
            async move { client.power_on(&reference).await.map(drop) }
        })
        .await
    }

    /// Whether the VM can be shut down and its disks read: everything that can fail before it is touched.
    pub async fn prepare(
        &self,
        provider: &Provider,
        vm: &VmId,
        name: &str,
        disks: &[DiskStatus],
    ) -> Result<(), Problem> {
        let reference = MoRef::vm(vm.as_str());
        let found = self
            .with(provider, name, move |client| {
                let reference = reference.clone();
                async move { client.properties(&reference, &PREPARATION).await }
            })
            .await?;
        let running = found.text("runtime.powerState") == Some("poweredOn");
        if running && found.text("guest.toolsRunningStatus") != Some("guestToolsRunning") {
            let message = format!(
                "VM '{name}' runs without VMware Tools running in the guest, so it can't be shut down in an orderly way; start the Tools or shut it down by hand, then create a new Migration"
            );
            return Err(Problem::lasting("ToolsNotRunning", message));
        }
        if found.get("snapshot").is_some() {
            let message = format!(
                "VM '{name}' has a snapshot, so its disk files are not its current disks; remove it, then create a new Migration"
            );
            return Err(Problem::lasting("SnapshotPresent", message));
        }
        for disk in disks {
            self.check_descriptor(provider, name, disk).await?;
        }
        Ok(())
    }

    async fn check_descriptor(&self, provider: &Provider, name: &str, disk: &DiskStatus) -> Result<(), Problem> {
        let what = format!("disk '{}' of VM '{name}'", disk.file);
        let path: vsphere::DatastorePath = disk
            .file
            .parse()
            .map_err(|error| Problem::lasting("UnsupportedBacking", format!("{what}: {}", chain(&error))))?;
        let file = self.client(provider).await?.datastore_file(&disk.datacenter, &path);
        let text = file.read(descriptor::MAX_SIZE).await.map_err(|error| {
            Problem::passing("SourceUnreachable", format!("the descriptor of {what} can't be read: {}", chain(&error)))
        })?;
        let descriptor = descriptor::parse(&text).map_err(|error| {
            Problem::lasting(
                "UnsupportedBacking",
                format!("the descriptor of {what} is not understood: {}", chain(&error)),
            )
        })?;
        if descriptor.plain_flat().is_none() {
            let message = format!("{what} is no single plain flat file; this route can't read it");
            return Err(Problem::lasting("UnsupportedBacking", message));
        }
        Ok(())
    }

    /// Calls with a session; the client itself opens one that expired anew.
    async fn with<T, F>(&self, provider: &Provider, name: &str, call: impl Fn(Client) -> F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Error>>,
    {
        call(self.client(provider).await?).await.map_err(|error| problem(name, &error))
    }

    /// Ends all sessions: a server has only so many, and keeps one that nobody ends for half an hour.
    pub async fn close(&self) {
        let open = self.sessions.lock().await.drain().map(|(_, session)| session.end()).collect::<Vec<_>>();
        futures::future::join_all(open).await;
    }

    async fn client(&self, provider: &Provider) -> Result<Client, Problem> {
        let namespace = provider.namespace().unwrap_or_default();
        let reference = &provider.spec.secret;
        let secret_name = reference.name.clone().unwrap_or_default();
        let secret_namespace = reference.namespace.as_deref().unwrap_or(&namespace);
        let secret = self.secrets.get(secret_namespace, &secret_name).await;
        let secret =
            secret.map_err(|error| Problem::passing("SecretNotReadable", chain(&error)))?.ok_or_else(|| {
                Problem::passing(
                    "SecretNotFound",
                    format!("the Secret `{secret_namespace}/{secret_name}` of the provider is gone; create it again"),
                )
            })?;
        let version =
            Version { generation: provider.metadata.generation, secret: secret.resource_version().to_owned() };
        let uid = provider.uid().unwrap_or_default();
        // Held during the login: two of them at a time would be one too many for an account with a wrong password.
        let mut sessions = self.sessions.lock().await;
        match sessions.get(&uid) {
            Some(session) if session.version == version => match &session.state {
                State::Open(client) => return Ok(client.clone()),
                State::Refused(problem) => return Err(problem.clone()),
            },
            _ => {}
        }
        if let Some(outdated) = sessions.remove(&uid) {
            outdated.end().await;
        }
        let endpoint = endpoint(provider, &secret)?;
        match Client::login(&endpoint).await {
            Ok(client) => {
                sessions.insert(uid, Session { version, state: State::Open(client.clone()) });
                Ok(client)
            }
            Err(error) => {
                let problem = login_problem(&error);
                if !problem.passing {
                    sessions.insert(uid, Session { version, state: State::Refused(problem.clone()) });
                }
                Err(problem)
            }
        }
    }
}

fn endpoint(provider: &Provider, secret: &store::SecretObject) -> Result<Endpoint, Problem> {
    let invalid = |error: &dyn std::error::Error| Problem::lasting("SecretNotValid", chain(error));
    let ProviderLogin { url, user, password, tls } = store::login(provider, secret).map_err(|error| invalid(&error))?;
    Endpoint::new(&url, user, password, tls).map_err(|error| invalid(&error))
}

/// The login's own word is the reason; one that may succeed later by itself is tried again.
fn login_problem(error: &LoginError) -> Problem {
    Problem { reason: error.reason().to_owned(), message: chain(error), passing: error.is_transient() }
}

fn problem(name: &str, error: &Error) -> Problem {
    let text = format!("VM '{name}': {}", chain(error));
    match error {
        Error::Refused { fault, .. } => match fault {
            Fault::ToolsUnavailable => Problem::lasting(
                "ToolsNotRunning",
                format!(
                    "{text}; VMware Tools don't run in the guest: start them or shut the VM down by hand, then create a new Migration"
                ),
            ),
            Fault::NoPermission { .. } => Problem::lasting("InsufficientPrivileges", text),
            Fault::ManagedObjectNotFound { .. } => Problem::lasting("VMNotFound", text),
            _ => Problem::lasting("SourceRefused", text),
        },
        _ if error.is_transient() => Problem::passing("SourceUnreachable", text),
        _ => Problem::lasting("SourceRefused", text),
    }
}
