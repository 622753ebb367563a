//! Reading the last message of a subject, from the stream's leader: after a refused publish a replica's older
//! answer would be wrong.

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use contract::message::FromMessage;
use contract::subject::Subject;
use jiff::Timestamp;

use crate::Cause;
use crate::connect::Bus;
use crate::{envelope, topology};

/// A message as its stream keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<M> {
    /// What was published.
    pub message: M,
    /// Where it is in its stream.
    pub sequence: u64,
    /// When the server took it.
    pub time: Timestamp,
}

/// Why a message can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The subject belongs to no stream of ours.
    #[error("no stream holds {subject}")]
    NoStream {
        /// The subject.
        subject: String,
    },
    /// The server didn't answer, or with an error.
    #[error("the last message on {subject} can't be read from stream {stream}")]
    Server {
        /// The subject.
        subject: String,
        /// The stream.
        stream: String,
        /// What the client said.
        #[source]
        source: Cause,
    },
    /// The body is not what its type says.
    #[error("the last message on {subject} is not a readable {kind}")]
    Decode {
        /// The subject.
        subject: String,
        /// The type in its header.
        kind: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It is of a type the reader doesn't know.
    #[error("the last message on {subject} is of the unknown type {kind}")]
    UnknownType {
        /// The subject.
        subject: String,
        /// The type in its header.
        kind: String,
    },
}

impl Bus {
    /// The newest message on a subject; `None` if there is none (any more).
    pub async fn last<M: FromMessage>(&self, subject: &Subject) -> Result<Option<Stored<M>>, ReadError> {
        let Some(raw) = self.last_raw(subject.as_str()).await? else { return Ok(None) };
        let subject = subject.to_string();
        let kind = envelope::kind_of(&subject, Some(&raw.headers), &raw.payload).unwrap_or_default();
        let time = Timestamp::from_nanosecond(raw.time.unix_timestamp_nanos()).unwrap_or(Timestamp::UNIX_EPOCH);
        match M::from_message(&kind, &raw.payload) {
            None => Err(ReadError::UnknownType { subject, kind }),
            Some(Err(source)) => Err(ReadError::Decode { subject, kind, source }),
            Some(Ok(message)) => Ok(Some(Stored { message, sequence: raw.sequence, time })),
        }
    }

    /// Sequence and duplicate id of the newest message on a subject.
    pub(crate) async fn last_id(&self, subject: &str) -> Result<Option<(u64, String)>, ReadError> {
        let raw = self.last_raw(subject).await?;
        Ok(raw.map(|raw| (raw.sequence, envelope::duplicate_id_of(&raw.headers).unwrap_or_default())))
    }

    async fn last_raw(&self, subject: &str) -> Result<Option<StreamMessage>, ReadError> {
        let stream = topology::stream_of(subject).ok_or_else(|| ReadError::NoStream { subject: subject.to_owned() })?;
        let failed =
            |source: Cause| ReadError::Server { subject: subject.to_owned(), stream: stream.to_owned(), source };
        let stream: Stream<()> =
            self.jetstream().get_stream_no_info(stream).await.map_err(|error| failed(error.into()))?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed(error.into())),
        }
    }
}
