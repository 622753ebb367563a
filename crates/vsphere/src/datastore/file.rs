//! One file on a datastore as it is read over HTTPS: URL, headers and trust for the reader of its bytes, and small
//! reads of its own.
//!
//! The bytes of disks are read by others; when the server answers them 401, [`DatastoreFile::renew`] gives the headers
//! of a new session.

use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, COOKIE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use trust::TlsClient;
use url::Url;

use super::DatastorePath;
use crate::{Client, Error};

/// How long the headers of an answer, or the next bytes of it, may take.
const ANSWER: Duration = Duration::from_secs(60);

/// A file on a datastore, with the session that may read it. Clones share the session.
#[derive(Debug, Clone)]
pub struct DatastoreFile {
    client: Client,
    path: DatastorePath,
    url: Url,
}

/// Why a datastore file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It isn't there.
    #[error("{path} does not exist, or the user may not browse its datastore")]
    NotFound {
        /// The file.
        path: DatastorePath,
    },
    /// The server will not give it: it is locked by a running VM, or the user lacks the right.
    #[error(
        "the server refused {path} with HTTP status {status}: a running VM locks its disks, and reading needs the \
         privileges Datastore.Browse and Datastore.FileManagement"
    )]
    Refused {
        /// The file.
        path: DatastorePath,
        /// The status code.
        status: u16,
    },
    /// It is larger than such a file ever is.
    #[error("{path} is larger than {limit} bytes: it is not the small file it should be")]
    TooLarge {
        /// The file.
        path: DatastorePath,
        /// The limit in bytes.
        limit: usize,
    },
    /// The server named no length.
    #[error("the server did not tell the length of {path}")]
    NoLength {
        /// The file.
        path: DatastorePath,
    },
    /// The connection failed.
    #[error("{path} could not be read")]
    Connection {
        /// The file.
        path: DatastorePath,
        /// What failed.
        #[source]
        source: Box<Error>,
    },
}

impl FileError {
    /// True if the same read may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status, 429 | 502..=504),
            Self::Connection { source, .. } => source.is_transient(),
            _ => false,
        }
    }
}

impl Client {
    /// The file `path` in the datacenter whose path below the root folder is `datacenter` (`Europe/DC 1`). No request
    /// is made.
    pub fn datastore_file(&self, datacenter: &str, path: &DatastorePath) -> DatastoreFile {
        let url = path.url(&self.transport().url, datacenter);
        DatastoreFile { client: self.clone(), path: path.clone(), url }
    }
}

impl DatastoreFile {
    /// The file's name.
    pub fn path(&self) -> &DatastorePath {
        &self.path
    }

    /// Where it is served; ranges are supported. Holds no secret.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The TLS configuration with the provider's trust.
    pub fn tls(&self) -> &TlsClient {
        &self.client.transport().tls
    }

    /// The headers that authorize a request now: the session's cookie, marked sensitive.
    pub fn headers(&self) -> HeaderMap {
        headers(self.client.cookie())
    }

    /// New headers after the server refused `refused` with 401. Of many callers at a time one logs in; the others get
    /// its session. Fails without an attempt if the password was refused before or the client was logged out.
    pub async fn renew(&self, refused: &HeaderMap) -> Result<HeaderMap, Error> {
        let current = self.client.cookie();
        let stale = refused.get(COOKIE).unwrap_or(&current);
        self.client.renewed(stale).await.map(headers)
    }

    /// The file's length in bytes.
    pub async fn length(&self) -> Result<u64, FileError> {
        let answer = self.request(Method::HEAD, HeaderMap::new()).await?;
        if let Some(length) = number(answer.headers().get(CONTENT_LENGTH)) {
            return Ok(length);
        }
        // A server that answers HEAD in chunks still names the whole in a range's answer.
        let first_byte = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=0-0"))]);
        let answer = self.request(Method::GET, first_byte).await?;
        let whole = answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()?.rsplit_once('/'));
        let length = whole.and_then(|(_, length)| length.parse().ok());
        length.ok_or_else(|| FileError::NoLength { path: self.path.clone() })
    }

    /// The whole of a small file such as a descriptor; one larger than `limit` bytes is an error.
    pub async fn read(&self, limit: usize) -> Result<Vec<u8>, FileError> {
        let mut answer = self.request(Method::GET, HeaderMap::new()).await?;
        let mut content = Vec::new();
        while let Some(chunk) = self.in_time(answer.chunk()).await? {
            if content.len() + chunk.len() > limit {
                return Err(FileError::TooLarge { path: self.path.clone(), limit });
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content)
    }

    async fn request(&self, method: Method, extra: HeaderMap) -> Result<Response, FileError> {
        let headers = self.headers();
        let answer = self.send(&method, &headers, &extra).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return self.judged(answer);
        }
        let renewed = self.renew(&headers).await.map_err(|error| self.broken(error))?;
        self.judged(self.send(&method, &renewed, &extra).await?)
    }

    async fn send(&self, method: &Method, session: &HeaderMap, extra: &HeaderMap) -> Result<Response, FileError> {
        let http = &self.client.transport().http;
        let request = http.request(method.clone(), self.url.clone()).headers(session.clone()).headers(extra.clone());
        self.in_time(request.send()).await
    }

    fn judged(&self, answer: Response) -> Result<Response, FileError> {
        let path = self.path.clone();
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(answer),
            StatusCode::NOT_FOUND => Err(FileError::NotFound { path }),
            other => Err(FileError::Refused { path, status: other.as_u16() }),
        }
    }

    async fn in_time<T>(&self, step: impl Future<Output = reqwest::Result<T>>) -> Result<T, FileError> {
        const METHOD: &str = "GET /folder";
        let transport = self.client.transport();
        match tokio::time::timeout(ANSWER, step).await {
            Ok(done) => done.map_err(|error| self.broken(transport.failure(METHOD, error))),
            Err(_) => {
                let host = transport.url.host().to_owned();
                Err(self.broken(Error::Timeout { host, method: METHOD, after: ANSWER }))
            }
        }
    }

    fn broken(&self, source: Error) -> FileError {
        FileError::Connection { path: self.path.clone(), source: Box::new(source) }
    }
}

fn headers(cookie: HeaderValue) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, cookie)])
}

fn number(header: Option<&HeaderValue>) -> Option<u64> {
    header?.to_str().ok()?.parse().ok()
}
