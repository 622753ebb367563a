//! Carries one SOAP call over HTTPS: cookie, deadline, size limit, and errors by what went wrong where.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use trust::TlsClient;

use super::{Answer, Call, answer};
use crate::{Error, ParseError, SdkUrl, Value};

/// How long a TCP and TLS connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an ordinary call may take. Waiting for updates adds its own time.
pub(crate) const CALL: Duration = Duration::from_secs(60);
/// The largest answer taken into memory, far above a page of the property collector.
const ANSWER: usize = 256 * 1024 * 1024;
/// The action of the oldest release, understood by all.
pub(crate) const OLDEST_ACTION: &str = "urn:vim25/6.5";

const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");
const SESSION_COOKIE: &str = "vmware_soap_session=";

/// The connection to one server.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    pub(crate) url: SdkUrl,
    pub(crate) tls: TlsClient,
    pub(crate) http: reqwest::Client,
}

/// What a call brought back.
pub(crate) struct Reply {
    /// The response element.
    pub(crate) response: Value,
    /// The session cookie, where the server set one.
    pub(crate) cookie: Option<HeaderValue>,
}

impl Transport {
    pub(crate) fn new(url: &SdkUrl, tls: TlsClient) -> Result<Self, reqwest::Error> {
        // A redirect could carry the password elsewhere; a proxy from the environment is never meant for a vCenter.
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.config.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .build()?;
        Ok(Self { url: url.clone(), tls, http })
    }

    pub(crate) async fn send(
        &self,
        call: &Call,
        action: &str,
        cookie: Option<&HeaderValue>,
        limit: Duration,
    ) -> Result<Reply, Error> {
        let started = Instant::now();
        let reply = tokio::time::timeout(limit, self.exchange(call, action, cookie)).await;
        let reply = reply.unwrap_or_else(|_| {
            Err(Error::Timeout { host: self.url.host().to_owned(), method: call.method, after: limit })
        });
        let (method, object) = (call.method, &call.target);
        let milliseconds = started.elapsed().as_millis();
        tracing::debug!(host = self.url.host(), method, %object, milliseconds, ok = reply.is_ok(), "vsphere.call");
        reply
    }

    async fn exchange(&self, call: &Call, action: &str, cookie: Option<&HeaderValue>) -> Result<Reply, Error> {
        let method = call.method;
        let mut request = self
            .http
            .post(self.url.sdk().clone())
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .header(SOAP_ACTION, action)
            .body(call.envelope());
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        let response = request.send().await.map_err(|error| self.failure(method, error))?;
        let status = response.status().as_u16();
        let cookie = session_cookie(response.headers());
        // SOAP faults come with 500; everything else is not the vSphere API speaking.
        if !matches!(status, 200 | 500) {
            return Err(Error::Status { host: self.url.host().to_owned(), method, status });
        }
        let document = self.body(method, response).await?;
        match answer(&document) {
            Ok(Answer::Response(response)) => Ok(Reply { response, cookie }),
            Ok(Answer::Fault(fault)) => Err(Error::Refused { method, object: call.target.clone(), fault }),
            Err(_) if status == 500 => Err(Error::Status { host: self.url.host().to_owned(), method, status }),
            Err(source) => Err(Error::Answer { method, source }),
        }
    }

    async fn body(&self, method: &'static str, mut response: reqwest::Response) -> Result<String, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(method, error))? {
            if body.len() + chunk.len() > ANSWER {
                return Err(Error::TooLarge { method, limit: ANSWER });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    pub(crate) fn failure(&self, method: &'static str, error: reqwest::Error) -> Error {
        let host = self.url.host().to_owned();
        // The URL is in our own text, and it may name a datastore path.
        let source = error.without_url();
        if let Some(refusal) = certificate_refusal(&source) {
            return Error::Certificate { host, presented: self.tls.presented(), source: refusal };
        }
        if source.is_connect() {
            return Error::Unreachable { host, port: self.url.port(), source };
        }
        Error::Connection { host, method, source }
    }
}

/// Finds rustls' verdict on the certificate below an HTTP error.
fn certificate_refusal(error: &(dyn std::error::Error + 'static)) -> Option<rustls::Error> {
    if let Some(verdict @ rustls::Error::InvalidCertificate(_)) = error.downcast_ref::<rustls::Error>() {
        return Some(verdict.clone());
    }
    // io::Error's own source() skips the error that it wraps.
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => certificate_refusal(wrapped),
        None => error.source().and_then(certificate_refusal),
    }
}

/// The session cookie as the `Cookie` header that presents it, marked sensitive.
fn session_cookie(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get_all(SET_COOKIE).iter().rev().find_map(|set| {
        let pair = set.to_str().ok()?.split(';').next()?.trim();
        pair.strip_prefix(SESSION_COOKIE).filter(|value| !value.is_empty())?;
        let mut cookie = HeaderValue::from_str(pair).ok()?;
        cookie.set_sensitive(true);
        Some(cookie)
    })
}

/// The `returnval` of a response; an error names it as lacking.
pub(crate) fn returned(method: &'static str, response: Value) -> Result<Value, Error> {
    let source = ParseError::Lacks("returnval");
    optional(response).ok_or(Error::Answer { method, source })
}

/// The `returnval` of a response that may have none.
pub(crate) fn optional(response: Value) -> Option<Value> {
    response.into_fields().into_iter().find(|(name, _)| &**name == "returnval").map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_session_cookie_is_kept_and_never_shown() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("other=1; Path=/"));
        headers.append(SET_COOKIE, HeaderValue::from_static("vmware_soap_session=\"abc\"; Path=/; HttpOnly; Secure"));
        let cookie = session_cookie(&headers).unwrap();
        assert_eq!(cookie.to_str().unwrap(), "vmware_soap_session=\"abc\"");
        assert!(!format!("{cookie:?}").contains("abc"));
        headers.clear();
        headers.append(SET_COOKIE, HeaderValue::from_static("vmware_soap_session=; Max-Age=0"));
        assert!(session_cookie(&headers).is_none());
    }

    #[test]
    fn a_method_without_a_value_is_told_from_one_that_lacks_it() {
        assert_eq!(optional(Value::scalar("")), None);
        assert!(matches!(returned("Login", Value::scalar("")), Err(Error::Answer { method: "Login", .. })));
    }
}
