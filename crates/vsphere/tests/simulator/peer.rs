//! The simulated vCenter as a child process, and its control port.
//!
//! `cargo xtask test` builds it and names it by LONGSHORE_PEER_VCENTER; without that it is built here, once for each
//! state of its sources, into the same cache.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value as Json, json};
use trust::{Secret, TlsPolicy};
use vsphere::{Client, Endpoint, LoginError};

pub const USER: &str = "administrator@vsphere.local";
pub const PASSWORD: &str = "VMware1! <&>\"'";

pub struct Peer {
    child: Child,
    ready: Json,
    http: reqwest::Client,
    _data: tempfile::TempDir,
}

impl Peer {
    pub fn start() -> Self {
        trust::install_crypto_provider();
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(binary())
            .args(["-stdin", "-disk-mib", "8", "-user", USER, "-password", PASSWORD, "-data"])
            .arg(data.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("the simulated vCenter said {line:?}: {error}"));
        Self { child, ready, http: reqwest::Client::builder().no_proxy().build().unwrap(), _data: data }
    }

    pub fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap()
    }

    pub fn endpoint(&self, tls: TlsPolicy) -> Endpoint {
        Endpoint::new(self.text("url"), USER, Secret::new(PASSWORD.to_owned()), tls).unwrap()
    }

    pub fn pinned(&self) -> TlsPolicy {
        TlsPolicy::Fingerprint(self.text("fingerprint").parse().unwrap())
    }

    pub async fn login(&self) -> Client {
        Client::login(&self.endpoint(self.pinned())).await.unwrap()
    }

    pub async fn login_with(&self, tls: TlsPolicy) -> Result<Client, LoginError> {
        Client::login(&self.endpoint(tls)).await
    }

    /// A request to the control port.
    pub async fn control(&self, method: &str, path: &str, body: Json) -> Json {
        let url = format!("{}{path}", self.text("control"));
        let request = self.http.request(method.parse().unwrap(), url);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Json::Null)
    }

    pub async fn get(&self, path: &str) -> Json {
        self.control("GET", path, Json::Null).await
    }

    pub async fn patch_vm(&self, vm: &str, change: Json) {
        self.control("PATCH", &format!("/vms/{vm}"), change).await;
    }

    /// Ends all sessions, as an idle timeout or a restart does.
    pub async fn expire_sessions(&self) {
        self.control("DELETE", "/sessions", Json::Null).await;
    }

    /// Lets `count` calls of a method fail.
    pub async fn fault(&self, method: &str, fault: &str, count: u32) {
        self.control("POST", "/faults", json!({"method": method, "fault": fault, "count": count})).await;
    }

    pub async fn logins(&self) -> (i64, i64) {
        let counters = self.get("/counters").await;
        (counters["logins"]["ok"].as_i64().unwrap(), counters["logins"]["refused"].as_i64().unwrap())
    }

    pub async fn calls(&self, method: &str) -> i64 {
        self.get("/counters").await["calls"][method].as_i64().unwrap_or(0)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| variable("LONGSHORE_PEER_VCENTER").unwrap_or_else(built))
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn built() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/vcenter");
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache"))).unwrap();
    let peers = cache.join("longshore/peers");
    let binary = peers.join(format!("vcenter-{:016x}", hash(&sources)));
    if !binary.is_file() {
        std::fs::create_dir_all(&peers).unwrap();
        let partial = binary.with_extension(format!("{}.partial", std::process::id()));
        let built =
            Command::new("go").args(["build", "-trimpath", "-o"]).arg(&partial).arg(".").current_dir(&sources).status();
        match built {
            Ok(status) => {
                assert!(status.success(), "the simulated vCenter in {} could not be built", sources.display());
            }
            Err(error) => panic!(
                "Go 1.25 or later is needed to build the simulated vCenter ({error}): install it, or run cargo xtask test"
            ),
        }
        std::fs::rename(&partial, &binary).unwrap();
    }
    binary
}

/// As `cargo xtask` does it, so that both find the same program.
fn hash(folder: &Path) -> u64 {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension().is_some_and(|end| ["go", "mod", "sum", "json"].iter().any(|known| end == *known))
    });
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(folder).unwrap().hash(&mut hasher);
        std::fs::read(&file).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}
