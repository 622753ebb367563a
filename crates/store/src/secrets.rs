//! Credentials behind one front. On one machine each Secret is a file of mode 0600; nothing of one is ever on the
//! bus. Only the controller writes, every service may read.

mod changes;
mod file;
mod manifest;
mod object;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::Error;
pub use object::SecretObject;

/// The items of [`Secrets::changes`]; it never ends.
pub type SecretChanges = BoxStream<'static, Result<SecretChange, Error>>;

/// What happened to a Secret. Its content has to be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretChange {
    /// It is there: when watching begins, and whenever its content changed.
    Changed {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// It is gone.
    Removed {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// What keeps Secrets.
#[async_trait]
pub trait SecretStore: Send + Sync + 'static {
    /// The Secret, if it is there.
    async fn get(&self, namespace: &str, name: &str) -> Result<Option<SecretObject>, Error>;

    /// Makes or replaces a Secret. With a resourceVersion it must be the present one. The resourceVersion changes
    /// only when the content does; it never comes back, not even after a removal.
    async fn put(&self, secret: SecretObject) -> Result<SecretObject, Error>;

    /// Removes a Secret.
    async fn delete(&self, namespace: &str, name: &str) -> Result<(), Error>;

    /// Names of all Secrets, as (namespace, name), sorted.
    async fn list(&self, namespace: Option<&str>) -> Result<Vec<(String, String)>, Error>;

    /// All changes, beginning with what is there.
    fn changes(&self) -> SecretChanges;
}

/// Secrets, wherever they are kept. Clones share one store.
#[derive(Clone)]
pub struct Secrets {
    store: Arc<dyn SecretStore>,
}

impl Secrets {
    /// Secrets as files under `dir`, which is made (0700) if it is absent.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Ok(Self::new(file::FileSecrets::open(dir)?))
    }

    /// Secrets in any store.
    pub fn new(store: impl SecretStore) -> Self {
        Self { store: Arc::new(store) }
    }

    /// The Secret, if it is there.
    pub async fn get(&self, namespace: &str, name: &str) -> Result<Option<SecretObject>, Error> {
        self.store.get(namespace, name).await
    }

    /// Makes or replaces a Secret; see [`SecretStore::put`].
    pub async fn put(&self, secret: SecretObject) -> Result<SecretObject, Error> {
        self.store.put(secret).await
    }

    /// Removes a Secret.
    pub async fn delete(&self, namespace: &str, name: &str) -> Result<(), Error> {
        self.store.delete(namespace, name).await
    }

    /// Names of all Secrets, as (namespace, name), sorted.
    pub async fn list(&self, namespace: Option<&str>) -> Result<Vec<(String, String)>, Error> {
        self.store.list(namespace).await
    }

    /// All changes, beginning with what is there.
    pub fn changes(&self) -> SecretChanges {
        self.store.changes()
    }
}
