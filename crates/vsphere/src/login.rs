//! Logging in: the calls of it, and errors that tell a person what to change.

use trust::{Fingerprint, TlsPolicy};

use crate::{Endpoint, Error, Fault, InvalidUrl};

/// Why a login failed. Nothing here is tried again by itself.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The address is unusable.
    #[error("the provider's address is invalid")]
    Address(#[from] InvalidUrl),
    /// The TLS settings are unusable.
    #[error("the provider's TLS settings are invalid")]
    Tls(#[from] trust::Error),
    /// User or password is wrong. A client that met this never logs in again: the account could be locked.
    #[error(
        "{host} refused the user name or password of \"{user}\": correct the provider's Secret; it is tried once per \
         version of the Secret, so that the account isn't locked"
    )]
    InvalidCredentials {
        /// Host name or address.
        host: String,
        /// The user.
        user: String,
    },
    /// The user may not log in, or the account is locked or expired.
    #[error("{host} does not let \"{user}\" log in: check the account's state and its permissions")]
    Denied {
        /// Host name or address.
        host: String,
        /// The user.
        user: String,
        /// The server's answer.
        #[source]
        fault: Fault,
    },
    /// Another certificate than the pinned one.
    #[error(
        "the certificate of {host} has the fingerprint {presented}, but {expected} is expected: if the certificate was \
         renewed, check the new fingerprint at the server and put it into the provider's Secret; else somebody stands \
         between"
    )]
    Certificate {
        /// Host name or address.
        host: String,
        /// The pinned fingerprint.
        expected: Fingerprint,
        /// The fingerprint of what the server showed, in the same algorithm.
        presented: Fingerprint,
    },
    /// A certificate that no known authority vouches for, or that isn't valid for this name or time.
    #[error(
        "the certificate of {host} is not trusted; its fingerprint is {}. If that is what the server itself shows, put \
         it into the provider's Secret as \"thumbprint\", or its authority's certificate as \"cacert\"",
        presented.map_or_else(|| "unknown".to_owned(), |fingerprint| fingerprint.to_string())
    )]
    CertificateUnknown {
        /// Host name or address.
        host: String,
        /// SHA-1 of what the server showed.
        presented: Option<Fingerprint>,
        /// Why it was refused: unknown issuer, wrong name, expired.
        #[source]
        source: rustls::Error,
    },
    /// No connection could be made.
    #[error(
        "{host} port {port} can't be reached: check the provider's address, the network and whether the server runs"
    )]
    Unreachable {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// Something answers there, but not with the vSphere API.
    #[error("what answers at {url} is no vCenter or ESXi host ({found}): check the provider's address")]
    NotAVCenter {
        /// The SDK's URL.
        url: String,
        /// What was found.
        found: String,
    },
    /// A release that isn't supported.
    #[error("{host} speaks vSphere API {version}, and 6.5 is the oldest supported: upgrade it")]
    TooOld {
        /// Host name or address.
        host: String,
        /// Its API version.
        version: String,
    },
    /// The client was logged out on purpose.
    #[error("the session was ended on purpose and is not opened again")]
    Ended,
    /// Any other failure of the calls a login makes.
    #[error("the login to {host} failed")]
    Failed {
        /// Host name or address.
        host: String,
        /// The call's error.
        #[source]
        source: Box<Error>,
    },
}

impl LoginError {
    /// A stable, machine-readable word for conditions.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Address(_) => "InvalidAddress",
            Self::Tls(_) => "InvalidTlsSettings",
            Self::InvalidCredentials { .. } => "InvalidCredentials",
            Self::Denied { .. } => "LoginDenied",
            Self::Certificate { .. } => "CertificateMismatch",
            Self::CertificateUnknown { .. } => "CertificateNotTrusted",
            Self::Unreachable { .. } => "Unreachable",
            Self::NotAVCenter { .. } => "NotAVCenter",
            Self::TooOld { .. } => "VersionTooOld",
            Self::Ended => "SessionEnded",
            Self::Failed { .. } => "LoginFailed",
        }
    }

    /// True if the same login may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Failed { source, .. } => source.is_transient(),
            _ => false,
        }
    }

    /// Names, for a login, what a call's error means.
    pub(crate) fn from_call(error: Error, endpoint: &Endpoint, tls: &trust::TlsClient) -> Self {
        let host = endpoint.url.host().to_owned();
        let user = endpoint.user.clone();
        let found = |found: String| Self::NotAVCenter { url: endpoint.url.to_string(), found };
        match error {
            Error::Unreachable { host, port, source } => Self::Unreachable { host, port, source },
            Error::Certificate { host, presented, source } => match expected(endpoint, tls) {
                Some((expected, presented)) => Self::Certificate { host, expected, presented },
                None => Self::CertificateUnknown { host, presented, source },
            },
            Error::Refused { fault: Fault::InvalidLogin, .. } => Self::InvalidCredentials { host, user },
            Error::Refused { fault: fault @ Fault::NoPermission { .. }, .. } => Self::Denied { host, user, fault },
            Error::Status { status, .. } if !matches!(status, 429 | 502..=504) => {
                found(format!("HTTP status {status}"))
            }
            Error::Answer { source, .. } => found(source.to_string()),
            other => Self::Failed { host, source: Box::new(other) },
        }
    }
}

fn expected(endpoint: &Endpoint, tls: &trust::TlsClient) -> Option<(Fingerprint, Fingerprint)> {
    match &endpoint.tls {
        // The right certificate can be refused too: when the server can't prove that it holds its key.
        TlsPolicy::Fingerprint(expected) => tls
            .presented_like(expected)
            .filter(|presented| presented != expected)
            .map(|presented| (*expected, presented)),
        _ => None,
    }
}
