//! The server's configuration file, and how it tells its port.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use trust::Secret;

use super::options::ServerError;
use super::store::Store;

/// What changes from start to start.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub port: Option<u16>,
    pub user: String,
    pub password: Secret<String>,
}

impl Settings {
    /// Credentials of this run: 244 random bits.
    pub fn generate(port: Option<u16>) -> Self {
        let random = || uuid::Uuid::new_v4().simple().to_string();
        Self { port, user: "longshore".to_owned(), password: Secret::new(format!("{}{}", random(), random())) }
    }

    /// Writes the file, 0600.
    pub fn write(&self, store: &Store) -> Result<PathBuf, ServerError> {
        let jetstream = store.path("jetstream");
        let run = store.path("run");
        for folder in [&jetstream, &run] {
            std::fs::create_dir_all(folder).map_err(|source| ServerError::Store { path: folder.clone(), source })?;
        }
        forget_ports(&run).map_err(|source| ServerError::Store { path: run.clone(), source })?;
        let quoted = |path: PathBuf| serde_json::Value::from(path.display().to_string()).to_string();
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\n\
             server_name: longshore\n\
             ports_file_dir: {run}\n\
             log_file: {log}\n\
             logfile_size_limit: 10MB\n\
             logfile_max_num: 3\n\
             authorization {{ user: {user}, password: \"{password}\" }}\n\
             # An acknowledgement must survive a crash of the machine: the ledger is kept here.\n\
             jetstream {{ store_dir: {jetstream}, sync_interval: always }}\n",
            port = self.port.map_or("-1".to_owned(), |port| port.to_string()),
            run = quoted(run),
            log = quoted(store.path("nats-server.log")),
            user = self.user,
            password = self.password.expose(),
            jetstream = quoted(jetstream),
        );
        store.write("nats-server.conf", &text)
    }
}

/// A killed server leaves its file, and its process id may come again.
fn forget_ports(run: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(run)? {
        std::fs::remove_file(entry?.path())?;
    }
    Ok(())
}

/// `127.0.0.1:port` once the server with this process id listens.
pub(super) fn listening(store: &Store, pid: u32) -> Option<String> {
    #[derive(Deserialize)]
    struct Ports {
        nats: Vec<String>,
    }
    let text = std::fs::read_dir(store.path("run")).ok()?.flatten().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.ends_with(&format!("_{pid}.ports")).then(|| std::fs::read_to_string(entry.path()).ok()).flatten()
    })?;
    let ports: Ports = serde_json::from_str(&text).ok()?;
    ports.nats.first()?.strip_prefix("nats://").map(str::to_owned)
}
