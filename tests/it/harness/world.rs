//! A world: nats-server, simulated vCenter, the four services as four processes, and the watcher. It ends with the
//! test, whatever comes, and what must hold at the end of every test is checked here.

mod leaks;
pub mod resources;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bus::server::{NatsServer, ServerOptions};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::binaries;
use super::cli::{self, Cli};
use super::process::{Process, supervised, tail};
use super::vcenter::Vcenter;
use super::watcher::Watcher;

/// Until a service runs: a first connection, its topology, its store.
const START: Duration = Duration::from_secs(60);
/// Until a service has stopped in order.
const STOP: Duration = Duration::from_secs(30);

/// What a world is made of.
pub struct Setup {
    /// Name of a file in `tests/scenarios`.
    pub scenario: &'static str,
    /// TOML that all four services read.
    pub config: &'static str,
}

/// Everything that runs for one test. Fields are dropped in their order: the services first.
pub struct World {
    /// The services, by their names in [`SERVICES`].
    services: Vec<Process>,
    /// Looks on.
    pub watcher: Watcher,
    /// The source.
    pub vcenter: Vcenter,
    /// The way in.
    pub cli: Cli,
    nats: Option<NatsServer>,
    runtime: Runtime,
    /// A service was killed, so its sessions may live on.
    killed: bool,
    /// Everything on disk.
    folder: TempDir,
}

/// The services; the controller comes last, for it is told where the inventory listens.
const SERVICES: [&str; 4] = ["inventory", "validation", "transfer", "controller"];

impl World {
    /// Runs `test` in a world of its own, then stops it in order and checks what must hold at the end.
    pub fn run(setup: &Setup, test: impl FnOnce(&mut Self)) {
        let mut world = Self::start(setup);
        test(&mut world);
        world.finish();
    }

    fn start(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options =
            ServerOptions { binary: binaries::nats_server(), store_dir: folder.path().join("nats"), port: None };
        let nats = runtime.block_on(NatsServer::start(options)).unwrap_or_else(|error| panic!("{error}"));
        let vcenter = Vcenter::start(folder.path(), setup.scenario);
        std::fs::write(folder.path().join("longshore.toml"), setup.config).unwrap();
        let cli = Cli { binary: binaries::longshore(), context: cli::context(folder.path()) };
        let watcher = Watcher::start(vcenter.control());
        let mut world =
            Self { services: Vec::new(), watcher, vcenter, cli, nats: Some(nats), runtime, killed: false, folder };
        // The first three start at once, as a machine's services do at boot.
        for name in &SERVICES[..3] {
            let service = world.spawn(name);
            world.services.push(service);
        }
        let controller = world.spawn("controller");
        world.services.push(controller);
        for service in &mut world.services {
            address(service);
        }
        world
    }

    /// A file or folder of this world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn spawn(&mut self, name: &str) -> Process {
        let mut command = supervised(&self.cli.binary);
        let url = self.nats.as_ref().unwrap().url();
        command.arg(name).arg("--data-dir").arg(self.path("data")).args(["--listen", "127.0.0.1:0"]);
        command.arg("--config").arg(self.path("longshore.toml"));
        command.env("LONGSHORE_NATS_URL", url.expose()).env("LONGSHORE_CONTEXT", &self.cli.context);
        command.env_remove("LONGSHORE_NATS_SERVER").env_remove("LONGSHORE_PEER_VCENTER");
        if name == "controller" {
            for class in ["fast", "slow", "tight"] {
                command.arg("--storage-class").arg(format!("{class}={}", self.path(class).display()));
            }
            command.args(["--inventory-url", &address(self.service("inventory"))]);
        }
        Process::start(name, self.folder.path(), command)
    }

    /// One of the four.
    pub fn service(&mut self, name: &str) -> &mut Process {
        self.services.iter_mut().find(|service| service.name == name).unwrap()
    }

    /// Kills a service as a crash would, and starts it again.
    pub fn crash(&mut self, name: &str) {
        self.killed = true;
        self.service(name).kill();
        let mut again = self.spawn(name);
        address(&mut again);
        *self.service(name) = again;
    }

    fn finish(&mut self) {
        for service in &mut self.services {
            assert!(service.is_running(), "{} had ended before it was told to", service.name);
            service.signal(Signal::TERM);
        }
        for service in &mut self.services {
            let status = service.ended(STOP);
            assert!(status.success(), "{} ended with {status}", service.name);
        }
        let sessions = self.vcenter.sessions();
        assert!(self.killed || sessions.is_empty(), "sessions were left open: {sessions:#?}");
        self.watcher.assert_sound();
        leaks::assert_no_credential(self.folder.path(), &self.vcenter.password);
        self.runtime.block_on(self.nats.take().unwrap().stop()).unwrap();
    }

    fn explain(&self) {
        for kind in ["plans", "migrations", "virtualmachineimports"] {
            eprintln!("--- {kind}\n{}", self.cli.run(&["get", kind, "-A", "-o", "yaml"], "").out);
        }
        eprintln!("--- journal, without reads");
        for event in self.watcher.events().iter().filter(|event| event.kind != "data") {
            eprintln!("{} {} {} {} {} {}", event.time, event.kind, event.user, event.method, event.vm, event.to);
        }
        for name in ["vcenter", "inventory", "validation", "transfer", "controller"] {
            eprint!("{}", tail(&self.log(name)));
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.log"))
    }
}

/// Where a service listens, when it does.
fn address(service: &mut Process) -> String {
    let name = service.name.clone();
    let url = move |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some(&name)).then(|| words.next().map(str::to_owned))?
    };
    service.says(START, url)
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nothing here may hide the failure by another one.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.explain()));
        }
    }
}

/// Whether a file is there.
pub fn exists(path: &str) -> bool {
    Path::new(path).exists()
}
