//! How a job fails: a stable reason for machines and a text for a person, made of the errors of the crates below.
//! The text names VM or disk, the cause, and what to do.

mod from;

use std::error::Error;
use std::fmt;

use contract::transfer::Outcome;
use runtime::chain;

pub(crate) use from::{copying, login, manifest, read, target, vcenter, verifying};

/// Why a job failed. The names are part of the contract with the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The provider or its Secret can't be used.
    ProviderNotValid,
    /// The provider refused user or password.
    CredentialsRefused,
    /// The user lacks a privilege.
    AccessDenied,
    /// The provider's certificate is not trusted.
    CertificateRefused,
    /// The provider, or a disk at it, doesn't answer.
    SourceUnreachable,
    /// The provider answers ranged reads wrongly.
    SourceMisbehaves,
    /// The VM is on or suspended.
    SourcePoweredOn,
    /// The VM has a snapshot.
    SnapshotPresent,
    /// The disk's backing can't be read by this route.
    UnsupportedBacking,
    /// The disk's datastore can't be read by this route.
    UnsupportedDatastore,
    /// The VM or a disk is not as the job says, or changed while it was copied.
    SourceChanged,
    /// The job asks for something this version doesn't do.
    UnsupportedJob,
    /// There is no target.
    TargetMissing,
    /// No space is left at the target.
    TargetFull,
    /// Another worker has the target open.
    TargetLocked,
    /// The target can't be read or written.
    TargetFailed,
    /// What was read back differs from what was written.
    VerificationFailed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A failed job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Stable.
    pub reason: Reason,
    /// For a person.
    pub message: String,
}

impl Failure {
    /// A failure with a text of its own.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// A failure with `about` and the whole chain of `error`.
    pub(crate) fn because(reason: Reason, about: impl fmt::Display, error: &dyn Error) -> Self {
        Self::new(reason, format!("{about}: {}", chain(error)))
    }

    /// As it is published.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::Failed { reason: self.reason.to_string(), message: self.message.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_told_once_each() {
        let inner = std::io::Error::other("no route");
        let error = Failure::because(Reason::SourceUnreachable, "VM web", &inner);
        assert_eq!(error.message, "VM web: no route");
        assert!(matches!(error.outcome(), Outcome::Failed { reason, .. } if reason == "SourceUnreachable"));
    }
}
