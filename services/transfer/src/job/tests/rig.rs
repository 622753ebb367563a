//! A real nats-server, the whole service on it, and a provider in memory whose disks and state the test holds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use blockcopy::{Extent, Source, SourceError};
use bus::server::{NatsServer, ServerOptions};
use bus::{Bus, ConnectOptions};
use bytes::Bytes;
use contract::job::{CopyRequested, DiskJob, DiskSource, DiskTarget, Pass};
use contract::subject;
use contract::transfer::{Outcome, TransferFinished};
use runtime::{Kind, Process, Shutdown};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::Options;
use crate::failure::Failure;
use crate::service::Transfer;
use crate::source::{NotConnected, OpenDisk, Opening, Providers, Session};
use crate::state::{Backing, DatastoreState, DiskState, Power, VmState};

/// Nothing here takes longer, unless it hangs.
pub(super) const SOON: Duration = Duration::from_secs(30);

/// The provider: one VM.
pub(super) struct Fake {
    pub(super) disks: Mutex<BTreeMap<i32, Vec<u8>>>,
    /// What is seen at the first look, the second, and so on; the last one stays.
    pub(super) looks: Mutex<Vec<VmState>>,
    /// Reads that may go on.
    pub(super) gate: Semaphore,
    pub(super) read: AtomicU64,
    pub(super) sessions: AtomicUsize,
    pub(super) open_sessions: AtomicUsize,
    me: std::sync::Weak<Fake>,
}

/// Test-wide world.
pub(super) struct Rig {
    pub(super) folder: TempDir,
    pub(super) server: NatsServer,
    pub(super) bus: Bus,
    pub(super) fake: Arc<Fake>,
}

/// A running service.
pub(super) struct Running {
    pub(super) process: Process,
    pub(super) router: axum::Router,
}

impl Fake {
    /// A VM at rest with disks of `lengths`, keys from 2000, each byte of its own.
    fn new(lengths: &[usize]) -> Arc<Self> {
        let disk = |(key, length): (i32, &usize)| (key, content(key, *length));
        let disks: BTreeMap<i32, Vec<u8>> = (2000..).zip(lengths).map(disk).collect();
        let state = VmState {
            name: "web".to_owned(),
            power: Power::Off,
            connection: "connected".to_owned(),
            snapshot: false,
            version: "1".to_owned(),
            disks: disks.iter().map(|(key, bytes)| disk_state(*key, bytes.len())).collect(),
        };
        Arc::new_cyclic(|me| Self {
            disks: Mutex::new(disks),
            looks: Mutex::new(vec![state]),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            read: AtomicU64::default(),
            sessions: AtomicUsize::default(),
            open_sessions: AtomicUsize::default(),
            me: me.clone(),
        })
    }

    /// What the next look shows, and all after it.
    pub(super) fn then(&self, change: impl FnOnce(&mut VmState)) {
        let mut looks = self.looks.lock().unwrap();
        let mut state = looks.last().unwrap().clone();
        change(&mut state);
        looks.push(state);
    }

    /// What every look shows.
    pub(super) fn always(&self, change: impl FnOnce(&mut VmState)) {
        change(&mut self.looks.lock().unwrap()[0]);
    }

    /// Lets only so many more reads through.
    pub(super) fn close_gate_after(&self, reads: usize) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
        self.gate.add_permits(reads);
    }

    pub(super) fn bytes(&self, key: i32) -> Vec<u8> {
        self.disks.lock().unwrap()[&key].clone()
    }
}

fn content(key: i32, length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length).map(|at| ((at / 4096 + at % 251) % 255) as u8 + 1).collect();
    // A stretch of zeros in each disk, and a mark of whose disk it is.
    bytes[length / 2..length / 2 + length / 4].fill(0);
    bytes[..4].copy_from_slice(&key.to_le_bytes());
    bytes
}

fn disk_state(key: i32, length: usize) -> DiskState {
    DiskState {
        key,
        label: format!("Hard disk {}", key - 1999),
        capacity: length as u64,
        backing: Backing {
            kind: "VirtualDiskFlatVer2BackingInfo".to_owned(),
            file: format!("[ds1] web/{key}.vmdk"),
            ..Backing::default()
        },
        datastore: DatastoreState { name: "ds1".to_owned(), kind: "VMFS".to_owned(), accessible: true },
    }
}

#[async_trait]
impl Providers for Fake {
    async fn connect(&self, _: &CopyRequested) -> Result<Arc<dyn Session>, NotConnected> {
        self.sessions.fetch_add(1, Ordering::SeqCst);
        self.open_sessions.fetch_add(1, Ordering::SeqCst);
        Ok(self.me.upgrade().unwrap())
    }
}

#[async_trait]
impl Session for Fake {
    async fn look(&self, _: &CopyRequested) -> Result<VmState, Failure> {
        let mut looks = self.looks.lock().unwrap();
        Ok(if looks.len() > 1 { looks.remove(0) } else { looks[0].clone() })
    }

    async fn open(&self, opening: &Opening<'_>) -> Result<OpenDisk, Failure> {
        let source = FakeDisk { fake: self.me.upgrade().unwrap(), data: self.bytes(opening.disk.key) };
        Ok(OpenDisk { source: Box::new(source), fingerprint: "CID=1".to_owned() })
    }

    async fn end(&self) {
        self.open_sessions.fetch_sub(1, Ordering::SeqCst);
    }
}

struct FakeDisk {
    fake: Arc<Fake>,
    data: Vec<u8>,
}

#[async_trait]
impl Source for FakeDisk {
    fn length(&self) -> u64 {
        self.data.len() as u64
    }

    async fn extents(&self) -> Result<Vec<Extent>, SourceError> {
        Ok(Vec::new())
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, SourceError> {
        self.fake.gate.acquire().await.unwrap().forget();
        self.fake.read.fetch_add(length as u64, Ordering::SeqCst);
        Ok(Bytes::copy_from_slice(&self.data[usize::try_from(offset).unwrap()..][..length]))
    }
}

impl Rig {
    pub(super) async fn start(lengths: &[usize]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = ServerOptions { binary: binary(), store_dir: folder.path().join("nats"), port: None };
        let server = NatsServer::start(options).await.unwrap();
        let bus = Bus::connect(&ConnectOptions::new(server.url(), "test")).await.unwrap();
        Self { folder, server, bus, fake: Fake::new(lengths) }
    }

    /// Starts the service.
    pub(super) async fn serve(&self, options: Options) -> Running {
        let process = Process::new(Shutdown::new());
        let connect =
            ConnectOptions { shutdown: process.shutdown.token(), ..ConnectOptions::new(self.server.url(), "transfer") };
        let bus = Bus::connect(&connect).await.unwrap();
        let providers: Arc<dyn Providers> = Arc::clone(&self.fake) as _;
        let transfer = Transfer::with_providers(options, bus, providers, &process).await.unwrap();
        let router = transfer.router();
        process.tasks.spawn("transfer", Kind::Service, transfer.run());
        Running { process, router }
    }

    /// A job for all disks, with its targets made as the controller makes them.
    pub(super) fn job(&self, attempt: u32) -> CopyRequested {
        let disks = self.fake.disks.lock().unwrap();
        let disk = |(key, bytes): (&i32, &Vec<u8>)| {
            let path = self.target(*key);
            if !path.exists() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::File::create(&path).unwrap();
            }
            DiskJob {
                key: *key,
                name: format!("disk-{key}"),
                source: DiskSource::VsphereDatastore {
                    file: format!("[ds1] web/{key}.vmdk"),
                    datacenter: "DC0".to_owned(),
                    datastore: "ds1".to_owned(),
                },
                capacity: bytes.len() as u64,
                target: DiskTarget::LocalFile { path: path.display().to_string() },
                base_change_id: None,
            }
        };
        CopyRequested {
            migration: "migration.1".into(),
            plan: "plan".into(),
            namespace: "default".to_owned(),
            attempt,
            provider: "uid".into(),
            provider_name: "vcenter".to_owned(),
            vm: "vm-1".into(),
            vm_name: "web".to_owned(),
            pass: Pass { number: 0, last: true },
            disks: disks.iter().map(disk).collect(),
        }
    }

    pub(super) fn target(&self, key: i32) -> PathBuf {
        self.folder.path().join(format!("images/web-{key}.img"))
    }

    /// Waits for the outcome of an attempt.
    pub(super) async fn outcome(&self, attempt: u32) -> Outcome {
        let subject = subject::transfer_outcome("copy", &"migration.1".into(), &"vm-1".into()).unwrap();
        soon(async {
            loop {
                match self.bus.last::<TransferFinished>(&subject).await.unwrap() {
                    Some(last) if last.message.attempt == attempt => return last.message.outcome,
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        })
        .await
    }

    /// How many jobs the queue holds.
    pub(super) async fn queued(&self) -> u64 {
        let mut stream = self.bus.jetstream().get_stream(bus::topology::JOBS).await.unwrap();
        stream.info().await.unwrap().state.messages
    }

    /// Publishes `job`, serves it, and gives the outcome once the queue is empty.
    pub(super) async fn run(&self, job: &CopyRequested, options: Options) -> Outcome {
        let running = self.serve(options).await;
        let _published = self.bus.publish_job(job).await.unwrap();
        let outcome = self.outcome(job.attempt).await;
        eventually(|| async { self.queued().await == 0 }).await;
        running.stop().await;
        assert_eq!(self.fake.open_sessions.load(Ordering::SeqCst), 0, "a session was left open");
        outcome
    }
}

impl Running {
    /// An orderly stop, as by SIGTERM.
    pub(super) async fn stop(self) {
        self.process.shutdown.trigger();
        soon(self.process.tasks.join()).await.unwrap();
    }
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

/// The result, or a failed test.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, what).await.expect("it took too long")
}

/// Waits until something holds.
pub(super) async fn eventually<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    soon(async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
