//! The guard of one delivered message: it is acknowledged, given back or rejected, and one that is dropped
//! undecided (a panic, an early return, a cancelled future) is given back at once.

use std::time::Duration;

use async_nats::jetstream::{self, AckKind};
use futures::FutureExt;

use crate::Cause;
use crate::connect::Bus;
use crate::deadletter::{DeadLetterError, Letter};

/// Why a decision about a message didn't reach the server; it will be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The acknowledgement was not confirmed.
    #[error("the acknowledgement of {subject} was not confirmed; it will be delivered again")]
    Ack {
        /// The message's subject.
        subject: String,
        /// What the client said.
        #[source]
        source: Cause,
    },
    /// The server could not be told.
    #[error("the server could not be told about {subject}")]
    Tell {
        /// The message's subject.
        subject: String,
        /// What the client said.
        #[source]
        source: Cause,
    },
    /// The dead letter could not be written, so the message stays.
    #[error("{subject} could not be moved to the dead letters")]
    DeadLetter {
        /// The message's subject.
        subject: String,
        /// Why.
        #[source]
        source: DeadLetterError,
    },
}

/// One message and the duty to decide about it.
#[derive(Debug)]
#[must_use = "a delivery that is dropped is given back to the queue"]
pub struct Delivery<M> {
    message: M,
    guard: Guard,
}

#[derive(Debug)]
struct Guard {
    bus: Bus,
    ack_wait: Duration,
    raw: jetstream::Message,
    settled: bool,
}

impl<M> Delivery<M> {
    pub(crate) fn new(bus: &Bus, ack_wait: Duration, raw: jetstream::Message, message: M) -> Self {
        Self { message, guard: Guard { bus: bus.clone(), ack_wait, raw, settled: false } }
    }

    pub(crate) fn with<N>(self, message: N) -> Delivery<N> {
        Delivery { message, guard: self.guard }
    }

    /// What was published.
    pub fn message(&self) -> &M {
        &self.message
    }

    /// Where it was published.
    pub fn subject(&self) -> &str {
        &self.guard.raw.subject
    }

    /// Counts from 1.
    pub fn deliveries(&self) -> i64 {
        self.guard.raw.info().map_or(1, |info| info.delivered)
    }

    /// Sequence in its stream.
    pub fn sequence(&self) -> u64 {
        self.guard.raw.info().map_or(0, |info| info.stream_sequence)
    }

    /// W3C trace parent of the span that published it.
    pub fn traceparent(&self) -> Option<&str> {
        let headers = self.guard.raw.headers.as_ref()?;
        headers.get("traceparent").map(async_nats::HeaderValue::as_str)
    }

    /// It is done: acknowledges and waits for the server's confirmation.
    pub async fn ack(mut self) -> Result<(), SettleError> {
        self.guard.ack().await
    }

    /// Not now: gives it back, to be delivered again after `delay`. Counts as a delivery.
    pub async fn retry_after(mut self, delay: Duration) -> Result<(), SettleError> {
        self.guard.settled = true;
        self.guard.tell(AckKind::Nak(Some(delay))).await
    }

    /// Never: writes it to DEADLETTERS with the cause, then acknowledges.
    pub async fn reject(mut self, cause: impl Into<String>) -> Result<(), SettleError> {
        let subject = self.subject().to_owned();
        let bus = self.guard.bus.clone();
        let letter = self.guard.letter(&cause.into());
        letter.store(&bus).await.map_err(|source| SettleError::DeadLetter { subject, source })?;
        self.guard.ack().await
    }

    /// Still at it: the server's `ack_wait` begins anew.
    pub async fn in_progress(&self) -> Result<(), SettleError> {
        self.guard.tell(AckKind::Progress).await
    }

    /// Runs `work` and reports progress in time, however long it takes. `work` needs its own deadline on no
    /// progress.
    pub async fn working<F: Future>(&self, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        let mut ticks = tokio::time::interval(self.guard.ack_wait / 3);
        loop {
            tokio::select! {
                biased;
                output = &mut work => return output,
                _ = ticks.tick() => {
                    if let Err(error) = self.in_progress().await {
                        tracing::warn!(error = &error as &dyn std::error::Error, "bus.progress_not_told");
                    }
                }
            }
        }
    }
}

impl Guard {
    async fn ack(&mut self) -> Result<(), SettleError> {
        let confirmed = self.raw.double_ack().await;
        self.settled = confirmed.is_ok();
        confirmed.map_err(|source| SettleError::Ack { subject: self.raw.subject.to_string(), source })
    }

    async fn tell(&self, kind: AckKind) -> Result<(), SettleError> {
        let told = self.raw.ack_with(kind).await;
        told.map_err(|source| SettleError::Tell { subject: self.raw.subject.to_string(), source })
    }

    fn letter(&self, cause: &str) -> Letter {
        let info = self.raw.info().ok();
        Letter {
            stream: info.as_ref().map(|info| info.stream.to_owned()).unwrap_or_default(),
            consumer: info.as_ref().map(|info| info.consumer.to_owned()).unwrap_or_default(),
            sequence: info.as_ref().map_or(0, |info| info.stream_sequence),
            published: info.as_ref().map_or(0, |info| info.published.unix_timestamp_nanos()),
            deliveries: info.as_ref().map_or(0, |info| info.delivered),
            subject: self.raw.subject.to_string(),
            cause: cause.to_owned(),
            headers: self.raw.headers.clone().unwrap_or_default(),
            body: self.raw.payload.clone(),
        }
    }
}

impl Drop for Guard {
    /// Telling the server is one send into the client's queue. It is tried once, without a task: if the queue
    /// is full the message comes back after `ack_wait` instead.
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let nak = tokio::task::unconstrained(self.raw.ack_with(AckKind::Nak(None))).now_or_never();
        if !matches!(nak, Some(Ok(()))) {
            tracing::warn!(subject = %self.raw.subject, "bus.not_given_back");
        }
    }
}
