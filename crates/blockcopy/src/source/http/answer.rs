//! Whether an answer is the one that was asked for. Pure, but for the errors of the HTTP client.

use std::error::Error;
use std::fmt;
use std::io;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, HeaderMap};

use super::SourceFault;

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// The first byte, to learn the length.
    First,
    /// A range of a file of known length.
    Bytes {
        /// First byte.
        offset: u64,
        /// Bytes, at least one.
        length: usize,
        /// Length of the file.
        total: u64,
    },
}

/// Why a request failed, and so what to do.
#[derive(Debug)]
pub(super) enum Failure {
    /// 401: a fresh login may help.
    Unauthorized,
    /// It may pass.
    Passing(Passing),
    /// It won't.
    Final(SourceFault),
}

/// A failure that may pass.
#[derive(Debug)]
pub(super) enum Passing {
    /// No connection, a reset, a stall.
    Transport(reqwest::Error),
    /// The server said that it failed or is busy.
    Status(StatusCode),
}

impl Asked {
    pub(super) fn length(self) -> usize {
        match self {
            Self::First => 1,
            Self::Bytes { length, .. } => length,
        }
    }

    /// First and last byte.
    fn bounds(self) -> (u64, u64) {
        match self {
            Self::First => (0, 0),
            Self::Bytes { offset, length, .. } => (offset, offset.saturating_add(length as u64).saturating_sub(1)),
        }
    }

    /// The Range header.
    pub(super) fn range(self) -> String {
        let (first, last) = self.bounds();
        format!("bytes={first}-{last}")
    }
}

impl Passing {
    /// The fault, once it was tried `attempts` times.
    pub(super) fn after(self, attempts: u32) -> SourceFault {
        match self {
            Self::Transport(source) => SourceFault::Unreachable { attempts, source },
            Self::Status(status) => SourceFault::Server { status: status.as_u16(), attempts },
        }
    }
}

impl fmt::Display for Passing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => error.fmt(f),
            Self::Status(status) => status.fmt(f),
        }
    }
}

impl Failure {
    /// Sorts an error of the client. Its URL is left out: errors name the object instead.
    pub(super) fn transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if refuses_certificate(&error) {
            return Self::Final(SourceFault::Certificate(error));
        }
        if error.is_builder() {
            Self::Final(SourceFault::Client(error))
        } else {
            Self::Passing(Passing::Transport(error))
        }
    }

    /// The shared limit was closed: the process is ending.
    pub(super) fn closed() -> Self {
        Self::Final(SourceFault::Io(io::Error::other("the limit of requests was closed")))
    }
}

/// Whether the chain holds a verdict of our certificate check. An `io::Error` hides what it wraps from `source()`.
fn refuses_certificate(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(rustls::Error::InvalidCertificate(_) | rustls::Error::General(_)) = cause.downcast_ref() {
            return true;
        }
        next = match cause.downcast_ref::<io::Error>() {
            Some(wrapper) => wrapper.get_ref().map(|wrapped| -> &(dyn Error + 'static) { wrapped }),
            None => cause.source(),
        };
    }
    false
}

/// Checks status and Content-Range; gives the file's length.
pub(super) fn check(status: StatusCode, headers: &HeaderMap, asked: Asked) -> Result<u64, Failure> {
    let got = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match status {
        StatusCode::PARTIAL_CONTENT => {}
        StatusCode::UNAUTHORIZED => return Err(Failure::Unauthorized),
        StatusCode::RANGE_NOT_SATISFIABLE => return beyond_the_end(got, asked),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            return Err(Failure::Passing(Passing::Status(status)));
        }
        _ if status.is_server_error() => return Err(Failure::Passing(Passing::Status(status))),
        StatusCode::OK => return Err(Failure::Final(SourceFault::RangesIgnored)),
        StatusCode::FORBIDDEN => return Err(Failure::Final(SourceFault::Forbidden)),
        StatusCode::NOT_FOUND => return Err(Failure::Final(SourceFault::NotFound)),
        _ => return Err(Failure::Final(SourceFault::Status { status: status.as_u16() })),
    }
    let wrong = || {
        let (first, last) = asked.bounds();
        Failure::Final(SourceFault::WrongRange { asked: format!("{first}-{last}"), got: got.to_owned() })
    };
    let (first, last, is) = content_range(got).ok_or_else(wrong)?;
    match asked {
        Asked::Bytes { total: was, .. } if was != is => Err(Failure::Final(SourceFault::LengthChanged { was, is })),
        _ if asked.bounds() != (first, last) || last >= is => Err(wrong()),
        _ => Ok(is),
    }
}

/// 416: an empty file has no first byte; any other file got shorter.
fn beyond_the_end(got: &str, asked: Asked) -> Result<u64, Failure> {
    let is = got.strip_prefix("bytes */").and_then(|total| total.parse().ok());
    match (asked, is) {
        (Asked::First, Some(0)) => Ok(0),
        (Asked::Bytes { total: was, .. }, Some(is)) if was != is => {
            Err(Failure::Final(SourceFault::LengthChanged { was, is }))
        }
        _ => Err(Failure::Final(SourceFault::Status { status: StatusCode::RANGE_NOT_SATISFIABLE.as_u16() })),
    }
}

/// Parses `bytes first-last/total`.
fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked = Asked::Bytes { offset: 10, length: 5, total: 100 };

    fn answer(status: u16, range: &str, asked: Asked) -> Result<u64, Failure> {
        let mut headers = HeaderMap::new();
        if !range.is_empty() {
            headers.insert(CONTENT_RANGE, range.parse().unwrap());
        }
        check(StatusCode::from_u16(status).unwrap(), &headers, asked)
    }

    #[test]
    fn exactly_the_asked_range_is_accepted() {
        assert_eq!(ASKED.range(), "bytes=10-14");
        assert!(matches!(answer(206, "bytes 10-14/100", ASKED), Ok(100)));
        assert!(matches!(answer(206, "bytes 0-0/100", Asked::First), Ok(100)));
        for wrong in ["", "bytes 10-13/100", "bytes 11-14/100", "bytes 10-14/*", "10-14/100", "bytes x-14/100"] {
            let refused = matches!(answer(206, wrong, ASKED), Err(Failure::Final(SourceFault::WrongRange { .. })));
            assert!(refused, "{wrong}");
        }
    }

    #[test]
    fn a_new_length_is_told_from_a_wrong_range() {
        for (status, range, now) in [(206, "bytes 10-14/101", 101), (416, "bytes */12", 12)] {
            let answer = answer(status, range, ASKED);
            let changed =
                matches!(answer, Err(Failure::Final(SourceFault::LengthChanged { was: 100, is })) if is == now);
            assert!(changed, "{range}");
        }
    }

    #[test]
    fn only_an_empty_file_may_have_no_first_byte() {
        assert!(matches!(answer(416, "bytes */0", Asked::First), Ok(0)));
        assert!(answer(416, "", Asked::First).is_err());
        assert!(answer(416, "bytes */100", ASKED).is_err());
    }

    #[test]
    fn each_status_has_its_consequence() {
        for status in [500, 502, 503, 429, 408] {
            assert!(matches!(answer(status, "", ASKED), Err(Failure::Passing(_))), "{status}");
        }
        assert!(matches!(answer(401, "", ASKED), Err(Failure::Unauthorized)));
        assert!(matches!(answer(200, "", ASKED), Err(Failure::Final(SourceFault::RangesIgnored))));
        assert!(matches!(answer(403, "", ASKED), Err(Failure::Final(SourceFault::Forbidden))));
        assert!(matches!(answer(404, "", ASKED), Err(Failure::Final(SourceFault::NotFound))));
        assert!(matches!(answer(302, "", ASKED), Err(Failure::Final(SourceFault::Status { status: 302 }))));
    }
}
