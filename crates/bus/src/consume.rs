//! Durable pull consumers. [`Consumer::next`] hands out one guarded message after the other; it opens its
//! subscription again after every failure and ends only at shutdown. A message of an unknown type is
//! acknowledged and counted, one that can't be read goes to the dead letters.

use std::marker::PhantomData;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use contract::message::FromMessage;
use futures::StreamExt;

use crate::backoff::Backoff;
use crate::connect::Bus;
use crate::delivery::Delivery;
use crate::{Cause, envelope};

/// A consumer that the server keeps for us: who reads which part of a stream, and what it forgives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durable {
    /// One of the streams in [`crate::topology`].
    pub stream: &'static str,
    /// Name at the server; every process that gives the same one shares the work.
    pub name: String,
    /// Subjects to read. On a work queue no two durables may overlap.
    pub filter: String,
    /// A message neither settled nor reported in progress for this long is delivered again.
    pub ack_wait: Duration,
    /// After so many deliveries the message is poison.
    pub max_deliver: i64,
    /// How many messages may be out at once, over all processes.
    pub in_flight: usize,
}

impl Durable {
    /// 30 seconds to settle, five deliveries, 64 in flight.
    pub fn new(stream: &'static str, name: impl Into<String>, filter: impl Into<String>) -> Self {
        Self {
            stream,
            name: name.into(),
            filter: filter.into(),
            ack_wait: Duration::from_secs(30),
            max_deliver: 5,
            in_flight: 64,
        }
    }

    /// Sets [`Durable::ack_wait`].
    pub fn ack_wait(mut self, ack_wait: Duration) -> Self {
        self.ack_wait = ack_wait;
        self
    }

    /// Sets [`Durable::max_deliver`]; -1 for no limit.
    pub fn max_deliver(mut self, max_deliver: i64) -> Self {
        self.max_deliver = max_deliver;
        self
    }

    /// Sets [`Durable::in_flight`].
    pub fn in_flight(mut self, in_flight: usize) -> Self {
        self.in_flight = in_flight.max(1);
        self
    }

    fn config(&self) -> pull::Config {
        pull::Config {
            durable_name: Some(self.name.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            max_deliver: self.max_deliver,
            filter_subject: self.filter.clone(),
            max_ack_pending: i64::try_from(self.in_flight).unwrap_or(i64::MAX),
            ..pull::Config::default()
        }
    }
}

/// Why a subscription is not open.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The server has no such consumer and makes none.
    #[error("consumer {name} of stream {stream} (subjects {filter}) can't be opened")]
    Open {
        /// The stream.
        stream: &'static str,
        /// The consumer.
        name: String,
        /// What it would read.
        filter: String,
        /// What the server said; a second durable over the same subjects of a work queue is refused.
        #[source]
        source: Cause,
    },
    /// It was open and broke off.
    #[error("consumer {name} of stream {stream} broke off")]
    Broken {
        /// The stream.
        stream: &'static str,
        /// The consumer.
        name: String,
        /// What the client said.
        #[source]
        source: Cause,
    },
}

/// Reads one durable. Dropping it leaves the durable at the server.
pub struct Consumer<M> {
    bus: Bus,
    durable: Durable,
    messages: Option<pull::Stream>,
    backoff: Backoff,
    of: PhantomData<fn() -> M>,
}

impl Bus {
    /// A consumer of a durable, which is made or updated at the first [`Consumer::next`] or [`Consumer::open`].
    pub fn consume<M: FromMessage>(&self, durable: Durable) -> Consumer<M> {
        Consumer { bus: self.clone(), durable, messages: None, backoff: Backoff::default(), of: PhantomData }
    }
}

impl<M: FromMessage> Consumer<M> {
    /// Makes or updates the durable now, to see at start what [`Consumer::next`] would only log and try again.
    pub async fn open(&mut self) -> Result<(), ConsumeError> {
        let durable = &self.durable;
        let failed = |source: Cause| ConsumeError::Open {
            stream: durable.stream,
            name: durable.name.clone(),
            filter: durable.filter.clone(),
            source,
        };
        let consumer = self
            .bus
            .jetstream()
            .create_consumer_on_stream(durable.config(), durable.stream)
            .await
            .map_err(|error| failed(error.into()))?;
        let messages = consumer
            .stream()
            // Nothing is fetched ahead: a message that waits here when the process crashes would count as
            // delivered, and become poison by its neighbour's fault.
            .max_messages_per_batch(1)
            .expires(Duration::from_secs(30))
            .heartbeat(Duration::from_secs(5))
            .messages()
            .await
            .map_err(|error| failed(error.into()))?;
        self.messages = Some(messages);
        Ok(())
    }

    /// The next message; `None` at shutdown. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Delivery<M>> {
        let shutdown = self.bus.shutdown().clone();
        loop {
            let received = tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                received = self.receive() => received,
            };
            match received {
                Ok(message) => {
                    self.backoff.succeeded();
                    if let Some(delivery) = self.judge(message).await {
                        return Some(delivery);
                    }
                }
                Err(error) => self.failed(&error),
            }
        }
    }

    async fn receive(&mut self) -> Result<jetstream::Message, ConsumeError> {
        if self.messages.is_none() {
            self.backoff.wait().await;
            self.open().await?;
        }
        let next = match self.messages.as_mut() {
            Some(messages) => messages.next().await,
            None => None,
        };
        let broken = |source: Cause| ConsumeError::Broken {
            stream: self.durable.stream,
            name: self.durable.name.clone(),
            source,
        };
        match next {
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(broken(error.into())),
            None => Err(broken("the subscription ended".into())),
        }
    }

    async fn judge(&self, message: jetstream::Message) -> Option<Delivery<M>> {
        let kind = envelope::kind_of(&message.subject, message.headers.as_ref(), &message.payload).unwrap_or_default();
        let decoded = M::from_message(&kind, &message.payload);
        let raw = Delivery::new(&self.bus, self.durable.ack_wait, message, ());
        let subject = raw.subject().to_owned();
        let settled = match decoded {
            Some(Ok(body)) => return Some(raw.with(body)),
            None => {
                self.bus.counters().unknown.inc();
                tracing::debug!(subject, kind, "bus.unknown_type");
                raw.ack().await
            }
            Some(Err(error)) => {
                self.bus.counters().undecodable.inc();
                raw.reject(format!("the body is not a readable {kind}: {error}")).await
            }
        };
        if let Err(error) = settled {
            tracing::warn!(subject, error = &error as &dyn std::error::Error, "bus.not_settled");
        }
        None
    }

    fn failed(&mut self, error: &ConsumeError) {
        self.messages = None;
        let failures = self.backoff.failed();
        self.bus.counters().reopened.inc();
        tracing::warn!(failures, error = error as &dyn std::error::Error, "bus.consumer_reopens");
    }
}
