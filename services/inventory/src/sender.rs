//! Tells the bus what it doesn't know yet. The database has one mark an object; the row is read when it is sent, and
//! the mark goes only if the row is still at the revision that was sent. So nothing is lost or queued while the bus
//! is away, one message at a time is under way on a subject, and sending twice does no harm.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, PublishError, PublishOptions, Published, TOMBSTONE_TTL};
use contract::message::Message;
use contract::revision::Revision;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::database::{self, InventoryStore, Mark, Subject};
use crate::message::{self, Change, Removal};
use crate::metrics::Metrics;
use crate::options::Retry;

/// Marks that are read at a time.
const BATCH: u32 = 256;
/// Messages under way at a time.
const IN_FLIGHT: usize = 32;
/// A wake-up that got lost costs no more than this.
const LOOK: Duration = Duration::from_secs(15);
const STREAM: &str = "INVENTORY";

/// Why sending stopped; it is tried again.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("reading what is to be sent")]
    Database(#[from] database::Error),
    #[error("publishing {what}")]
    Publish {
        what: String,
        #[source]
        source: PublishError,
    },
    #[error("looking at the stream {STREAM}")]
    Stream(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The sender of one process.
pub(crate) struct Sender {
    pub store: Arc<dyn InventoryStore>,
    pub bus: Bus,
    pub wake: Arc<Notify>,
    pub metrics: Metrics,
    pub retry: Retry,
}

impl Sender {
    /// Sends until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut failures = 0;
        let mut identified = false;
        while !stop.is_cancelled() {
            let round = async {
                if !identified {
                    self.identify().await?;
                    identified = true;
                }
                self.round().await
            };
            let pause = match round.await {
                Ok(0) => LOOK,
                Ok(_) => {
                    failures = 0;
                    continue;
                }
                Err(error) => {
                    failures += 1;
                    self.metrics.message("failed");
                    tracing::warn!(error = runtime::chain(&error), failures, "inventory.not_sent");
                    // The stream may be another one when the bus is back.
                    identified = false;
                    self.retry.wait(failures)
                }
            };
            let woken = async { if failures == 0 { self.wake.notified().await } else { std::future::pending().await } };
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sees whether the stream is the one that was written to before; if not, everything is to be sent again.
    async fn identify(&self) -> Result<(), Error> {
        let stream = self.bus.jetstream().get_stream(STREAM).await.map_err(|error| Error::Stream(Box::new(error)))?;
        let identity = stream.cached_info().created.unix_timestamp_nanos().to_string();
        if self.store.use_stream(&identity).await? {
            tracing::warn!("inventory.stream_is_new: everything is sent again");
        }
        Ok(())
    }

    /// Sends a batch of what is marked; returns how many.
    async fn round(&self) -> Result<usize, Error> {
        let marks = self.store.marks(BATCH).await?;
        let count = marks.len();
        if count > 0 {
            let sent = stream::iter(marks).map(Ok).try_for_each_concurrent(IN_FLIGHT, |mark| self.send(mark));
            sent.await?;
        }
        self.metrics.backlog.set(i64::try_from(self.store.backlog().await?).unwrap_or(i64::MAX));
        Ok(count)
    }

    async fn send(&self, mark: Mark) -> Result<(), Error> {
        let sent = if mark.removed { self.send_removal(&mark).await } else { self.send_state(&mark).await };
        match sent {
            Ok(Some(revision)) => self.store.sent(&Mark { revision, ..mark }).await.map_err(Error::from),
            // The object was removed meanwhile: its own mark is there.
            Ok(None) => Ok(()),
            Err(Unsent::Never(cause)) => {
                self.metrics.message("blocked");
                tracing::error!(provider = %mark.provider, object = ?mark.subject, revision = %mark.revision, cause,
                    "inventory.can_not_be_sent");
                self.store.block(&mark).await.map_err(Error::from)
            }
            Err(Unsent::Later(error)) => Err(error),
        }
    }

    async fn send_removal(&self, mark: &Mark) -> Result<Option<Revision>, Unsent> {
        let options = PublishOptions { ttl: Some(TOMBSTONE_TTL), ..PublishOptions::default() };
        match message::removal(mark) {
            Removal::Vm(removed) => self.publish(&removed, &options).await?,
            Removal::Object(removed) => self.publish(&removed, &options).await?,
        }
        Ok(Some(mark.revision))
    }

    async fn send_state(&self, mark: &Mark) -> Result<Option<Revision>, Unsent> {
        let options = PublishOptions::default();
        let Subject::Object(key) = &mark.subject else {
            let known = self.store.provider(&mark.provider).await?;
            let Some(state) = known.and_then(|known| known.state) else { return Ok(None) };
            self.publish(&state, &options).await?;
            return Ok(Some(state.revision));
        };
        let Some(shown) = self.store.shown(&mark.provider, key).await? else { return Ok(None) };
        let revision = shown.object.revision;
        match message::change(&mark.provider, shown).map_err(|error| Unsent::Never(error.to_string()))? {
            Some(Change::Vm(changed)) => self.publish(&*changed, &options).await?,
            Some(Change::Host(changed)) => self.publish(&*changed, &options).await?,
            Some(Change::Cluster(changed)) => self.publish(&changed, &options).await?,
            Some(Change::Network(changed)) => self.publish(&changed, &options).await?,
            Some(Change::Datastore(changed)) => self.publish(&changed, &options).await?,
            Some(Change::Folder(changed)) => self.publish(&changed, &options).await?,
            Some(Change::Datacenter(changed)) => self.publish(&changed, &options).await?,
            None => {}
        }
        tracing::debug!(provider = %mark.provider, object = %key, %revision, "inventory.sent");
        Ok(Some(revision))
    }

    /// A duplicate was stored under the same revision before, so it is the same message.
    async fn publish<M: Message>(&self, message: &M, options: &PublishOptions) -> Result<(), Unsent> {
        match self.bus.publish_with(message, options).await {
            Ok(Published::Stored { .. }) => self.metrics.message("stored"),
            Ok(Published::Duplicate) => self.metrics.message("duplicate"),
            Err(
                error @ (PublishError::TooLarge { .. } | PublishError::Encode { .. } | PublishError::Subject { .. }),
            ) => return Err(Unsent::Never(runtime::chain(&error))),
            Err(source) => return Err(Unsent::Later(Error::Publish { what: M::TYPE.to_owned(), source })),
        }
        Ok(())
    }
}

/// Why one message was not sent.
enum Unsent {
    /// It can't be, as it is.
    Never(String),
    /// Not now.
    Later(Error),
}

impl From<database::Error> for Unsent {
    fn from(error: database::Error) -> Self {
        match error {
            error @ database::Error::Row { .. } => Self::Never(runtime::chain(&error)),
            other => Self::Later(other.into()),
        }
    }
}
