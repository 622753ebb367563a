//! Secrets as files: `<dir>/<namespace>/<name>.json`, names escaped, mode 0600 in folders of mode 0700. A file is
//! replaced whole or not at all, so that readers in other processes need no lock; there is one writing process.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::object::id;
use super::{SecretChanges, SecretObject, SecretStore, changes};
use crate::object::set_meta;
use crate::{Error, ObjectId};

/// Secrets under a folder.
pub(super) struct FileSecrets {
    dir: PathBuf,
    /// Held while a file is read, compared and replaced.
    writing: Arc<Mutex<()>>,
}

impl FileSecrets {
    pub fn open(dir: &Path) -> Result<Self, Error> {
        make_dir(dir)
            .map_err(|source| Error::Open { what: format!("folder {}", dir.display()), source: source.into() })?;
        Ok(Self { dir: dir.to_owned(), writing: Arc::default() })
    }
}

#[async_trait]
impl SecretStore for FileSecrets {
    async fn get(&self, namespace: &str, name: &str) -> Result<Option<SecretObject>, Error> {
        let (path, id) = (path(&self.dir, namespace, name), id(namespace, name));
        apart(&id.clone(), move || read(&path, &id)).await
    }

    async fn put(&self, secret: SecretObject) -> Result<SecretObject, Error> {
        let id = secret.id();
        let dir = self.dir.clone();
        let _writing = self.writing.lock().await;
        apart(&id.clone(), move || put(&dir, secret, jiff::Timestamp::now())).await
    }

    async fn delete(&self, namespace: &str, name: &str) -> Result<(), Error> {
        let (path, id) = (path(&self.dir, namespace, name), id(namespace, name));
        let _writing = self.writing.lock().await;
        apart(&id.clone(), move || match fs::remove_file(&path).and_then(|()| sync_parent(&path)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotFound { object: id }),
            Err(error) => Err(Error::Write { what: id.to_string(), source: error.into() }),
        })
        .await
    }

    async fn list(&self, namespace: Option<&str>) -> Result<Vec<(String, String)>, Error> {
        let (dir, namespace) = (self.dir.clone(), namespace.map(ToOwned::to_owned));
        let id = id(namespace.as_deref().unwrap_or("*"), "*");
        apart(&id.clone(), move || {
            let found = changes::scan(&dir).map_err(|e| Error::Read { what: id.to_string(), source: e.into() })?;
            Ok(found.into_keys().filter(|(ns, _)| namespace.as_ref().is_none_or(|wanted| wanted == ns)).collect())
        })
        .await
    }

    fn changes(&self) -> SecretChanges {
        changes::watch(self.dir.clone())
    }
}

/// Runs blocking file work off the asynchronous threads.
async fn apart<T: Send + 'static>(
    id: &ObjectId,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|source| Err(Error::Read { what: id.to_string(), source: source.into() }))
}

/// Idempotent: a second call with the same content writes nothing.
fn put(dir: &Path, mut secret: SecretObject, now: jiff::Timestamp) -> Result<SecretObject, Error> {
    let id = secret.id();
    let path = path(dir, &id.namespace, &id.name);
    let old = read(&path, &id)?;
    let found = old.as_ref().map_or("", SecretObject::resource_version);
    let wanted = secret.resource_version();
    if !wanted.is_empty() && wanted != found {
        let cause = format!("it has resourceVersion `{found}` now, not `{wanted}`");
        return Err(Error::Conflict { object: id, cause });
    }
    if let Some(old) = &old
        && old.says_the_same(&secret)
    {
        return Ok(old.clone());
    }
    let before: i64 = found.parse().unwrap_or(0);
    let meta = &mut secret.metadata;
    meta.resource_version = Some(now.as_microsecond().max(before + 1).to_string());
    meta.uid =
        Some(old.as_ref().and_then(|o| o.metadata.uid.clone()).unwrap_or_else(|| uuid::Uuid::new_v4().to_string()));
    let whole_seconds = jiff::Timestamp::from_second(now.as_second()).unwrap_or(now);
    let created = old.and_then(|o| o.metadata.creation_timestamp);
    meta.creation_timestamp = created.or(Some(forklift_api::Time(whole_seconds)));
    meta.managed_fields = None;
    write(&path, &secret).map_err(|source| Error::Write { what: id.to_string(), source: source.into() })?;
    Ok(secret)
}

fn read(path: &Path, id: &ObjectId) -> Result<Option<SecretObject>, Error> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::Read { what: id.to_string(), source: error.into() }),
    };
    let manifest: Value =
        serde_json::from_slice(&bytes).map_err(|source| Error::Decode { object: id.clone(), source })?;
    SecretObject::from_manifest(&manifest).map(Some)
}

/// Writes a new file beside the old one and puts it in its place, both durably.
fn write(path: &Path, secret: &SecretObject) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
        sync_parent(parent)?;
    }
    let temporary = path.with_extension("tmp");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(&file_form(secret)?)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    sync_parent(path)
}

fn file_form(secret: &SecretObject) -> io::Result<Vec<u8>> {
    let data: Map<String, Value> =
        secret.data.iter().map(|(key, value)| (key.clone(), json!(STANDARD.encode(value.expose())))).collect();
    let mut manifest = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": secret.metadata, "data": data });
    if let (Some(fields), Some(type_)) = (manifest.as_object_mut(), &secret.type_) {
        fields.insert("type".to_owned(), json!(type_));
    }
    set_meta(&mut manifest, "name", secret.name());
    Ok(serde_json::to_vec_pretty(&manifest)?)
}

fn make_dir(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
}

fn path(dir: &Path, namespace: &str, name: &str) -> PathBuf {
    dir.join(changes::escape(namespace)).join(format!("{}.json", changes::escape(name)))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
