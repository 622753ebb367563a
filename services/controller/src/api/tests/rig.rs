//! A nats-server, a store on it, and the API on a port of its own.

use bus::server::{NatsServer, ServerOptions};
use bus::{Bus, ConnectOptions};
use reqwest::{Client, Method, Response, StatusCode};
use runtime::{Kind, Process, Shutdown};
use serde_json::{Value, json};
use store::{Secrets, Store};
use trust::Secret;

const TOKEN: &str = "token-of-the-test";

/// All of it; call [`Rig::end`].
pub struct Rig {
    pub base: String,
    pub process: Process,
    client: Client,
    bus: Bus,
    server: NatsServer,
    _dir: tempfile::TempDir,
}

impl Rig {
    pub async fn start() -> Self {
        trust::install_crypto_provider();
        let dir = tempfile::tempdir().unwrap();
        let options = ServerOptions { store_dir: dir.path().join("nats"), ..ServerOptions::default() };
        let server = NatsServer::start(options).await.unwrap();
        let bus = Bus::connect(&ConnectOptions::new(server.url(), "api-test")).await.unwrap();
        let store = Store::kv(&bus).await.unwrap();
        let secrets = Secrets::open(&dir.path().join("secrets")).unwrap();
        let process = Process::new(Shutdown::new());
        let router = super::super::router(store, secrets, process.clone());
        let router = runtime::http::bearer(router, Secret::new(TOKEN.to_owned()));
        let listener = runtime::http::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        process.tasks.spawn("http", Kind::Service, runtime::http::serve(listener, router, process.shutdown.clone()));
        Self { base, process, client: Client::new(), bus, server, _dir: dir }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let response = self.send(method, path, body).await;
        (response.status(), response.json().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Method::GET, path, None).await
    }

    pub async fn end(self) {
        self.process.shutdown.trigger();
        self.process.tasks.join().await.unwrap();
        self.bus.close().await;
        self.server.stop().await.unwrap();
    }
}

/// A valid NetworkMap in namespace `east` with one entry.
pub fn network_map(name: &str, destination: &str) -> Value {
    json!({
        "apiVersion": "forklift.konveyor.io/v1beta1",
        "kind": "NetworkMap",
        "metadata": { "name": name, "namespace": "east" },
        "spec": {
            "provider": {
                "source": { "name": "vcenter", "namespace": "east" },
                "destination": { "name": "host", "namespace": "east" },
            },
            "map": [{ "source": { "id": "network-1" }, "destination": { "type": destination } }],
        },
    })
}
