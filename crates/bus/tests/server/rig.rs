//! A server with its store and the messages that tests send.

use std::path::PathBuf;
use std::time::Duration;

use bus::server::{NatsServer, ServerOptions};
use bus::{Bus, ConnectOptions};
use contract::id::MigrationUid;
use contract::inventory::ObjectRemoved;
use contract::job::{CopyRequested, Pass};
use contract::transfer::TransferProgressed;
use tempfile::TempDir;

/// Nothing here takes longer, unless it hangs.
pub const SOON: Duration = Duration::from_secs(30);

pub struct Rig {
    pub folder: TempDir,
    pub server: NatsServer,
}

impl Rig {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = NatsServer::start(options(&folder)).await.unwrap();
        Self { folder, server }
    }

    pub async fn bus(&self) -> Bus {
        Bus::connect(&ConnectOptions::new(self.server.url(), "test")).await.unwrap()
    }

    /// A server and a first connection.
    pub async fn with_bus() -> (Self, Bus) {
        let rig = Self::start().await;
        let bus = rig.bus().await;
        (rig, bus)
    }
}

pub fn options(folder: &TempDir) -> ServerOptions {
    ServerOptions { binary: binary(), store_dir: folder.path().join("nats"), port: None }
}

/// The server that `cargo xtask` installs, unless another is named.
fn binary() -> Option<PathBuf> {
    if std::env::var_os("LONGSHORE_NATS_SERVER").is_some() {
        return None;
    }
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("longshore/venv/bin/nats-server")).filter(|path| path.is_file())
}

pub fn job(vm: &str, attempt: u32) -> CopyRequested {
    CopyRequested {
        migration: MigrationUid::from("migration"),
        plan: "plan".into(),
        namespace: "default".to_owned(),
        attempt,
        provider: "provider".into(),
        provider_name: "vcenter".to_owned(),
        vm: vm.into(),
        vm_name: vm.to_owned(),
        pass: Pass { number: 0, last: true },
        disks: Vec::new(),
    }
}

/// An inventory message with an id of its own per revision.
pub fn removed(id: &str, n: u64) -> ObjectRemoved {
    let revision = contract::revision::Revision { epoch: 1, n };
    ObjectRemoved { provider: "provider".into(), kind: "host".to_owned(), id: id.to_owned(), revision }
}

/// A message without an id.
pub fn progress(done_bytes: u64) -> TransferProgressed {
    TransferProgressed {
        migration: "migration".into(),
        vm: "vm-1".into(),
        attempt: 1,
        disk: "disk-2000".to_owned(),
        done_bytes,
        total_bytes: 1000,
    }
}

/// The next thing, or a failed test.
pub fn soon<T>(what: impl Future<Output = T>) -> impl Future<Output = T> {
    let what = Box::pin(what);
    async { tokio::time::timeout(SOON, what).await.unwrap() }
}

/// Asserts that something stays away for a while.
pub async fn not_for<T: std::fmt::Debug>(time: Duration, what: impl Future<Output = T>) {
    if let Ok(came) = tokio::time::timeout(time, what).await {
        panic!("unexpected: {came:?}");
    }
}
