//! A file behind an HTTP server that answers ranges, such as a vCenter's datastore browser. Several connections
//! of HTTP/1.1 are used at once. What a server can do wrong is a typed fault; only what may pass (resets, stalls,
//! 5xx) is tried again, a bounded number of times. It follows no redirect and uses no proxy: the session's cookie
//! goes to this server only.

mod answer;
#[cfg(test)]
mod double;
mod retry;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, RANGE};
use tokio::sync::Semaphore;
use url::Url;

use super::{Source, SourceError, SourceFault};
use crate::extent::Extent;
use answer::{Asked, Failure};
use session::Session;

pub use retry::RetryPolicy;
pub use session::Renew;

/// How to reach a file.
pub struct HttpOptions {
    /// What errors call it, such as `[datastore] folder/disk-flat.vmdk`.
    pub object: String,
    /// Its address, percent-encoded.
    pub url: Url,
    /// Headers of each request; the login is among them.
    pub headers: HeaderMap,
    /// How the server's certificate is checked.
    pub tls: rustls::ClientConfig,
    /// Makes fresh headers when the server answers 401; `None`: a 401 is final.
    pub renew: Option<Arc<dyn Renew>>,
    /// Bounds the requests in flight, over all sources that share it.
    pub limit: Arc<Semaphore>,
    /// No byte for this long counts as a stall, and the read is tried again.
    pub stall: Duration,
    /// How often and when a read is tried again.
    pub retry: RetryPolicy,
}

/// An open file behind HTTP.
pub struct HttpSource {
    object: String,
    url: Url,
    client: reqwest::Client,
    session: Session,
    limit: Arc<Semaphore>,
    retry: RetryPolicy,
    length: u64,
}

impl HttpOptions {
    /// Options with the usual patience: 8 requests at once, 30 s without a byte is a stall.
    pub fn new(object: impl Into<String>, url: Url, headers: HeaderMap, tls: rustls::ClientConfig) -> Self {
        Self {
            object: object.into(),
            url,
            headers,
            tls,
            renew: None,
            limit: Arc::new(Semaphore::new(8)),
            stall: Duration::from_secs(30),
            retry: RetryPolicy::default(),
        }
    }
}

impl HttpSource {
    /// Asks for the first byte: so the login, the ranges and the length are known before anything is copied.
    pub async fn open(options: HttpOptions) -> Result<Self, SourceError> {
        let HttpOptions { object, url, headers, mut tls, renew, limit, stall, retry } = options;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(stall)
            .read_timeout(stall)
            .build();
        let client = match client {
            Ok(client) => client,
            Err(error) => return Err(SourceError { object, fault: SourceFault::Client(error) }),
        };
        let session = Session::new(headers, renew);
        let mut source = Self { object, url, client, session, limit, retry, length: 0 };
        let opened = source.fetch(Asked::First).await;
        (source.length, _) = opened.map_err(|fault| source.error(fault))?;
        Ok(source)
    }

    /// Repeats one request until it is answered or not worth repeating.
    async fn fetch(&self, asked: Asked) -> Result<(u64, Bytes), SourceFault> {
        let (mut failures, mut renewed) = (0, false);
        loop {
            let login = self.session.current().await;
            let failure = match self.attempt(&login.headers, asked).await {
                Ok(answer) => {
                    login.accepted();
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            match failure {
                Failure::Unauthorized if renewed => return Err(SourceFault::Unauthorized),
                Failure::Unauthorized => {
                    renewed = true;
                    self.session.renew(&login).await?;
                }
                Failure::Final(fault) => return Err(fault),
                Failure::Passing(passing) => {
                    failures += 1;
                    let Some(pause) = self.retry.pause(failures) else { return Err(passing.after(failures)) };
                    tracing::debug!(object = %self.object, failures, %passing, "source.retry");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// One request and its whole answer.
    async fn attempt(&self, headers: &HeaderMap, asked: Asked) -> Result<(u64, Bytes), Failure> {
        let Ok(_permit) = self.limit.acquire().await else { return Err(Failure::closed()) };
        let request = self.client.get(self.url.clone()).headers(headers.clone());
        let request = request.header(RANGE, asked.range()).header(ACCEPT_ENCODING, "identity");
        let mut response = request.send().await.map_err(Failure::transport)?;
        let total = answer::check(response.status(), response.headers(), asked)?;
        if total == 0 {
            return Ok((0, Bytes::new()));
        }
        let wanted = asked.length();
        let mut body = BytesMut::with_capacity(wanted);
        while let Some(part) = response.chunk().await.map_err(Failure::transport)? {
            if body.len() + part.len() > wanted {
                return Err(Failure::Final(SourceFault::Long { asked: wanted }));
            }
            body.extend_from_slice(&part);
        }
        if body.len() < wanted {
            return Err(Failure::Final(SourceFault::Short { asked: wanted, got: body.len() }));
        }
        Ok((total, body.freeze()))
    }

    fn error(&self, fault: SourceFault) -> SourceError {
        SourceError { object: self.object.clone(), fault }
    }
}

#[async_trait]
impl Source for HttpSource {
    fn length(&self) -> u64 {
        self.length
    }

    /// HTTP says nothing of holes.
    async fn extents(&self) -> Result<Vec<Extent>, SourceError> {
        Ok(Vec::new())
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, SourceError> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        let asked = Asked::Bytes { offset, length, total: self.length };
        self.fetch(asked).await.map(|(_, bytes)| bytes).map_err(|fault| self.error(fault))
    }
}
