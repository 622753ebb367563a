//! A nats-server, a simulated vCenter, and the inventory between them, with what a test does to each.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use bus::server::{NatsServer, ServerOptions};
use bus::{Bus, ConnectOptions};
use contract::id::ProviderUid;
use contract::inventory::{Collection, ProviderState};
use contract::subject;
use forklift_api::{Provider, ProviderSpec};
use inventory::{Inventory, Options};
use runtime::{Kind, Process, Shutdown};
use serde_json::{Value, json};
use store::{Preconditions, SecretObject, Secrets, Store};
use tempfile::TempDir;
use tower::ServiceExt;
use trust::Secret;

/// Nothing here takes longer, unless it hangs.
pub const SOON: Duration = Duration::from_secs(60);
pub const PASSWORD: &str = "right horse";
/// Longer than several retries of the service under test.
pub const A_WHILE: Duration = Duration::from_secs(2);

/// A simulated vCenter as a child process.
pub struct Vcenter {
    child: Child,
    pub url: String,
    pub fingerprint: String,
    user: String,
    control: String,
    http: reqwest::Client,
    folder: TempDir,
}

/// Server, store and data of one test.
pub struct Rig {
    pub folder: TempDir,
    pub server: NatsServer,
    pub bus: Bus,
    pub store: Store,
    pub secrets: Secrets,
}

/// A running inventory.
pub struct Running {
    pub process: Process,
    pub router: axum::Router,
}

impl Vcenter {
    /// Starts one with the scenario of these tests.
    pub async fn start() -> Self {
        trust::install_crypto_provider();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("scenario.json"), scenario().to_string()).unwrap();
        let (child, ready) = tokio::task::spawn_blocking({
            let folder = folder.path().to_owned();
            move || launch(&folder, "127.0.0.1:0")
        })
        .await
        .unwrap();
        let text = |key: &str| ready[key].as_str().unwrap().to_owned();
        let http = reqwest::Client::new();
        let (url, fingerprint, user, control) = (text("url"), text("fingerprint"), text("user"), text("control"));
        Self { child, url, fingerprint, user, control, http, folder }
    }

    /// Ends it, and gives its address and data, for [`Vcenter::revive`].
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again at the same address; the inventory begins anew.
    pub async fn revive(&mut self) {
        let address = self.url.trim_start_matches("https://").trim_end_matches("/sdk").to_owned();
        let folder = self.folder.path().to_owned();
        let (child, ready) = tokio::task::spawn_blocking(move || launch(&folder, &address)).await.unwrap();
        self.child = child;
        self.control = ready["control"].as_str().unwrap().to_owned();
    }

    /// A request to the control port.
    pub async fn control(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self.http.request(method, format!("{}{path}", self.control));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub async fn patch(&self, vm: &str, body: Value) {
        self.control(reqwest::Method::PATCH, &format!("/vms/{vm}"), Some(body)).await;
    }

    pub async fn delete(&self, vm: &str) {
        self.control(reqwest::Method::DELETE, &format!("/vms/{vm}"), None).await;
    }

    /// Accepted and refused logins.
    pub async fn logins(&self) -> (u64, u64) {
        let counters = self.control(reqwest::Method::GET, "/counters", None).await;
        let count = |key: &str| counters["logins"][key].as_u64().unwrap_or_default();
        (count("ok"), count("refused"))
    }
}

impl Drop for Vcenter {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn launch(folder: &Path, address: &str) -> (Child, Value) {
    let mut child = Command::new(program("LONGSHORE_PEER_VCENTER", "peers/vcenter").expect(
        "the simulated vCenter is not built: run these tests by `cargo xtask test`, or name it by LONGSHORE_PEER_VCENTER",
    ))
    .arg("-data")
    .arg(folder.join("data"))
    .arg("-scenario")
    .arg(folder.join("scenario.json"))
    .args(["-password", PASSWORD, "-stdin", "-listen", address])
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
}

/// The program that a variable names, or the one that `cargo xtask` makes.
fn program(variable: &str, cached: &str) -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    named(variable).or_else(|| Some(cache()?.join("longshore").join(cached))).filter(|path| path.is_file())
}

fn scenario() -> Value {
    let disk = |datastore: &str| json!({"datastore": datastore, "size": "8MiB"});
    json!({"datacenters": [{
        "name": "DC 1", "folder": "Europe",
        "clusters": [{"name": "Production", "drs": true, "hosts": [{"name": "esx1"}]}],
        "hosts": [{"name": "alone"}],
        "networks": [{"name": "VM Network"}, {"name": "Backend", "kind": "distributed"}],
        "datastores": [{"name": "vmfs-1"}, {"name": "nfs 1", "type": "NFS"}],
        "vms": [
            {"name": "web", "folder": "prod", "cpus": 2, "power": "on", "hostName": "web",
             "nics": [{"network": "Backend", "mac": "00:50:56:00:00:01"}, {"network": "VM Network"}],
             "disks": [disk("vmfs-1"), disk("nfs 1")],
             "guestDisks": [{"path": "/", "capacity": "10GiB", "free": "6GiB", "filesystem": "ext4", "disk": 0}]},
            {"name": "db", "folder": "prod", "changeTracking": false, "disks": [disk("vmfs-1")]},
            {"name": "old", "snapshot": "before", "disks": [disk("vmfs-1")], "keepsEmptyEnums": true},
            {"name": "far", "host": "alone", "firmware": "efi", "tpm": true, "devices": ["VirtualPCIPassthrough"]}
        ]
    }]})
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
        Self { folder, server, bus, store, secrets }
    }

    /// Starts the inventory on this rig's data.
    pub async fn inventory(&self) -> Running {
        let process = Process::new(Shutdown::new());
        let data = self.folder.path().join("data");
        // Pages so small that every listing has several truncated sets.
        let options = Options { data, first_retry_ms: 100, longest_retry_ms: 400, page_objects: 8 };
        let url = ConnectOptions {
            shutdown: process.shutdown.token(),
            ..ConnectOptions::new(self.server.url(), "inventory")
        };
        let bus = Bus::connect(&url).await.unwrap();
        let (store, secrets) = (self.store.clone(), self.secrets.clone());
        let inventory = Inventory::open(options, bus, store, secrets, process.clone()).await.unwrap();
        let router = inventory.router();
        process.tasks.spawn("inventory", Kind::Service, inventory.run());
        Running { process, router }
    }

    /// Makes or replaces the Secret `login`.
    pub async fn secret(&self, vcenter: &Vcenter, password: &str, fingerprint: &str) {
        let mut secret = self.secrets.get("ns", "login").await.unwrap().unwrap_or_default();
        secret.metadata.namespace = Some("ns".to_owned());
        secret.metadata.name = Some("login".to_owned());
        for (key, value) in [("user", vcenter.user.as_str()), ("password", password), ("thumbprint", fingerprint)] {
            secret.data.insert(key.to_owned(), Secret::new(value.as_bytes().to_vec()));
        }
        let _stored: SecretObject = self.secrets.put(secret).await.unwrap();
    }

    /// Makes the Provider `vc` and gives its UID.
    pub async fn provider(&self, kind: &str, url: &str) -> ProviderUid {
        let mut spec = ProviderSpec { type_: kind.to_owned(), url: Some(url.to_owned()), ..ProviderSpec::default() };
        spec.secret.namespace = Some("ns".to_owned());
        spec.secret.name = Some("login".to_owned());
        let mut provider = Provider::new("vc", spec);
        provider.metadata.namespace = Some("ns".to_owned());
        self.store.create(&provider).await.unwrap().metadata.uid.unwrap().into()
    }

    pub async fn delete_provider(&self) {
        let _gone = self.store.delete::<Provider>("ns", "vc", &Preconditions::default()).await.unwrap();
    }

    /// A provider with the right Secret.
    pub async fn good_provider(&self, vcenter: &Vcenter) -> ProviderUid {
        self.secret(vcenter, PASSWORD, &vcenter.fingerprint).await;
        self.provider("vsphere", &vcenter.url).await
    }

    /// The last state of a provider that the bus knows.
    pub async fn state(&self, provider: &ProviderUid) -> Option<ProviderState> {
        let subject = subject::provider_state(provider).unwrap();
        self.bus.last::<ProviderState>(&subject).await.ok().flatten().map(|stored| stored.message)
    }

    /// Waits for a state of the provider.
    pub async fn until(&self, provider: &ProviderUid, wanted: impl Fn(&ProviderState) -> bool) -> ProviderState {
        let wait = async {
            loop {
                if let Some(state) = self.state(provider).await.filter(|state| wanted(state)) {
                    return state;
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        };
        match tokio::time::timeout(SOON, wait).await {
            Ok(state) => state,
            Err(_) => panic!("it stays in {:?}", self.state(provider).await),
        }
    }

    pub async fn synced(&self, provider: &ProviderUid) -> ProviderState {
        self.until(provider, |state| state.collection == Collection::Synced).await
    }

    /// Sequence of the last message in stream INVENTORY.
    pub async fn sequence(&self) -> u64 {
        let mut stream = self.bus.jetstream().get_stream(bus::topology::INVENTORY).await.unwrap();
        stream.info().await.unwrap().state.last_sequence
    }

    /// Waits until every mark is sent: the sequence rests.
    pub async fn rest(&self) -> u64 {
        loop {
            let before = self.sequence().await;
            tokio::time::sleep(Duration::from_millis(700)).await;
            if self.sequence().await == before {
                return before;
            }
        }
    }
}

impl Running {
    /// An orderly stop, as by SIGTERM.
    pub async fn stop(self) {
        self.process.shutdown.trigger();
        tokio::time::timeout(SOON, self.process.tasks.join()).await.unwrap().unwrap();
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 24).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// All documents of a collection.
    pub async fn list(&self, provider: &ProviderUid, collection: &str) -> Vec<Value> {
        let (status, body) = self.get(&format!("/providers/vsphere/{provider}/{collection}?detail=all")).await;
        assert!(status.is_success(), "{status} {body}");
        body.as_array().unwrap().clone()
    }

    /// The only document of that name.
    pub async fn named(&self, provider: &ProviderUid, collection: &str, name: &str) -> Option<Value> {
        self.list(provider, collection).await.into_iter().find(|document| document["name"] == name)
    }

    /// Waits until the VM of that name fits.
    pub async fn until(&self, provider: &ProviderUid, name: &str, fits: impl Fn(Option<&Value>) -> bool) -> Value {
        let wait = async {
            loop {
                let vm = self.named(provider, "vms", name).await;
                if fits(vm.as_ref()) {
                    return vm.unwrap_or_default();
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        };
        match tokio::time::timeout(SOON, wait).await {
            Ok(vm) => vm,
            Err(_) => panic!("it stays {:?}", self.named(provider, "vms", name).await),
        }
    }
}
