//! The simulated vCenter of a world, and its control port: the guest, the other administrator, the bad weather, and
//! the journal of what was done to the source. `tests/peers/vcenter/README.md` describes both.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::binaries;
use super::invariants::Event;
use super::process::{Process, supervised};

/// A running vCenter.
pub struct Vcenter {
    /// What it printed.
    pub ready: Ready,
    /// The password of its one user, made for this run.
    pub password: String,
    control: Control,
    _process: Process,
}

/// Where it is.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    /// Address of its SDK.
    pub url: String,
    /// Address of its control port.
    pub control: String,
    /// SHA-1 of its certificate.
    pub fingerprint: String,
    /// PEM file of its certificate.
    pub ca: PathBuf,
    /// Who may log in.
    pub user: String,
}

/// A VM as the vCenter holds it.
#[derive(Clone, Debug, Deserialize)]
pub struct SourceVm {
    /// Name; several may have the same.
    pub name: String,
    /// `poweredOn`, `poweredOff` or `suspended`.
    pub power: String,
    /// Its disks, in order.
    pub disks: Vec<SourceDisk>,
}

/// A disk as the vCenter holds it.
#[derive(Clone, Debug, Deserialize)]
pub struct SourceDisk {
    /// Device key.
    pub key: i32,
    /// Its descriptor, `[datastore] folder/disk.vmdk`.
    pub file: String,
    /// Raw content, on this machine.
    pub path: PathBuf,
}

/// Client of the control port. Clones talk to the same one.
#[derive(Clone, Debug)]
pub struct Control {
    url: String,
    agent: ureq::Agent,
}

impl Vcenter {
    /// Starts one with `tests/scenarios/<scenario>.json`; its files and logs go below `folder`.
    pub fn start(folder: &Path, scenario: &str) -> Self {
        let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let password = format!("pw-{}-{:x}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
        let mut command = supervised(&binaries::vcenter());
        command.arg("-stdin").stdin(Stdio::piped());
        command.arg("-data").arg(folder.join("vcenter")).args(["-password", &password]);
        command.arg("-scenario").arg(scenarios.join(format!("{scenario}.json")));
        let mut process = Process::start("vcenter", folder, command);
        let ready: Ready = process.says(Duration::from_secs(30), |line| serde_json::from_str(line).ok());
        let control = Control::new(&ready.control);
        Self { ready, password, control, _process: process }
    }

    /// Its control port.
    pub fn control(&self) -> &Control {
        &self.control
    }
}

impl std::ops::Deref for Vcenter {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Control {
    fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30)));
        Self { url: url.to_owned(), agent: config.build().into() }
    }

    /// One VM, by a name that only one has, or by id.
    pub fn vm(&self, name: &str) -> SourceVm {
        self.get(&format!("/vms/{}", name.replace(' ', "%20")))
    }

    /// All VMs.
    pub fn vms(&self) -> Vec<SourceVm> {
        self.get("/vms")
    }

    /// Changes a VM as its guest or another administrator would.
    pub fn patch(&self, name: &str, change: &Value) {
        let url = format!("{}/vms/{}", self.url, name.replace(' ', "%20"));
        let answer = self.agent.patch(&url).content_type("application/json").send(change.to_string());
        answer.unwrap_or_else(|error| panic!("PATCH {url} {change}: {error}"));
    }

    /// How fast each answer with a disk's bytes is sent; `None`: as fast as it can.
    pub fn limit_reads(&self, bytes_per_second: Option<u64>) {
        let url = format!("{}/folder", self.url);
        let answer = match bytes_per_second {
            Some(rate) => self.agent.put(&url).send(json!({ "bytesPerSecond": rate }).to_string()).map(drop),
            None => self.agent.delete(&url).call().map(drop),
        };
        answer.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Events after number `seq`.
    pub fn events(&self, seq: i64) -> Vec<Event> {
        self.get(&format!("/events?since={seq}"))
    }

    /// Logins that were refused since the start.
    pub fn refused_logins(&self) -> u64 {
        let counters: Value = self.get("/counters");
        counters["logins"]["refused"].as_u64().unwrap()
    }

    /// Living sessions.
    pub fn sessions(&self) -> Vec<Value> {
        self.get("/sessions")
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let url = format!("{}{path}", self.url);
        let text = self.agent.get(&url).call().and_then(|mut answer| answer.body_mut().read_to_string());
        let text = text.unwrap_or_else(|error| panic!("GET {url}: {error}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("GET {url}: {error}: {text}"))
    }
}
