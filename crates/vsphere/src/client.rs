//! One logged-in session with a vCenter or ESXi host, and the calls on it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;

use crate::service::{About, Service};
use crate::session::{self, Session};
use crate::soap::{CALL, Call, Transport, optional};
use crate::{Endpoint, Error, Fault, LoginError, MoRef, Value};

/// A session. Clones share it. It ends by [`Client::logout`]; if all clones are dropped without one, the server ends
/// it when it has been idle (30 minutes by default).
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    transport: Transport,
    service: Service,
    session: Session,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endpoint { url, user, .. } = &self.inner.endpoint;
        f.debug_struct("Client").field("url", &url.to_string()).field("user", user).finish_non_exhaustive()
    }
}

impl Client {
    /// Logs in: one attempt, with a certificate check by the endpoint's policy before the password is sent.
    pub async fn login(endpoint: &Endpoint) -> Result<Self, LoginError> {
        let tls = endpoint.tls.client()?;
        let transport = Transport::new(&endpoint.url, tls).map_err(|source| LoginError::Unreachable {
            host: endpoint.url.host().to_owned(),
            port: endpoint.url.port(),
            source,
        })?;
        let service = session::discover(endpoint, &transport).await?;
        let session = Session::new(session::log_in(endpoint, &transport, &service).await?);
        Ok(Self { inner: Arc::new(Inner { endpoint: endpoint.clone(), transport, service, session }) })
    }

    /// What the server says about itself.
    pub fn about(&self) -> &About {
        &self.inner.service.about
    }

    /// The folder above all datacenters.
    pub fn root_folder(&self) -> &MoRef {
        &self.inner.service.root_folder
    }

    /// SHA-1 of the certificate that the server showed last.
    pub fn fingerprint(&self) -> Option<trust::Fingerprint> {
        self.inner.transport.tls.presented()
    }

    /// The server's own clock, as it writes it. Keeps the session from going idle.
    pub async fn current_time(&self) -> Result<jiff::Timestamp, Error> {
        const METHOD: &str = "CurrentTime";
        let value = self.required(Call::new(METHOD, &Service::instance())).await?;
        value.as_time().ok_or(Error::Answer { method: METHOD, source: crate::ParseError::Lacks("a time") })
    }

    /// True if the session is alive. Opens no new one.
    pub async fn is_active(&self) -> Result<bool, Error> {
        // SessionIsActive needs a privilege that look-only users lack; any call that needs a session tells as much.
        match self.once(&Call::new("CurrentTime", &Service::instance()), CALL).await {
            Ok(_) => Ok(true),
            Err(Error::SessionLost) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Opens a new session if the one of now is lost. Views and watches of the old one stay lost.
    pub async fn renew(&self) -> Result<(), Error> {
        let stale = self.cookie();
        if self.is_active().await? {
            return Ok(());
        }
        self.renewed(&stale).await.map(drop)
    }

    /// Ends the session and forbids any further login through this client's clones. May be called twice.
    pub async fn logout(&self) -> Result<(), Error> {
        self.inner.session.end().await;
        let call = Call::new("Logout", &self.inner.service.session_manager);
        match self.once(&call, CALL).await {
            Ok(_) | Err(Error::SessionLost) => Ok(()),
            Err(other) => Err(other),
        }
    }

    pub(crate) fn service(&self) -> &Service {
        &self.inner.service
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.inner.transport
    }

    /// The `Cookie` header of now.
    pub(crate) fn cookie(&self) -> HeaderValue {
        self.inner.session.cookie()
    }

    /// A cookie that is not `stale`.
    pub(crate) async fn renewed(&self, stale: &HeaderValue) -> Result<HeaderValue, Error> {
        let Inner { endpoint, transport, service, session } = &*self.inner;
        session.renew(stale, endpoint, transport, service).await.map_err(|error| Error::Renewal(Box::new(error)))
    }

    /// A call in a session: a lost one is renewed once. The server did nothing when it said that the session is lost.
    pub(crate) async fn call(&self, call: Call) -> Result<Option<Value>, Error> {
        let cookie = self.cookie();
        match self.once(&call, CALL).await {
            Err(Error::SessionLost) => {
                self.renewed(&cookie).await?;
                self.once(&call, CALL).await
            }
            other => other,
        }
    }

    /// [`Client::call`] of a method that returns a value.
    pub(crate) async fn required(&self, call: Call) -> Result<Value, Error> {
        let method = call.method;
        let source = crate::ParseError::Lacks("returnval");
        self.call(call).await?.ok_or(Error::Answer { method, source })
    }

    /// A call bound to the session of now, as views and collectors are.
    pub(crate) async fn once(&self, call: &Call, limit: Duration) -> Result<Option<Value>, Error> {
        let Inner { transport, service, session, .. } = &*self.inner;
        match transport.send(call, &service.action(), Some(&session.cookie()), limit).await {
            Ok(reply) => Ok(optional(reply.response)),
            Err(Error::Refused { fault: Fault::NotAuthenticated, .. }) => Err(Error::SessionLost),
            Err(other) => Err(other),
        }
    }
}
