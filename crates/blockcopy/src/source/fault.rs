//! All that can be wrong with a source. None of these is worth another try at once: what is, was tried again
//! before it got here.

use std::io;

/// A source could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[error("can't read {object}")]
pub struct SourceError {
    /// The file or disk, as its opener named it.
    pub object: String,
    /// What is wrong.
    #[source]
    pub fault: SourceFault,
}

/// What is wrong with a source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceFault {
    /// The client itself could not be built.
    #[error("the HTTP client could not be built")]
    Client(#[source] reqwest::Error),
    /// No answer, a reset or a stall, time and again.
    #[error("no complete answer in {attempts} attempts; check the server and the network to it")]
    Unreachable {
        /// How often it was tried.
        attempts: u32,
        /// The last reason.
        #[source]
        source: reqwest::Error,
    },
    /// The server's certificate is not trusted. Never tried again.
    #[error("the server's certificate is not trusted")]
    Certificate(#[source] reqwest::Error),
    /// The server failed time and again (5xx, 429, 408).
    #[error("the server answered {status} in each of {attempts} attempts")]
    Server {
        /// The last status.
        status: u16,
        /// How often it was tried.
        attempts: u32,
    },
    /// 401, and no fresh login is to be had or it was refused too.
    #[error("the server refused the login (401)")]
    Unauthorized,
    /// A fresh login could not be made.
    #[error("the session ended and could not be renewed")]
    Renewal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// 403.
    #[error("the login has no right to read it (403); give the account the privilege to browse datastores")]
    Forbidden,
    /// 404.
    #[error("it does not exist (404)")]
    NotFound,
    /// A redirect, a 416 or any other answer that is no answer to a ranged read.
    #[error("the server answered {status}, which is no answer to a ranged read")]
    Status {
        /// The status.
        status: u16,
    },
    /// 200: the server sends the whole file.
    #[error("the server ignores ranges (200 instead of 206); a proxy between may be the cause")]
    RangesIgnored,
    /// The answer is for other bytes than those asked for, or doesn't say for which.
    #[error("asked for bytes {asked}, the server answered with `{got}`")]
    WrongRange {
        /// What was asked for, `first-last`.
        asked: String,
        /// The Content-Range header, empty if there was none.
        got: String,
    },
    /// The file has another length than when it was opened.
    #[error("its length changed from {was} to {is} bytes while it was read")]
    LengthChanged {
        /// Length at the opening.
        was: u64,
        /// Length now.
        is: u64,
    },
    /// A complete answer with too few bytes, or a file that ends early.
    #[error("asked for {asked} bytes, got {got}")]
    Short {
        /// Bytes wanted.
        asked: usize,
        /// Bytes that came.
        got: usize,
    },
    /// More bytes than asked for.
    #[error("asked for {asked} bytes, got more")]
    Long {
        /// Bytes wanted.
        asked: usize,
    },
    /// A local file failed.
    #[error("the file can't be read")]
    Io(#[source] io::Error),
}
