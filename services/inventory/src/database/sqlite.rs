//! The inventory in one SQLite file: write-ahead log, synchronised at every commit, one writer and several readers.
//! A new file is a new epoch.

mod commit;
mod dirty;
mod project;
mod provider;
mod read;
mod write;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use contract::id::ProviderUid;
use contract::inventory::ProviderState;
use contract::revision::Revision;
use serde_json::Value;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::error::Attempt;
use super::{
    Batch, Committed, Error, InventoryStore, KnownProvider, Mark, Node, Object, Page, ProviderRow, Shown, StateChange,
};
use crate::kind::{Key, Kind};

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An open SQLite inventory.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
    epoch: u64,
}

impl Sqlite {
    /// Opens the file and brings its tables to this version; makes it, with a new epoch, if it isn't there.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Open { path: path.to_owned(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(failed)?;
        sqlx::migrate!("./migrations")
            .run(&writer)
            .await
            .map_err(|source| Error::Migrate { path: path.to_owned(), source })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(failed)?;
        let epoch = epoch(&writer).await?;
        dirty::unblock(&writer).await?;
        Ok(Self { writer, readers, epoch })
    }

    /// Ends all work on the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// The life of this file: seconds since 1970 at which it was made.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    fn revision(&self, n: i64) -> Revision {
        Revision { epoch: self.epoch, n: n.unsigned_abs() }
    }

    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.attempt("beginning a change")
    }
}

async fn epoch(writer: &SqlitePool) -> Result<u64, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    sqlx::query("INSERT INTO meta (key, value) VALUES ('epoch', ?) ON CONFLICT DO NOTHING")
        .bind(now.to_string())
        .execute(writer)
        .await
        .attempt("making an epoch")?;
    let (text,): (String,) = sqlx::query_as("SELECT value FROM meta WHERE key = 'epoch'")
        .fetch_one(writer)
        .await
        .attempt("reading the epoch")?;
    serde_json::from_str(&text).map_err(|source| Error::Row { what: "the epoch".to_owned(), source })
}

#[async_trait]
impl InventoryStore for Sqlite {
    async fn put_provider(&self, row: &ProviderRow) -> Result<(), Error> {
        provider::put(self, row).await
    }

    async fn drop_provider(&self, provider: &ProviderUid) -> Result<(), Error> {
        provider::remove(self, provider).await
    }

    async fn providers(&self) -> Result<Vec<KnownProvider>, Error> {
        provider::all(self).await
    }

    async fn provider(&self, provider: &ProviderUid) -> Result<Option<KnownProvider>, Error> {
        provider::one(self, provider).await
    }

    async fn set_state(&self, provider: &ProviderUid, change: &StateChange) -> Result<ProviderState, Error> {
        provider::set_state(self, provider, change).await
    }

    async fn begin_listing(&self, provider: &ProviderUid) -> Result<i64, Error> {
        commit::begin_listing(self, provider).await
    }

    async fn commit(&self, provider: &ProviderUid, batch: &Batch) -> Result<Committed, Error> {
        commit::batch(self, provider, batch).await
    }

    async fn complete_listing(&self, provider: &ProviderUid, listing: i64) -> Result<Committed, Error> {
        commit::complete_listing(self, provider, listing).await
    }

    async fn documents(&self, provider: &ProviderUid, keys: &[Key]) -> Result<HashMap<Key, Value>, Error> {
        read::documents(self, provider, keys).await
    }

    async fn nodes(&self, provider: &ProviderUid) -> Result<Vec<Node>, Error> {
        read::nodes(self, provider).await
    }

    async fn object(&self, provider: &ProviderUid, key: &Key) -> Result<Option<Object>, Error> {
        Ok(read::shown(self, provider, key).await?.map(|shown| shown.object))
    }

    async fn objects(&self, provider: &ProviderUid, kind: Kind, page: &Page) -> Result<Vec<Object>, Error> {
        read::objects(self, provider, kind, page).await
    }

    async fn shown(&self, provider: &ProviderUid, key: &Key) -> Result<Option<Shown>, Error> {
        read::shown(self, provider, key).await
    }

    async fn marks(&self, limit: u32) -> Result<Vec<Mark>, Error> {
        dirty::marks(self, limit).await
    }

    async fn backlog(&self) -> Result<u64, Error> {
        dirty::backlog(self).await
    }

    async fn sent(&self, mark: &Mark) -> Result<(), Error> {
        dirty::sent(self, mark).await
    }

    async fn block(&self, mark: &Mark) -> Result<(), Error> {
        dirty::block(self, mark).await
    }

    async fn use_stream(&self, identity: &str) -> Result<bool, Error> {
        dirty::use_stream(self, identity).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_commit_is_on_the_disk_and_readers_can_not_write() {
        let dir = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&dir.path().join("inventory.db")).await.unwrap();
        let (journal,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(&store.writer).await.unwrap();
        let (synchronous,): (i64,) = sqlx::query_as("PRAGMA synchronous").fetch_one(&store.writer).await.unwrap();
        assert_eq!((journal.as_str(), synchronous), ("wal", 2));
        sqlx::query("DELETE FROM meta").execute(&store.readers).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("inventory.db");
        std::fs::write(&path, "not a database, but long enough to be taken for one: ".repeat(99)).unwrap();
        let error = Sqlite::open(&path).await.unwrap_err();
        assert!(error.to_string().contains("inventory.db"), "{error}");
    }
}
