//! Why a store refused or failed. The texts name the object, the cause and the next action, for they end up in
//! front of a person; [`Error::reason`] and [`Error::code`] are Kubernetes', for an HTTP API.

use std::fmt;

use crate::ObjectId;

/// What failed beneath the store.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why an operation on a resource or secret didn't happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such object.
    #[error("{object} was not found")]
    NotFound {
        /// Which.
        object: ObjectId,
    },
    /// The name is taken.
    #[error("{object} exists already; change it instead of creating it")]
    AlreadyExists {
        /// Which.
        object: ObjectId,
    },
    /// Somebody changed it since it was read, or it is not the object that was meant.
    #[error("{object} was not changed: {cause}; read it again and repeat")]
    Conflict {
        /// Which.
        object: ObjectId,
        /// What didn't fit.
        cause: String,
    },
    /// What was sent is not a valid object.
    #[error("{object} is not valid: {}", Problem::list(problems))]
    Invalid {
        /// Which.
        object: ObjectId,
        /// All that is wrong with it.
        problems: Vec<Problem>,
    },
    /// Larger than a value of the bucket can be.
    #[error("{object} has {size} bytes, the limit is {limit}; split it, for example into several plans")]
    TooLarge {
        /// Which.
        object: ObjectId,
        /// Bytes of its JSON.
        size: usize,
        /// Bytes that fit.
        limit: usize,
    },
    /// No kind of this name is served.
    #[error("no kind `{kind}` is served here; known are {known}")]
    UnknownKind {
        /// The name.
        kind: String,
        /// All names.
        known: String,
    },
    /// What is stored can't be read as its type.
    #[error("{object} is stored in a form that can't be read; correct it or delete it")]
    Decode {
        /// Which.
        object: ObjectId,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An object couldn't be written as JSON.
    #[error("a {kind} couldn't be written as JSON")]
    Encode {
        /// Its kind.
        kind: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The store couldn't be opened.
    #[error("opening the store ({what}) failed")]
    Open {
        /// What was opened.
        what: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Reading failed.
    #[error("reading {what} failed")]
    Read {
        /// What was read.
        what: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Writing failed; whether it happened is not known.
    #[error("writing {what} failed")]
    Write {
        /// What was written.
        what: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A watch was interrupted; it goes on with a new `Init` at the next item.
    #[error("watching {what} was interrupted")]
    Watch {
        /// What was watched.
        what: String,
        /// Why.
        #[source]
        source: Cause,
    },
}

impl Error {
    /// The reason word that a Kubernetes API server gives.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } | Self::UnknownKind { .. } => "NotFound",
            Self::AlreadyExists { .. } => "AlreadyExists",
            Self::Conflict { .. } => "Conflict",
            Self::Invalid { .. } => "Invalid",
            Self::TooLarge { .. } => "RequestEntityTooLarge",
            Self::Read { .. } | Self::Write { .. } | Self::Watch { .. } | Self::Open { .. } => "ServiceUnavailable",
            Self::Decode { .. } | Self::Encode { .. } => "InternalError",
        }
    }

    /// The HTTP status code that a Kubernetes API server gives.
    pub fn code(&self) -> u16 {
        match self {
            Self::NotFound { .. } | Self::UnknownKind { .. } => 404,
            Self::AlreadyExists { .. } | Self::Conflict { .. } => 409,
            Self::Invalid { .. } => 422,
            Self::TooLarge { .. } => 413,
            Self::Read { .. } | Self::Write { .. } | Self::Watch { .. } | Self::Open { .. } => 503,
            Self::Decode { .. } | Self::Encode { .. } => 500,
        }
    }

    /// Whether the object was changed by somebody else: read it again and repeat.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Whether the object isn't there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

/// One thing that is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `spec.vms[2].hooks`; empty for the object as a whole.
    pub path: String,
    /// What, and what to do.
    pub message: String,
}

impl Problem {
    pub(crate) fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    fn list(problems: &[Self]) -> String {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}
