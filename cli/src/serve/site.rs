//! What all services of a process stand on: the data folder and its locks, the listener, the bus, resources and
//! secrets; and the way all of it ends.

use std::sync::OnceLock;

use anyhow::{Context, anyhow};
use axum::Router;
use bus::server::NatsServer;
use bus::{Bus, ConnectOptions};
use runtime::data::{DataDir, Lock};
use runtime::{Kind, Process, Shutdown};
use store::{Secrets, Store};
use tokio::net::TcpListener;
use trust::Secret;
use url::Url;

use super::config::Config;
use super::services::Service;

/// One process.
pub struct Site {
    /// The data folder.
    pub data: DataDir,
    /// Stop, tasks, health, metrics.
    pub process: Process,
    /// The token of the listener.
    pub token: Secret<String>,
    listener: std::sync::Mutex<Option<TcpListener>>,
    bus: OnceLock<Bus>,
    _locks: Vec<Lock>,
}

/// What a service is opened with.
pub struct Parts {
    /// The bus.
    pub bus: Bus,
    /// Resources.
    pub store: Store,
    /// Credentials.
    pub secrets: Secrets,
}

impl Site {
    /// Takes what only one process may have: the folders of the services and the port. Starts nothing.
    pub async fn open(config: &Config, services: &[Service]) -> anyhow::Result<Self> {
        runtime::telemetry::init(config.log_format, &config.log)?;
        let data = DataDir::open(&config.data_dir)?;
        // Beside the services' own folders: a service may lock its own.
        let locks = services.iter().map(|service| data.lock(&format!("locks/{}", service.name())));
        let locks = locks.collect::<Result<_, _>>()?;
        let listener = runtime::http::bind(config.listen).await?;
        if !config.listen.ip().is_loopback() {
            tracing::warn!(listen = %config.listen, "the listener has no TLS: its token can be read on the network");
        }
        Ok(Self {
            token: data.token()?,
            data,
            process: Process::new(Shutdown::on_signals()?),
            listener: std::sync::Mutex::new(Some(listener)),
            bus: OnceLock::new(),
            _locks: locks,
        })
    }

    /// Connects to the bus and opens what lies in it and beside it.
    pub async fn connect(&self, url: Secret<String>, services: &[Service]) -> anyhow::Result<Parts> {
        let name = match services {
            [one] => one.name(),
            _ => "longshore",
        };
        let shutdown = self.process.shutdown.token();
        let bus = Bus::connect(&ConnectOptions { shutdown, ..ConnectOptions::new(url, name) }).await?;
        // Set once: a process connects once.
        let bus = self.bus.get_or_init(|| bus).clone();
        let store = Store::kv(&bus).await?;
        let secrets = Secrets::open(&self.data.path("secrets"))?;
        Ok(Parts { bus, store, secrets })
    }

    /// Serves the routes with the token, and the probes without; returns the address for clients on this machine.
    pub fn serve(&self, router: Router) -> anyhow::Result<Url> {
        let mut listener = self.listener.lock().map_err(|_| anyhow!("the listener is lost"))?;
        let listener = listener.take().context("the listener serves already")?;
        let mut address = listener.local_addr()?;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let router = runtime::http::probes(&self.process).merge(runtime::http::bearer(router, self.token.clone()));
        let shutdown = self.process.shutdown.clone();
        self.process.tasks.spawn("http", Kind::Service, runtime::http::serve(listener, router, shutdown));
        Ok(Url::parse(&format!("http://{address}"))?)
    }

    /// Does `start`, then waits for the end, whatever brings it: a signal, a service that failed, the bus that
    /// ended. Afterwards every task has ended, or is named in the error.
    pub async fn run(
        &self,
        start: impl Future<Output = anyhow::Result<()>>,
        server: Option<&NatsServer>,
    ) -> anyhow::Result<()> {
        let work = async {
            tokio::select! {
                biased;
                () = self.process.shutdown.requested() => {}
                started = start => started?,
            }
            Ok(self.process.tasks.join().await?)
        };
        let mut result = tokio::select! {
            result = work => result,
            how = ended(server) => Err(anyhow!("the bus ended by itself: {how}; its log says why")),
        };
        self.process.shutdown.trigger();
        let rest = self.process.tasks.join().await;
        if let Some(bus) = self.bus.get() {
            bus.close().await;
        }
        if result.is_ok() {
            result = rest.map_err(Into::into);
        }
        result
    }
}

async fn ended(server: Option<&NatsServer>) -> String {
    match server {
        Some(server) => server.exited().await,
        None => std::future::pending().await,
    }
}
