//! Brings the server's streams and buckets to the table: creates what is missing, updates what may be updated.
//! Several processes may do it at once. Idempotent.

use async_nats::jetstream::context::{CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind};
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{Context, ErrorCode};

use super::difference::{Difference, Verdict, compare};
use super::wanted;

/// Why the topology can't be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A stream exists and differs in a way that can't be changed in place.
    #[error(
        "stream {stream} exists with other settings ({}); save what it holds and remove it by hand \
         (`nats stream backup`, `nats stream rm`), or give another server or store; Longshore deletes no stream",
        list(.differences)
    )]
    Incompatible {
        /// Which.
        stream: String,
        /// Each field with what is wanted and found.
        differences: Vec<Difference>,
    },
    /// The server says that another stream takes the same subjects.
    #[error(
        "stream {stream} can't have the subjects {subjects}: another stream on this server overlaps with them; \
         find it with `nats stream ls --subjects`, remove the overlap, or give another server"
    )]
    Overlap {
        /// Which.
        stream: String,
        /// What it needs.
        subjects: String,
    },
    /// It can't be looked at.
    #[error("stream {stream} can't be looked at")]
    Look {
        /// Which.
        stream: String,
        /// What the client said.
        #[source]
        source: GetStreamError,
    },
    /// It can't be made.
    #[error("stream {stream} can't be created")]
    Create {
        /// Which.
        stream: String,
        /// What the server said.
        #[source]
        source: CreateStreamError,
    },
    /// It can't be changed.
    #[error("stream {stream} can't be updated")]
    Update {
        /// Which.
        stream: String,
        /// What the server said.
        #[source]
        source: CreateStreamError,
    },
}

fn list(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Creates or updates every stream and bucket. All are compared before the first one is changed.
pub async fn ensure(jetstream: &Context, replicas: usize) -> Result<(), Error> {
    let mut work = Vec::new();
    for config in wanted(replicas) {
        match look(jetstream, &config.name).await? {
            None => work.push((config, false)),
            Some(found) => match compare(&found, &config) {
                Verdict::Same => {}
                Verdict::Update(config) => work.push((*config, true)),
                Verdict::Incompatible(differences) => {
                    return Err(Error::Incompatible { stream: config.name, differences });
                }
            },
        }
    }
    for (config, exists) in work {
        if exists { update(jetstream, &config).await? } else { create(jetstream, &config).await? }
    }
    Ok(())
}

async fn look(jetstream: &Context, name: &str) -> Result<Option<Config>, Error> {
    match jetstream.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(inner) if inner.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            _ => Err(Error::Look { stream: name.to_owned(), source: error }),
        },
    }
}

async fn create(jetstream: &Context, config: &Config) -> Result<(), Error> {
    tracing::info!(stream = config.name, "bus.stream_created");
    let created = jetstream.create_stream(config.clone()).await;
    created.map(drop).map_err(|source| match code(&source) {
        Some(ErrorCode::STREAM_SUBJECT_OVERLAP) => {
            Error::Overlap { stream: config.name.clone(), subjects: config.subjects.join(", ") }
        }
        _ => Error::Create { stream: config.name.clone(), source },
    })
}

async fn update(jetstream: &Context, config: &Config) -> Result<(), Error> {
    tracing::info!(stream = config.name, "bus.stream_updated");
    let updated = jetstream.update_stream(config.clone()).await;
    updated.map(drop).map_err(|source| match code(&source) {
        Some(ErrorCode::STREAM_SUBJECT_OVERLAP) => {
            Error::Overlap { stream: config.name.clone(), subjects: config.subjects.join(", ") }
        }
        _ => Error::Update { stream: config.name.clone(), source },
    })
}

fn code(error: &CreateStreamError) -> Option<ErrorCode> {
    match error.kind() {
        CreateStreamErrorKind::JetStream(inner) => Some(inner.error_code()),
        _ => None,
    }
}
