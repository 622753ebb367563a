//! Following last values: an index is filled with the newest message of every subject, told when it is complete,
//! and kept up to date. Nothing is acknowledged. A lost connection is resumed where it broke off; a lost stream
//! is said ([`Follow::Restarted`]) and read from the start.

use std::marker::PhantomData;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::Info;
use contract::message::FromMessage;
use futures::StreamExt;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::connect::Bus;
use crate::{Cause, envelope};

/// What a follower sees.
#[derive(Clone, Debug, PartialEq)]
pub enum Follow<M> {
    /// The newest message of a subject.
    Item {
        /// Its subject.
        subject: String,
        /// What was published.
        message: M,
        /// Grows from item to item, until [`Follow::Restarted`].
        sequence: u64,
    },
    /// Every subject that had a message when the follower began has been seen. Once per beginning.
    CaughtUp,
    /// The stream was made anew: forget everything, the items begin again.
    Restarted,
}

/// Follows the subjects of one filter.
pub struct Follower<M> {
    bus: Bus,
    stream: &'static str,
    filter: String,
    position: Option<Position>,
    reader: Option<Reader>,
    backoff: Backoff,
    of: PhantomData<fn() -> M>,
}

/// What has been seen, and of which stream.
#[derive(Clone, Debug, PartialEq)]
struct Position {
    /// When the stream was made, in nanoseconds since 1970: tells a stream from its successor of the same name.
    created: i128,
    /// Last message seen, or passed over at the beginning.
    sequence: u64,
    /// Catching up ends here.
    target: u64,
    caught_up: bool,
}

/// An open subscription.
struct Reader {
    consumer: jetstream::consumer::Consumer<pull::Config>,
    messages: pull::Stream,
    /// Messages read through this consumer: a gap in its numbering means that one was lost on the way.
    read: u64,
    /// The server has nothing for us at the moment.
    drained: bool,
    /// When to ask the server whether anything is left.
    ask_at: Instant,
    /// The server says that it delivered more than was read.
    missing: bool,
}

/// How long a follower waits for a message that should come before it asks the server about it.
const ASK: Duration = Duration::from_secs(1);
/// The same when nothing need come.
const ASK_IDLE: Duration = Duration::from_secs(5);

impl Bus {
    /// Follows the last values of `filter` in a stream of [`crate::topology`].
    pub fn follow<M: FromMessage>(&self, stream: &'static str, filter: impl Into<String>) -> Follower<M> {
        Follower {
            bus: self.clone(),
            stream,
            filter: filter.into(),
            position: None,
            reader: None,
            backoff: Backoff::default(),
            of: PhantomData,
        }
    }
}

impl<M: FromMessage> Follower<M> {
    /// What comes next; `None` at shutdown. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Follow<M>> {
        let shutdown = self.bus.shutdown().clone();
        loop {
            let step = tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                step = self.step() => step,
            };
            match step {
                Ok(Some(follow)) => return Some(follow),
                Ok(None) => {}
                Err(error) => self.failed(&error),
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Follow<M>>, Cause> {
        if self.reader.is_none() {
            self.backoff.wait().await;
            return Ok(self.open().await?.then_some(Follow::Restarted));
        }
        let (Some(position), Some(reader)) = (self.position.as_mut(), self.reader.as_mut()) else { return Ok(None) };
        if !position.caught_up && (reader.drained || position.sequence >= position.target) {
            position.caught_up = true;
            return Ok(Some(Follow::CaughtUp));
        }
        let Ok(next) = tokio::time::timeout_at(reader.ask_at, reader.messages.next()).await else {
            reader.ask(position.caught_up).await?;
            return Ok(None);
        };
        let message = next.ok_or("the subscription ended")??;
        self.take(&message)
    }

    fn take(&mut self, message: &jetstream::Message) -> Result<Option<Follow<M>>, Cause> {
        let (Some(position), Some(reader)) = (self.position.as_mut(), self.reader.as_mut()) else { return Ok(None) };
        let info = message.info()?;
        if info.consumer_sequence != reader.read + 1 {
            return Err("a message was lost on the way".into());
        }
        reader.read = info.consumer_sequence;
        reader.drained = info.pending == 0;
        reader.missing = false;
        reader.ask_at = Instant::now() + if position.caught_up { ASK_IDLE } else { ASK };
        position.sequence = info.stream_sequence;
        self.backoff.succeeded();
        let subject = message.subject.to_string();
        let kind = envelope::kind_of(&subject, message.headers.as_ref(), &message.payload).unwrap_or_default();
        match M::from_message(&kind, &message.payload) {
            Some(Ok(message)) => Ok(Some(Follow::Item { subject, message, sequence: info.stream_sequence })),
            Some(Err(error)) => {
                self.bus.counters().undecodable.inc();
                tracing::error!(subject, kind, %error, "bus.undecodable");
                Ok(None)
            }
            None => {
                self.bus.counters().unknown.inc();
                tracing::debug!(subject, kind, "bus.unknown_type");
                Ok(None)
            }
        }
    }

    /// Opens a subscription where the last one ended, or at the beginning; `true` if the stream is another.
    async fn open(&mut self) -> Result<bool, Cause> {
        let stream = self.bus.jetstream().get_stream(self.stream).await?;
        let (position, restarted) = resume(self.position.as_ref(), stream.cached_info());
        let deliver_policy = if position.sequence == 0 {
            DeliverPolicy::LastPerSubject
        } else {
            DeliverPolicy::ByStartSequence { start_sequence: position.sequence + 1 }
        };
        let config = pull::Config {
            deliver_policy,
            ack_policy: AckPolicy::None,
            filter_subject: self.filter.clone(),
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: Duration::from_secs(60),
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await?;
        let drained = consumer.cached_info().num_pending == 0;
        let messages =
            consumer.stream().expires(Duration::from_secs(30)).heartbeat(Duration::from_secs(5)).messages().await?;
        self.position = Some(position);
        let ask_at = Instant::now() + ASK;
        self.reader = Some(Reader { consumer, messages, read: 0, drained, ask_at, missing: false });
        Ok(restarted)
    }

    fn failed(&mut self, error: &Cause) {
        self.reader = None;
        let failures = self.backoff.failed();
        self.bus.counters().reopened.inc();
        tracing::warn!(stream = self.stream, filter = self.filter, failures, %error, "bus.follower_reopens");
    }
}

impl Reader {
    /// Nothing came for a while. The message that is awaited may have been removed (overwritten, expired, purged),
    /// or have been sent into a connection that was just breaking: nothing is acknowledged, so the server
    /// takes it for delivered.
    async fn ask(&mut self, caught_up: bool) -> Result<(), Cause> {
        let info = self.consumer.get_info().await?;
        let all_read = info.delivered.consumer_sequence == self.read;
        if self.missing && !all_read {
            return Err("a message was lost on the way".into());
        }
        self.missing = !all_read;
        self.drained = all_read && info.num_pending == 0;
        self.ask_at = Instant::now() + if caught_up && all_read { ASK_IDLE } else { ASK };
        Ok(())
    }
}

/// Where to go on in a stream, and whether it is another one than before.
fn resume(before: Option<&Position>, now: &Info) -> (Position, bool) {
    let created = now.created.unix_timestamp_nanos();
    let target = now.state.last_sequence;
    match before {
        Some(before) if before.created == created && before.sequence <= target => (before.clone(), false),
        other => (Position { created, sequence: 0, target, caught_up: false }, other.is_some()),
    }
}
