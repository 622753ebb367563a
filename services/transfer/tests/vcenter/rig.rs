//! The simulated vCenter, a nats-server, and the service between them.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bus::server::{NatsServer, ServerOptions};
use bus::{Bus, ConnectOptions};
use contract::job::{CopyRequested, DiskJob, DiskSource, DiskTarget, Pass};
use contract::subject;
use contract::transfer::{Outcome, TransferFinished};
use forklift_api::{ObjectRef, Provider, ProviderSpec};
use runtime::{Kind, Process, Shutdown};
use serde_json::{Value, json};
use store::{SecretObject, Secrets, Store};
use tempfile::TempDir;
use transfer::{Options, Transfer};
use trust::Secret;

/// Nothing here takes longer, unless it hangs.
const SOON: Duration = Duration::from_secs(60);
pub const PASSWORD: &str = "correct horse";
const NAMESPACE: &str = "default";

pub struct Rig {
    folder: TempDir,
    server: NatsServer,
    bus: Bus,
    store: Store,
    secrets: Secrets,
    child: Child,
    ready: Value,
    provider: Provider,
}

pub struct Running(Process);

impl Running {
    pub async fn stop(self) {
        self.0.shutdown.trigger();
        soon(self.0.tasks.join()).await.unwrap();
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Rig {
    pub async fn start() -> Self {
        trust::install_crypto_provider();
        let folder = tempfile::tempdir().unwrap();
        let binary = program("LONGSHORE_NATS_SERVER", "venv/bin/nats-server");
        let options = ServerOptions { binary, store_dir: folder.path().join("nats"), port: None };
        let server = NatsServer::start(options).await.unwrap();
        let bus = Bus::connect(&ConnectOptions::new(server.url(), "test")).await.unwrap();
        let store = Store::kv(&bus).await.unwrap();
        let secrets = Secrets::open(&folder.path().join("secrets")).unwrap();
        let (child, ready) = launch(folder.path());
        let provider = store.create(&provider(ready["url"].as_str().unwrap())).await.unwrap();
        let rig = Self { folder, server, bus, store, secrets, child, ready, provider };
        rig.secret(PASSWORD, rig.fingerprint()).await;
        rig
    }

    pub fn fingerprint(&self) -> &str {
        self.ready["fingerprint"].as_str().unwrap()
    }

    /// Makes or replaces the provider's Secret.
    pub async fn secret(&self, password: &str, fingerprint: &str) {
        let user = self.ready["user"].as_str().unwrap();
        let mut secret = SecretObject::default();
        secret.metadata.namespace = Some(NAMESPACE.to_owned());
        secret.metadata.name = Some("login".to_owned());
        let entries = [("user", user), ("password", password), ("thumbprint", fingerprint)];
        let entry = |(key, value): (&str, &str)| (key.to_owned(), Secret::new(value.as_bytes().to_vec()));
        secret.data = entries.into_iter().map(entry).collect();
        self.secrets.put(secret).await.unwrap();
    }

    /// A job for all disks of a VM, with its targets made as the controller makes them.
    pub async fn job(&self, vm: &str, attempt: u32) -> CopyRequested {
        let found = self.get(&format!("/vms/{vm}")).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut disks = Vec::new();
        for (index, disk) in found["disks"].as_array().unwrap().iter().enumerate() {
            let path = self.target(vm, index);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::File::create(&path).unwrap();
            let key = i32::try_from(disk["key"].as_i64().unwrap()).unwrap();
            let source = DiskSource::VsphereDatastore {
                file: text(&disk["file"]),
                datacenter: text(&found["datacenter"]),
                datastore: text(&disk["datastore"]),
            };
            disks.push(DiskJob {
                key,
                name: format!("disk-{key}"),
                source,
                capacity: disk["capacity"].as_u64().unwrap(),
                target: DiskTarget::LocalFile { path: path.display().to_string() },
                base_change_id: None,
            });
        }
        CopyRequested {
            migration: "m".into(),
            plan: "p".into(),
            namespace: NAMESPACE.to_owned(),
            attempt,
            provider: self.provider.metadata.uid.clone().unwrap().into(),
            provider_name: "vc".to_owned(),
            vm: text(&found["id"]).into(),
            vm_name: vm.to_owned(),
            pass: Pass { number: 0, last: true },
            disks,
        }
    }

    fn target(&self, vm: &str, index: usize) -> PathBuf {
        self.folder.path().join(format!("images/{vm}-{index}.img"))
    }

    /// Bytes that a target takes on its file system.
    pub fn allocated(&self, vm: &str, index: usize) -> u64 {
        std::fs::metadata(self.target(vm, index)).unwrap().blocks() * 512
    }

    /// Compares a target with the file that the peer says is the disk's content.
    pub async fn assert_equal(&self, vm: &str, index: usize) {
        let found = self.get(&format!("/vms/{vm}")).await;
        let source = std::fs::read(found["disks"][index]["path"].as_str().unwrap()).unwrap();
        assert!(source.iter().any(|byte| *byte != 0), "the source has no data to compare");
        assert!(std::fs::read(self.target(vm, index)).unwrap() == source, "disk {index} of {vm} differs");
    }

    /// Starts the service and hands it a job.
    pub async fn publish(&self, job: &CopyRequested) -> Running {
        let process = Process::new(Shutdown::new());
        let shutdown = process.shutdown.token();
        let connect = ConnectOptions { shutdown, ..ConnectOptions::new(self.server.url(), "transfer") };
        let bus = Bus::connect(&connect).await.unwrap();
        let options = Options { request_mib: 1, read_attempts: 4, ..Options::default() };
        let (store, secrets) = (self.store.clone(), self.secrets.clone());
        let transfer = Transfer::open(options, bus, store, secrets, process.clone()).await.unwrap();
        process.tasks.spawn("transfer", Kind::Service, transfer.run());
        let _published = self.bus.publish_job(job).await.unwrap();
        Running(process)
    }

    /// The outcome of an attempt, whatever VM it is of.
    pub async fn outcome(&self, attempt: u32) -> Outcome {
        let any = subject::transfer_outcome("copy", &"m".into(), &"x".into()).unwrap();
        let filter = any.as_str().replace(".x", ".*");
        let mut outcomes = self.bus.follow::<TransferFinished>(bus::topology::TRANSFERS, filter);
        soon(async {
            loop {
                if let Some(bus::Follow::Item { message, .. }) = outcomes.next().await
                    && message.attempt == attempt
                {
                    return message.outcome;
                }
            }
        })
        .await
    }

    pub async fn run(&self, job: &CopyRequested) -> Outcome {
        let running = self.publish(job).await;
        let outcome = self.outcome(job.attempt).await;
        running.stop().await;
        outcome
    }

    pub async fn get(&self, path: &str) -> Value {
        self.control(reqwest::Method::GET, path, None).await
    }

    /// The peer's journal of one kind, since it was ready.
    pub async fn events(&self, kind: &str) -> Vec<Value> {
        let events = self.get(&format!("/events?kind={kind}")).await;
        events.as_array().or_else(|| events["events"].as_array()).cloned().unwrap_or_default()
    }

    /// A request to the peer's control port.
    pub async fn control(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.ready["control"].as_str().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.request(method, &url);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

fn provider(url: &str) -> Provider {
    let object = |name: &str| ObjectRef {
        namespace: Some(NAMESPACE.to_owned()),
        name: Some(name.to_owned()),
        ..ObjectRef::default()
    };
    let spec = ProviderSpec {
        type_: "vsphere".to_owned(),
        url: Some(url.to_owned()),
        secret: object("login"),
        ..ProviderSpec::default()
    };
    let mut provider = Provider::new("vc", spec);
    provider.metadata.namespace = Some(NAMESPACE.to_owned());
    provider
}

fn launch(folder: &Path) -> (Child, Value) {
    std::fs::write(folder.join("scenario.json"), scenario().to_string()).unwrap();
    let peer = program("LONGSHORE_PEER_VCENTER", "peers/vcenter").expect(
        "the simulated vCenter is not built: run these tests by `cargo xtask test`, or name it by LONGSHORE_PEER_VCENTER",
    );
    let mut child = Command::new(peer)
        .arg("-data")
        .arg(folder.join("data"))
        .arg("-scenario")
        .arg(folder.join("scenario.json"))
        .args(["-password", PASSWORD, "-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    (child, ready)
}

/// The program that a variable names, or the one that `cargo xtask` makes.
fn program(variable: &str, cached: &str) -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    named(variable).or_else(|| Some(cache()?.join("longshore").join(cached))).filter(|path| path.is_file())
}

fn scenario() -> Value {
    let disk = |datastore: &str, size: &str| {
        json!({"datastore": datastore, "size": size, "content": [
            {"offset": 0, "length": "1MiB", "kind": "random", "seed": 1},
            {"offset": "4MiB", "length": "4MiB", "kind": "zero"},
            {"offset": "7MiB", "length": "1MiB", "kind": "random", "seed": 2},
        ]})
    };
    json!({"datacenters": [{
        "name": "DC 1", "folder": "Europe",
        "clusters": [{"name": "Production", "drs": true, "hosts": [{"name": "esx1"}]}],
        "networks": [{"name": "VM Network"}],
        "datastores": [{"name": "vmfs-1"}, {"name": "nfs 1", "type": "NFS"}, {"name": "vsan-1", "type": "vsan"}],
        "vms": [
            {"name": "web", "power": "off", "disks": [disk("vmfs-1", "16MiB"), disk("nfs 1", "12MiB")]},
            {"name": "old", "power": "off", "snapshot": "before", "disks": [disk("vmfs-1", "8MiB")]},
            {"name": "running", "power": "on", "disks": [disk("vmfs-1", "8MiB")]},
            {"name": "far", "power": "off", "disks": [disk("vsan-1", "8MiB")]},
        ]
    }]})
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, what).await.expect("it took too long")
}

/// Waits until something holds.
pub async fn eventually<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    soon(async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
