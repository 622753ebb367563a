//! A nats-server of our own as a child process, for one machine: generated credentials, loopback only, everything
//! on disk and synced at every write. Nobody else may use its store, and it doesn't outlive us.

mod binary;
mod child;
mod config;
mod leftover;
mod options;
mod store;

use std::path::{Path, PathBuf};
use std::time::Duration;

use trust::Secret;

use child::Child;
use config::Settings;
pub use options::{ServerError, ServerOptions};
use store::Store;

/// How long the server may take to listen: it reads its whole store first.
const READY: Duration = Duration::from_secs(60);
/// How long an orderly stop may take before the process is killed.
const STOP: Duration = Duration::from_secs(15);

/// A running nats-server. Dropping it kills it; [`NatsServer::stop`] lets it end in order.
#[derive(Debug)]
pub struct NatsServer {
    binary: PathBuf,
    store: Store,
    settings: Settings,
    child: Child,
    address: String,
}

impl NatsServer {
    /// Finds and checks the binary, locks the store, ends a leftover of a killed predecessor, starts the server
    /// and waits until it answers.
    pub async fn start(options: ServerOptions) -> Result<Self, ServerError> {
        let binary = binary::find(options.binary.as_deref()).await?;
        let store = Store::lock(&options.store_dir)?;
        let settings = Settings::generate(options.port);
        let (child, address) = launch(&binary, &store, &settings).await?;
        Ok(Self { binary, store, settings, child, address })
    }

    /// Where it listens, with user and password.
    pub fn url(&self) -> Secret<String> {
        let Settings { user, password, .. } = &self.settings;
        Secret::new(format!("nats://{user}:{}@{}", password.expose(), self.address))
    }

    /// `127.0.0.1:port`, without credentials.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Its log file.
    pub fn log(&self) -> PathBuf {
        self.store.path("nats-server.log")
    }

    /// Waits for its end, however it comes, and says how it ended.
    pub async fn exited(&self) -> String {
        self.child.exited().await
    }

    /// Ends it with SIGTERM, and with SIGKILL if that takes more than 15 seconds. Frees the store.
    pub async fn stop(mut self) -> Result<(), ServerError> {
        self.end().await
    }

    /// Ends it, if it still runs, and starts it again with the same credentials on the same port and store, so
    /// that clients reconnect by themselves.
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        self.end().await?;
        self.settings.port = self.address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        (self.child, self.address) = launch(&self.binary, &self.store, &self.settings).await?;
        Ok(())
    }

    async fn end(&mut self) -> Result<(), ServerError> {
        let pid = self.child.pid();
        if !self.child.end(STOP).await {
            return Err(ServerError::Stuck { pid });
        }
        leftover::forget(&self.store);
        Ok(())
    }
}

async fn launch(binary: &Path, store: &Store, settings: &Settings) -> Result<(Child, String), ServerError> {
    leftover::end(store).await?;
    let config = settings.write(store)?;
    let child = Child::spawn(binary, &config)
        .await
        .map_err(|source| ServerError::Spawn { binary: binary.to_owned(), source })?;
    leftover::remember(store, child.pid())?;
    let ready = async {
        loop {
            if let Some(address) = config::listening(store, child.pid()) {
                return Ok(address);
            }
            tokio::select! {
                how = child.exited() => return Err(how),
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    };
    let log = store.path("nats-server.log");
    match tokio::time::timeout(READY, ready).await {
        Ok(Ok(address)) => Ok((child, address)),
        Ok(Err(how)) => Err(ServerError::Exited { how, said: store::last_lines(&log), log }),
        Err(_) => Err(ServerError::NotReady { seconds: READY.as_secs(), said: store::last_lines(&log), log }),
    }
}
