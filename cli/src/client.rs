//! Talks to the controller's and the inventory's HTTP API with the token of the context file. Turns every failure
//! into a text that says which address was asked and what to do.

mod error;
mod sse;

use std::path::PathBuf;
use std::time::Duration;

use futures::stream::BoxStream;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use trust::Secret;
use url::Url;

use crate::context::Context;

pub use error::ClientError;

/// How long a server on this machine may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long a stream may be silent: four times what the server's keep-alive takes.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// A client of one set of services.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    controller: Url,
    inventory: Option<Url>,
    token: Secret<String>,
    file: PathBuf,
}

impl Client {
    /// A client of what `context` names; `file` is where the context came from, for error texts.
    pub fn new(context: Context, file: PathBuf) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).read_timeout(SILENT_FOR).build()?;
        let Context { controller, inventory, token } = context;
        Ok(Self { http, controller, inventory, token, file })
    }

    /// Reads one object or list of the resource API. `path` begins with a slash.
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.call(&self.controller, Method::GET, path, None).await
    }

    /// Creates an object in the collection at `path`; answers with the object as stored.
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value, ClientError> {
        self.call(&self.controller, Method::POST, path, Some(object)).await
    }

    /// Replaces the object at `path`; it must carry the resource version it replaces.
    pub async fn replace(&self, path: &str, object: &Value) -> Result<Value, ClientError> {
        self.call(&self.controller, Method::PUT, path, Some(object)).await
    }

    /// Deletes the object at `path`.
    pub async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.call(&self.controller, Method::DELETE, path, None).await.map(drop)
    }

    /// Reads from the inventory service.
    pub async fn inventory(&self, path: &str) -> Result<Value, ClientError> {
        let Some(inventory) = &self.inventory else {
            return Err(ClientError::NoInventory { file: self.file.clone() });
        };
        self.call(inventory, Method::GET, path, None).await
    }

    /// The events of a collection: first all objects, then every change. Ends with the server or the connection.
    pub async fn watch(&self, path: &str) -> Result<BoxStream<'static, Result<Value, ClientError>>, ClientError> {
        let request = self.request(&self.controller, Method::GET, path).query(&[("watch", "true")]);
        let response = self.send(request, &self.controller).await?;
        Ok(sse::values(response, shown(&self.controller)))
    }

    fn request(&self, base: &Url, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", shown(base));
        self.http.request(method, url).bearer_auth(self.token.expose())
    }

    async fn call(&self, base: &Url, method: Method, path: &str, body: Option<&Value>) -> Result<Value, ClientError> {
        let mut request = self.request(base, method, path).timeout(ANSWER_WITHIN);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = self.send(request, base).await?;
        response.json().await.map_err(|source| ClientError::Answer { address: shown(base), source })
    }

    async fn send(&self, request: RequestBuilder, base: &Url) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|source| ClientError::Unreachable {
            address: shown(base),
            file: self.file.clone(),
            source: source.without_url(),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let message = error::message(&text, status);
        Err(match status {
            StatusCode::NOT_FOUND => ClientError::NotFound(message),
            StatusCode::CONFLICT => ClientError::Conflict(message),
            StatusCode::UNAUTHORIZED => {
                ClientError::Unauthorized { address: shown(base), file: self.file.clone(), message }
            }
            _ => ClientError::Refused(message),
        })
    }
}

/// An address as a person writes it.
fn shown(address: &Url) -> String {
    address.as_str().trim_end_matches('/').to_owned()
}
