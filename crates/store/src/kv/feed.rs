//! What the bucket holds under a filter, and what changes there: the last value of each key first, then every
//! change in order. A feed notices a gap, a lost consumer and a bucket that was replaced, and then fails: its user
//! begins anew. It never goes on with something missing.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::{self, kv, stream};
use futures::StreamExt;
use serde_json::Value;

use super::key;
use crate::error::Cause;
use crate::object::set_meta;

/// After so long without a message the server is asked what it has delivered.
const QUIET: Duration = Duration::from_secs(2);

/// The server's sign of life on a quiet feed; two missed ones are an error.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long a pull request lives at the server.
const EXPIRES: Duration = Duration::from_secs(30);

/// The server forgets the consumer of a reader that went away after so long.
const INACTIVE: Duration = Duration::from_secs(60);

/// One key's value.
pub(super) struct Entry {
    /// The key.
    pub key: String,
    /// Its object; none for a deleted key.
    pub object: Option<Value>,
}

/// An open feed.
pub(super) struct Feed {
    stream: stream::Stream,
    consumer: jetstream::consumer::Consumer<pull::Config>,
    messages: pull::Stream,
    delivered: u64,
    current: bool,
    behind: bool,
}

/// What a feed yields.
pub(super) enum Step {
    /// A value or deletion.
    Entry(Entry),
    /// All that was there at the beginning has been yielded.
    Current,
}

impl Feed {
    /// Opens a feed of the subjects of `filter`.
    pub async fn open(bucket: &kv::Store, filter: &str) -> Result<Self, Cause> {
        let stream = bucket.stream.clone();
        let consumer = stream
            .create_consumer(pull::Config {
                deliver_policy: DeliverPolicy::LastPerSubject,
                ack_policy: AckPolicy::None,
                filter_subject: filter.to_owned(),
                inactive_threshold: INACTIVE,
                memory_storage: true,
                num_replicas: 1,
                ..pull::Config::default()
            })
            .await?;
        let messages = consumer.stream().heartbeat(HEARTBEAT).expires(EXPIRES).messages().await?;
        let current = consumer.cached_info().num_pending == 0;
        Ok(Self { stream, consumer, messages, delivered: 0, current, behind: false })
    }

    /// Whether all that was there at the beginning has been yielded.
    pub fn is_current(&self) -> bool {
        self.current
    }

    /// The next value, or the news that the feed has become current.
    pub async fn next(&mut self) -> Result<Step, Cause> {
        loop {
            match tokio::time::timeout(QUIET, self.messages.next()).await {
                Ok(Some(message)) => return self.take(&message?),
                Ok(None) => return Err("the server ended the consumer".into()),
                Err(_) => {
                    if self.check().await? {
                        return Ok(Step::Current);
                    }
                }
            }
        }
    }

    /// All that is there, to the point where the feed is current.
    pub async fn rest(&mut self) -> Result<Vec<Entry>, Cause> {
        let mut entries = Vec::new();
        while !self.current {
            if let Step::Entry(entry) = self.next().await? {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Removes the consumer; without this the server does it after a while.
    pub async fn close(self) {
        let name = self.consumer.cached_info().name.clone();
        if let Err(error) = self.stream.delete_consumer(&name).await {
            tracing::debug!(%error, consumer = name, "store.consumer_left_to_expire");
        }
    }

    fn take(&mut self, message: &jetstream::Message) -> Result<Step, Cause> {
        let info = message.info()?;
        if info.consumer_sequence != self.delivered + 1 {
            return Err(format!("changes {} to {} are missing", self.delivered + 1, info.consumer_sequence - 1).into());
        }
        self.delivered = info.consumer_sequence;
        self.behind = false;
        self.current |= info.pending == 0;
        let subject = message.subject.as_str();
        let key = subject.strip_prefix(&key::subject_prefix()).unwrap_or(subject).to_owned();
        let deleted = message.headers.as_ref().is_some_and(|headers| headers.get("KV-Operation").is_some());
        let object = if deleted { None } else { Some(parse(&message.payload, info.stream_sequence)?) };
        Ok(Step::Entry(Entry { key, object }))
    }

    /// Looks whether the consumer is still there, which goes with its bucket, and whether all that it delivered has
    /// come; true if this made the feed current.
    async fn check(&mut self) -> Result<bool, Cause> {
        let (pending, delivered) = {
            let info = self.consumer.info().await?;
            (info.num_pending, info.delivered.consumer_sequence)
        };
        if delivered > self.delivered {
            // Once may be a message on its way; still so after another quiet time, it went into a dead connection.
            if std::mem::replace(&mut self.behind, true) {
                return Err(format!("changes {} to {delivered} were lost on the way", self.delivered + 1).into());
            }
            return Ok(false);
        }
        let now_current = !self.current && pending == 0;
        self.current |= now_current;
        Ok(now_current)
    }
}

/// Reads a stored object and gives it its resourceVersion.
pub(super) fn parse(bytes: &[u8], revision: u64) -> Result<Value, serde_json::Error> {
    let mut object: Value = serde_json::from_slice(bytes)?;
    set_meta(&mut object, "resourceVersion", revision.to_string());
    Ok(object)
}
