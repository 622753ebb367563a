//! Publishing one message. A publish is done when the stream has confirmed it; a duplicate and a refusal are
//! answers of their own, never success by silence.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::context::PublishErrorKind;
use contract::message::{Message, message_id};
use contract::subject::{Subject, TokenError};
use jiff::Timestamp;

use crate::connect::Bus;
use crate::envelope::Envelope;

/// Longest body in bytes: below the server's 1 MiB with room for headers. Longer documents will travel as a
/// reference into the object store.
pub const MAX_BODY: usize = 900 * 1024;

/// How long the message about a removed object stays; a consumer away longer starts from scratch.
pub const TOMBSTONE_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// What may be said about one publish.
#[derive(Clone, Debug, Default)]
pub struct PublishOptions {
    /// The server drops the message after this time (whole seconds, at least one). Streams INVENTORY and
    /// ASSESSMENTS only.
    pub ttl: Option<Duration>,
    /// W3C trace parent of the span that publishes.
    pub traceparent: Option<String>,
}

/// The stream's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a duplicate is not a stored message"]
pub enum Published {
    /// It is in the stream.
    Stored {
        /// At this sequence.
        sequence: u64,
    },
    /// A message with the same id was published within the last two minutes; this one was dropped. The earlier
    /// one may be gone already.
    Duplicate,
}

/// Why a message is not, or not known to be, in its stream.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// An id in the subject is empty.
    #[error("a {kind} can't be published: its subject can't be made")]
    Subject {
        /// Message type.
        kind: &'static str,
        /// Which part.
        #[source]
        source: TokenError,
    },
    /// The body is no JSON.
    #[error("the message for {subject} can't be written as JSON")]
    Encode {
        /// Where it would go.
        subject: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The body is longer than [`MAX_BODY`].
    #[error("the message for {subject} has {size} bytes, the limit is {MAX_BODY}")]
    TooLarge {
        /// Where it would go.
        subject: String,
        /// Bytes of its body.
        size: usize,
    },
    /// Another message waits on this subject, and its stream allows one.
    #[error("the server refuses a second message on {subject} while one waits there")]
    Refused {
        /// Where it would go.
        subject: String,
    },
    /// An earlier attempt is still in the queue; try again in a second.
    #[error("the job for {subject} has to wait: {waiting} is still in the queue; try again in a second")]
    Occupied {
        /// Where it would go.
        subject: String,
        /// Message id of what is there.
        waiting: String,
    },
    /// A later attempt is in the queue: this one is out of date.
    #[error("the job for {subject} is out of date: {waiting} is in the queue")]
    Superseded {
        /// Where it would go.
        subject: String,
        /// Message id of what is there.
        waiting: String,
    },
    /// This attempt was published and taken before; the server remembers its id.
    #[error("{id} was published before and is not in the queue any more; publish a new attempt on {subject}")]
    AttemptSpent {
        /// Where it would go.
        subject: String,
        /// The id that was used up.
        id: String,
    },
    /// A job must have an identity.
    #[error("a {kind} has no identity and can't be a job")]
    NoIdentity {
        /// Message type.
        kind: &'static str,
    },
    /// No stream takes the subject.
    #[error("no stream takes {subject}; was the server's store wiped? A restart of Longshore makes the streams anew")]
    NoStream {
        /// Where it would go.
        subject: String,
    },
    /// The server didn't confirm. Publishing again is safe for a message with an id.
    #[error("the server didn't confirm the message on {subject}; it may or may not be stored")]
    Unconfirmed {
        /// Where it went.
        subject: String,
        /// What the client said.
        #[source]
        source: jetstream::context::PublishError,
    },
    /// The server refused it for a reason of its own.
    #[error("the server refuses the message on {subject}")]
    Rejected {
        /// Where it would go.
        subject: String,
        /// What the server said.
        #[source]
        source: jetstream::context::PublishError,
    },
    /// The subject's last message could not be read after a refusal.
    #[error("what waits on {subject} can't be read")]
    Waiting {
        /// Where it would go.
        subject: String,
        /// Why.
        #[source]
        source: crate::read::ReadError,
    },
}

impl Bus {
    /// Publishes a message on its own subject and waits for the stream's answer. Idempotent by the message's id
    /// within two minutes.
    pub async fn publish<M: Message>(&self, message: &M) -> Result<Published, PublishError> {
        self.publish_with(message, &PublishOptions::default()).await
    }

    /// Like [`Bus::publish`], with a time to live or a trace parent.
    pub async fn publish_with<M: Message>(
        &self,
        message: &M,
        options: &PublishOptions,
    ) -> Result<Published, PublishError> {
        let subject = message.subject().map_err(|source| PublishError::Subject { kind: M::TYPE, source })?;
        let body = body(&subject, message)?;
        let id = message_id(message);
        let event_id = id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let headers = Envelope {
            kind: M::TYPE,
            duplicate_id: id.as_deref(),
            event_id: &event_id,
            source: self.source(),
            time: Timestamp::now(),
            ttl: options.ttl.map(|ttl| ttl.as_secs().max(1)),
            traceparent: options.traceparent.as_deref(),
        }
        .headers();
        let sent = self.jetstream().publish_with_headers(subject.to_string(), headers, body.into()).await;
        let answer = match sent {
            Ok(confirmation) => confirmation.await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(ack) if ack.duplicate => {
                self.counters().duplicates.inc();
                Ok(Published::Duplicate)
            }
            Ok(ack) => Ok(Published::Stored { sequence: ack.sequence }),
            Err(source) => Err(self.publish_error(&subject, source)),
        }
    }

    fn publish_error(&self, subject: &Subject, source: jetstream::context::PublishError) -> PublishError {
        let subject = subject.to_string();
        match source.kind() {
            PublishErrorKind::StreamNotFound => PublishError::NoStream { subject },
            PublishErrorKind::Other if is_refusal(&source) => {
                self.counters().refused.inc();
                PublishError::Refused { subject }
            }
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe | PublishErrorKind::MaxAckPending => {
                PublishError::Unconfirmed { subject, source }
            }
            _ => PublishError::Rejected { subject, source },
        }
    }
}

fn body<M: Message>(subject: &Subject, message: &M) -> Result<Vec<u8>, PublishError> {
    let body =
        serde_json::to_vec(message).map_err(|source| PublishError::Encode { subject: subject.to_string(), source })?;
    if body.len() > MAX_BODY {
        return Err(PublishError::TooLarge { subject: subject.to_string(), size: body.len() });
    }
    Ok(body)
}

/// nats-server has one code for everything its store refuses; only the text tells the cause.
fn is_refusal(error: &jetstream::context::PublishError) -> bool {
    let source = std::error::Error::source(error);
    source
        .and_then(|source| source.downcast_ref::<jetstream::Error>())
        .is_some_and(|error| error.to_string().contains("maximum messages per subject exceeded"))
}
