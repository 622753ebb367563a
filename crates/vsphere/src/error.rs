//! Why a call failed.

use std::time::Duration;

use trust::Fingerprint;

use crate::{Fault, LoginError, MoRef, ParseError};

/// Why a call on a logged-in client failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server answered with a fault.
    #[error("{method} on {object} was refused")]
    Refused {
        /// The vSphere method.
        method: &'static str,
        /// The object it was called on.
        object: MoRef,
        /// The server's answer.
        #[source]
        fault: Fault,
    },
    /// The session has ended, and with it views, collectors and their versions: log in and list again.
    #[error("the session with the vCenter has ended: log in again")]
    SessionLost,
    /// The session had ended and no new one could be opened.
    #[error("the session with the vCenter ended and could not be renewed")]
    Renewal(#[source] Box<LoginError>),
    /// No connection could be made.
    #[error("{host} port {port} can't be reached: check the address, the network and whether the server runs")]
    Unreachable {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// The server's certificate was refused.
    #[error("the certificate of {host} was refused")]
    Certificate {
        /// Host name or address.
        host: String,
        /// SHA-1 of the certificate it showed.
        presented: Option<Fingerprint>,
        /// Why it was refused.
        #[source]
        source: rustls::Error,
    },
    /// The connection broke during a call; it isn't known whether the server did what was asked.
    #[error("the connection to {host} broke during {method}")]
    Connection {
        /// Host name or address.
        host: String,
        /// The vSphere method.
        method: &'static str,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// The server did not answer in time; it isn't known whether it did what was asked.
    #[error("{host} did not answer {method} within {} s", after.as_secs())]
    Timeout {
        /// Host name or address.
        host: String,
        /// The vSphere method.
        method: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The server answered with an HTTP status that SOAP does not use.
    #[error("{host} answered {method} with HTTP status {status}")]
    Status {
        /// Host name or address.
        host: String,
        /// The vSphere method.
        method: &'static str,
        /// The status code.
        status: u16,
    },
    /// The answer is larger than is taken into memory.
    #[error("the answer to {method} is larger than {limit} bytes: ask for fewer objects at a time")]
    TooLarge {
        /// The vSphere method.
        method: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer is no SOAP, or lacks what the method returns.
    #[error("the answer to {method} can't be understood")]
    Answer {
        /// The vSphere method.
        method: &'static str,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// A task ended in an error.
    #[error("{task} ({method} on {object}) failed")]
    Task {
        /// The task.
        task: Box<MoRef>,
        /// The method that started it.
        method: &'static str,
        /// The object it worked on.
        object: Box<MoRef>,
        /// The task's error.
        #[source]
        fault: Fault,
    },
    /// A task made no progress for too long; it may still go on.
    #[error("{task} ({method} on {object}) made no progress for {} s: look at it in the vCenter", after.as_secs())]
    TaskStalled {
        /// The task.
        task: Box<MoRef>,
        /// The method that started it.
        method: &'static str,
        /// The object it works on.
        object: Box<MoRef>,
        /// How long nothing moved.
        after: Duration,
    },
}

impl Error {
    /// The fault that the server answered or a task ended with.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused { fault, .. } | Self::Task { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// True if the object the call was about is gone.
    pub fn is_not_found(&self) -> bool {
        matches!(self.fault(), Some(Fault::ManagedObjectNotFound { .. }))
    }

    /// True if the same call may succeed later without anybody changing anything. For a call with an effect, look at
    /// the object first: it may have happened.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::SessionLost | Self::Unreachable { .. } | Self::Connection { .. } | Self::Timeout { .. } => true,
            Self::Status { status, .. } => matches!(status, 429 | 502..=504),
            Self::Renewal(source) => source.is_transient(),
            _ => false,
        }
    }
}
