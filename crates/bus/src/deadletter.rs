//! Dead letters: a message that can't be handled is copied to DEADLETTERS with its cause. After too many
//! deliveries the server only says so in an advisory and leaves the message where it is; in a work queue it would
//! block its subject for ever, so it is removed there once the copy is stored.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::context::{GetStreamError, PublishError};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DeleteMessageError, LastRawMessageErrorKind, RawMessageError, Stream};
use bytes::Bytes;
use contract::message::FromMessage;
use contract::subject::PREFIX;
use serde::Deserialize;

use crate::connect::Bus;
use crate::consume::{ConsumeError, Durable};
use crate::envelope::encode;
use crate::topology;

/// Why a message could not be moved to the dead letters. It stays where it is and is tried again.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// DEADLETTERS didn't confirm the copy.
    #[error("{subject} could not be copied to DEADLETTERS")]
    Copy {
        /// The message's subject.
        subject: String,
        /// What the client said.
        #[source]
        source: PublishError,
    },
    /// The stream that holds it can't be opened.
    #[error("stream {stream} can't be opened")]
    Stream {
        /// The stream.
        stream: String,
        /// What the client said.
        #[source]
        source: GetStreamError,
    },
    /// It can't be read.
    #[error("message {sequence} of stream {stream} can't be read")]
    Read {
        /// The stream.
        stream: String,
        /// The message.
        sequence: u64,
        /// What the client said.
        #[source]
        source: RawMessageError,
    },
    /// It can't be removed from its work queue.
    #[error("message {sequence} of work queue {stream} can't be removed")]
    Remove {
        /// The stream.
        stream: String,
        /// The message.
        sequence: u64,
        /// What the client said.
        #[source]
        source: DeleteMessageError,
    },
}

/// A message with what is known about its failure.
pub(crate) struct Letter {
    pub stream: String,
    pub consumer: String,
    pub sequence: u64,
    /// Nanoseconds since 1970; with the sequence it names the message even after its stream was made anew.
    pub published: i128,
    pub deliveries: i64,
    pub subject: String,
    pub cause: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Letter {
    /// Copies the message to `longshore.v1.deadletter.<stream>`, body and CloudEvents headers unchanged.
    /// Idempotent within two minutes by stream, consumer, sequence and time.
    pub async fn store(&self, bus: &Bus) -> Result<(), DeadLetterError> {
        let failed = |source| DeadLetterError::Copy { subject: self.subject.clone(), source };
        let subject = format!("{PREFIX}.deadletter.{}", self.stream);
        let sent = bus.jetstream().publish_with_headers(subject, self.headers(), self.body.clone()).await;
        sent.map_err(failed)?.await.map_err(failed)?;
        bus.counters().dead_letters.inc();
        tracing::error!(subject = self.subject, cause = self.cause, stream = self.stream, "bus.dead_letter");
        Ok(())
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, values) in self.headers.iter() {
            // The server would act on its own headers (id, time to live, expected sequence) a second time.
            if !name.to_string().to_ascii_lowercase().starts_with("nats-") {
                for value in values {
                    headers.append(name.clone(), value.clone());
                }
            }
        }
        let id = format!("deadletter.v1/{}/{}/{}/{}", self.stream, self.consumer, self.sequence, self.published);
        headers.insert(NATS_MESSAGE_ID, id);
        headers.insert("longshore-cause", encode(&self.cause));
        headers.insert("longshore-stream", encode(&self.stream));
        headers.insert("longshore-consumer", encode(&self.consumer));
        headers.insert("longshore-subject", encode(&self.subject));
        headers.insert("longshore-sequence", self.sequence.to_string());
        headers.insert("longshore-deliveries", self.deliveries.to_string());
        headers
    }
}

/// The server's advisory that a message was delivered `max_deliver` times in vain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Poison {
    /// The stream that holds it.
    pub stream: String,
    /// The consumer that gave up.
    pub consumer: String,
    /// Which message.
    pub stream_seq: u64,
    /// How often it was delivered.
    pub deliveries: i64,
}

impl FromMessage for Poison {
    fn from_message(kind: &str, body: &[u8]) -> Option<Result<Self, serde_json::Error>> {
        (kind == "io.nats.jetstream.advisory.v1.max_deliver").then(|| serde_json::from_slice(body))
    }
}

impl Bus {
    /// Handles the advisories about poison messages until shutdown. Every process may run it; each advisory
    /// goes to one of them. An error only if it can't begin.
    pub async fn handle_dead_letters(&self) -> Result<(), ConsumeError> {
        let durable =
            Durable::new(topology::ADVISORIES, "dead-letters", "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>")
                .max_deliver(-1);
        let mut advisories = self.consume::<Poison>(durable);
        advisories.open().await?;
        while let Some(advisory) = advisories.next().await {
            let settled = match self.bury(advisory.message()).await {
                Ok(()) => advisory.ack().await,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "bus.dead_letter_failed");
                    advisory.retry_after(Duration::from_secs(1)).await
                }
            };
            if let Err(error) = settled {
                tracing::warn!(error = &error as &dyn std::error::Error, "bus.not_settled");
            }
        }
        Ok(())
    }

    /// Copies a poison message to DEADLETTERS and removes it from a work queue. Done if it is gone already.
    async fn bury(&self, poison: &Poison) -> Result<(), DeadLetterError> {
        let Poison { stream: name, stream_seq: sequence, .. } = poison;
        let stream = self
            .jetstream()
            .get_stream_no_info(name)
            .await
            .map_err(|source| DeadLetterError::Stream { stream: name.clone(), source })?;
        let Some(message) = read(&stream, name, *sequence).await? else { return Ok(()) };
        let letter = Letter {
            stream: name.clone(),
            consumer: poison.consumer.clone(),
            sequence: *sequence,
            published: message.time.unix_timestamp_nanos(),
            deliveries: poison.deliveries,
            subject: message.subject.to_string(),
            cause: format!(
                "{} took it {} times and never settled it: its handler crashed, was too slow, or gave it back",
                poison.consumer, poison.deliveries
            ),
            headers: message.headers,
            body: message.payload,
        };
        letter.store(self).await?;
        if topology::is_work_queue(name) {
            let removed = stream.delete_message(*sequence).await;
            removed.map_err(|source| DeadLetterError::Remove { stream: name.clone(), sequence: *sequence, source })?;
        }
        Ok(())
    }
}

async fn read(stream: &Stream<()>, name: &str, sequence: u64) -> Result<Option<StreamMessage>, DeadLetterError> {
    match stream.get_raw_message(sequence).await {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(source) => Err(DeadLetterError::Read { stream: name.to_owned(), sequence, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_keeps_the_event_and_drops_what_the_server_would_act_on() {
        let mut headers = HeaderMap::new();
        headers.insert("ce-type", "copy.requested.v1");
        headers.insert("Nats-Msg-Id", "copy.requested.v1/m/vm/1");
        headers.insert("Nats-TTL", "60");
        let letter = Letter {
            stream: "JOBS".into(),
            consumer: "transfer".into(),
            sequence: 7,
            published: 1,
            deliveries: 5,
            subject: "longshore.v1.job.copy.m.vm".into(),
            cause: "100 % broken".into(),
            headers,
            body: Bytes::new(),
        };
        let headers = letter.headers();
        let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        assert_eq!(text("ce-type").as_deref(), Some("copy.requested.v1"));
        assert_eq!(text("Nats-Msg-Id").as_deref(), Some("deadletter.v1/JOBS/transfer/7/1"));
        assert_eq!(text("Nats-TTL"), None);
        assert_eq!(text("longshore-cause").as_deref(), Some("100%20%25%20broken"));
    }
}
