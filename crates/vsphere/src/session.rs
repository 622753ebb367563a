//! The login session: its cookie, and its renewal by one task at a time.
//!
//! After the server refused user or password, or after a logout, a session is never opened again.

use std::sync::{Mutex, PoisonError};

use reqwest::header::HeaderValue;
use tokio::sync::Mutex as AsyncMutex;

use crate::service::Service;
use crate::soap::{CALL, Call, OLDEST_ACTION, Reply, Transport, returned};
use crate::{Endpoint, Error, LoginError};

/// One client's session.
#[derive(Debug)]
pub(crate) struct Session {
    cookie: Mutex<HeaderValue>,
    gate: AsyncMutex<Gate>,
}

/// Whether a new session may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    /// The server refused user or password.
    Refused,
    /// Logged out on purpose.
    Ended,
}

impl Session {
    pub(crate) fn new(cookie: HeaderValue) -> Self {
        Self { cookie: Mutex::new(cookie), gate: AsyncMutex::new(Gate::Open) }
    }

    /// The `Cookie` header of now.
    pub(crate) fn cookie(&self) -> HeaderValue {
        self.cookie.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A cookie other than `stale`: the one that another task got meanwhile, or that of a new login.
    pub(crate) async fn renew(
        &self,
        stale: &HeaderValue,
        endpoint: &Endpoint,
        transport: &Transport,
        service: &Service,
    ) -> Result<HeaderValue, LoginError> {
        let mut gate = self.gate.lock().await;
        let current = self.cookie();
        match *gate {
            Gate::Ended => return Err(LoginError::Ended),
            Gate::Refused => return Err(refused(endpoint)),
            Gate::Open if current != *stale => return Ok(current),
            Gate::Open => {}
        }
        tracing::info!(host = endpoint.url.host(), user = endpoint.user, "vsphere.session.renewed");
        let renewed = log_in(endpoint, transport, service).await;
        if let Err(LoginError::InvalidCredentials { .. }) = renewed {
            *gate = Gate::Refused;
        }
        let cookie = renewed?;
        *self.cookie.lock().unwrap_or_else(PoisonError::into_inner) = cookie.clone();
        Ok(cookie)
    }

    /// Forbids any further login.
    pub(crate) async fn end(&self) {
        *self.gate.lock().await = Gate::Ended;
    }
}

fn refused(endpoint: &Endpoint) -> LoginError {
    LoginError::InvalidCredentials { host: endpoint.url.host().to_owned(), user: endpoint.user.clone() }
}

/// Asks what answers there. Needs no session.
pub(crate) async fn discover(endpoint: &Endpoint, transport: &Transport) -> Result<Service, LoginError> {
    const METHOD: &str = "RetrieveServiceContent";
    let call = Call::new(METHOD, &Service::instance());
    let content = transport.send(&call, OLDEST_ACTION, None, CALL).await.and_then(|reply| {
        let content = returned(METHOD, reply.response)?;
        Service::from_value(&content).map_err(|source| Error::Answer { method: METHOD, source })
    });
    let service = content.map_err(|error| LoginError::from_call(error, endpoint, &transport.tls))?;
    if !service.is_supported() {
        let host = endpoint.url.host().to_owned();
        return Err(LoginError::TooOld { host, version: service.about.api_version });
    }
    Ok(service)
}

/// One login, one attempt.
pub(crate) async fn log_in(
    endpoint: &Endpoint,
    transport: &Transport,
    service: &Service,
) -> Result<HeaderValue, LoginError> {
    let call = Call::new("Login", &service.session_manager).with(|arguments| {
        arguments.text("userName", &endpoint.user).text("password", endpoint.password.expose());
    });
    let reply = transport.send(&call, &service.action(), None, CALL).await;
    let Reply { cookie, .. } = reply.map_err(|error| LoginError::from_call(error, endpoint, &transport.tls))?;
    cookie.ok_or_else(|| LoginError::NotAVCenter {
        url: endpoint.url.to_string(),
        found: "a login without a session cookie".to_owned(),
    })
}
