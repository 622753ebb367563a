//! Single rows inside a transaction: an object with its revision and mark, a removal with its tombstone mark.

use std::collections::BTreeSet;

use contract::id::ProviderUid;
use serde_json::{Map, Value};
use sqlx::SqliteConnection;

use super::super::error::Attempt;
use super::super::{Entry, Error};
use crate::kind::{Key, Kind};

/// A transaction on the objects of one provider, and what it did so far.
pub(super) struct Work<'a> {
    pub connection: &'a mut SqliteConnection,
    pub provider: &'a ProviderUid,
    pub listing: i64,
    /// Objects whose revision was raised.
    pub raised: BTreeSet<Key>,
    /// Objects whose projection is not what it was.
    pub projected: BTreeSet<Key>,
    /// Disk files whose set of VMs changed.
    pub files: BTreeSet<String>,
    /// Number of removals.
    pub removed: u64,
}

/// A row as it was before the transaction.
pub(super) struct Before {
    pub document: Map<String, Value>,
    pub volatile: String,
    pub projection: Option<Value>,
}

impl<'a> Work<'a> {
    pub fn new(connection: &'a mut SqliteConnection, provider: &'a ProviderUid, listing: i64) -> Self {
        Self {
            connection,
            provider,
            listing,
            raised: BTreeSet::new(),
            projected: BTreeSet::new(),
            files: BTreeSet::new(),
            removed: 0,
        }
    }

    /// The row of an object.
    pub async fn before(&mut self, key: &Key) -> Result<Option<Before>, Error> {
        let row: Option<(String, String, Option<String>)> = sqlx::query_as(
            "SELECT document, volatile, projection FROM object WHERE provider = ? AND kind = ? AND id = ?",
        )
        .bind(self.provider.as_str())
        .bind(key.kind.as_str())
        .bind(&key.id)
        .fetch_optional(&mut *self.connection)
        .await
        .attempt("reading an object")?;
        let unreadable = |source| Error::Row { what: key.to_string(), source };
        row.map(|(document, volatile, projection)| {
            Ok(Before {
                document: serde_json::from_str(&document).map_err(unreadable)?,
                volatile,
                projection: projection.map(|text| serde_json::from_str(&text)).transpose().map_err(unreadable)?,
            })
        })
        .transpose()
    }

    /// Writes an object; raises its revision and marks it when its document differs.
    pub async fn write(&mut self, entry: &Entry, document: &Map<String, Value>) -> Result<(), Error> {
        let before = self.before(&entry.key).await?;
        let volatile = Value::Object(entry.volatile.clone()).to_string();
        if before.as_ref().is_none_or(|before| before.projection != entry.projection) {
            self.projected.insert(entry.key.clone());
        }
        match before {
            None => self.insert(entry, document, &volatile).await?,
            Some(before) if before.document == *document && before.projection == entry.projection => {
                self.touch(&entry.key, (before.volatile != volatile).then_some(&volatile)).await?;
                return Ok(());
            }
            Some(_) => self.replace(entry, document, &volatile).await?,
        }
        self.set_shows(&entry.key, &entry.shows).await?;
        self.raise(&entry.key).await
    }

    async fn insert(&mut self, entry: &Entry, document: &Map<String, Value>, volatile: &str) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO object (provider, kind, id, name, path, parent, document, volatile, projection, seen, n)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                     COALESCE((SELECT n FROM grave WHERE provider = ?1 AND kind = ?2 AND id = ?3), 0))",
        )
        .bind(self.provider.as_str())
        .bind(entry.key.kind.as_str())
        .bind(&entry.key.id)
        .bind(&entry.name)
        .bind(&entry.path)
        .bind(&entry.parent)
        .bind(Value::Object(document.clone()).to_string())
        .bind(volatile)
        .bind(entry.projection.as_ref().map(Value::to_string))
        .bind(self.listing)
        .execute(&mut *self.connection)
        .await
        .attempt("adding an object")?;
        Ok(())
    }

    async fn replace(&mut self, entry: &Entry, document: &Map<String, Value>, volatile: &str) -> Result<(), Error> {
        sqlx::query(
            "UPDATE object SET name = ?4, path = ?5, parent = ?6, document = ?7, volatile = ?8, projection = ?9,
                    seen = ?10 WHERE provider = ?1 AND kind = ?2 AND id = ?3",
        )
        .bind(self.provider.as_str())
        .bind(entry.key.kind.as_str())
        .bind(&entry.key.id)
        .bind(&entry.name)
        .bind(&entry.path)
        .bind(&entry.parent)
        .bind(Value::Object(document.clone()).to_string())
        .bind(volatile)
        .bind(entry.projection.as_ref().map(Value::to_string))
        .bind(self.listing)
        .execute(&mut *self.connection)
        .await
        .attempt("changing an object")?;
        Ok(())
    }

    /// Notes that an object is still there, with new volatile fields if there are any.
    pub async fn touch(&mut self, key: &Key, volatile: Option<&String>) -> Result<(), Error> {
        sqlx::query(
            "UPDATE object SET seen = ?4, volatile = COALESCE(?5, volatile)
             WHERE provider = ?1 AND kind = ?2 AND id = ?3 AND (seen <> ?4 OR ?5 IS NOT NULL)",
        )
        .bind(self.provider.as_str())
        .bind(key.kind.as_str())
        .bind(&key.id)
        .bind(self.listing)
        .bind(volatile)
        .execute(&mut *self.connection)
        .await
        .attempt("noting an object as seen")?;
        Ok(())
    }

    /// Changes the document of an object that the collector did not send; a new path goes to its column, too.
    pub async fn rewrite(
        &mut self,
        key: &Key,
        change: impl FnOnce(&mut Map<String, Value>) -> bool,
    ) -> Result<(), Error> {
        let Some(mut before) = self.before(key).await? else { return Ok(()) };
        if !change(&mut before.document) {
            return Ok(());
        }
        let path = before.document.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
        sqlx::query("UPDATE object SET document = ?4, path = ?5 WHERE provider = ?1 AND kind = ?2 AND id = ?3")
            .bind(self.provider.as_str())
            .bind(key.kind.as_str())
            .bind(&key.id)
            .bind(Value::Object(before.document).to_string())
            .bind(path)
            .execute(&mut *self.connection)
            .await
            .attempt("changing an object")?;
        self.raise(key).await
    }

    /// Raises the revision of an object, once a transaction, and marks it.
    pub async fn raise(&mut self, key: &Key) -> Result<(), Error> {
        if !self.raised.insert(key.clone()) {
            return Ok(());
        }
        let n: Option<(i64,)> =
            sqlx::query_as("UPDATE object SET n = n + 1 WHERE provider = ? AND kind = ? AND id = ? RETURNING n")
                .bind(self.provider.as_str())
                .bind(key.kind.as_str())
                .bind(&key.id)
                .fetch_optional(&mut *self.connection)
                .await
                .attempt("raising a revision")?;
        match n {
            Some((n,)) => self.mark(key, n, false).await,
            None => Ok(()),
        }
    }

    async fn mark(&mut self, key: &Key, n: i64, removed: bool) -> Result<(), Error> {
        if !key.kind.is_published() {
            return Ok(());
        }
        super::dirty::mark(&mut *self.connection, self.provider, key.kind.as_str(), &key.id, n, removed).await
    }

    async fn set_shows(&mut self, key: &Key, shows: &[Key]) -> Result<(), Error> {
        self.forget("DELETE FROM shows WHERE provider = ? AND kind = ? AND id = ?", key).await?;
        for shown in shows {
            sqlx::query("INSERT INTO shows (provider, kind, id, shown_kind, shown_id) VALUES (?, ?, ?, ?, ?)")
                .bind(self.provider.as_str())
                .bind(key.kind.as_str())
                .bind(&key.id)
                .bind(shown.kind.as_str())
                .bind(&shown.id)
                .execute(&mut *self.connection)
                .await
                .attempt("noting what an object shows")?;
        }
        Ok(())
    }

    async fn forget(&mut self, sql: &'static str, key: &Key) -> Result<(), Error> {
        sqlx::query(sql)
            .bind(self.provider.as_str())
            .bind(key.kind.as_str())
            .bind(&key.id)
            .execute(&mut *self.connection)
            .await
            .attempt("removing what belongs to an object")?;
        Ok(())
    }

    /// Removes an object and marks its tombstone; nothing if it isn't there.
    pub async fn remove(&mut self, key: &Key) -> Result<(), Error> {
        let row: Option<(i64, Option<String>)> =
            sqlx::query_as("DELETE FROM object WHERE provider = ? AND kind = ? AND id = ? RETURNING n + 1, projection")
                .bind(self.provider.as_str())
                .bind(key.kind.as_str())
                .bind(&key.id)
                .fetch_optional(&mut *self.connection)
                .await
                .attempt("removing an object")?;
        let Some((n, projection)) = row else { return Ok(()) };
        self.forget("DELETE FROM shows WHERE provider = ? AND kind = ? AND id = ?", key).await?;
        if key.kind == Kind::Vm {
            self.set_files(&key.id, &[]).await?;
        }
        sqlx::query("INSERT OR REPLACE INTO grave (provider, kind, id, n, at) VALUES (?, ?, ?, ?, unixepoch())")
            .bind(self.provider.as_str())
            .bind(key.kind.as_str())
            .bind(&key.id)
            .bind(n)
            .execute(&mut *self.connection)
            .await
            .attempt("keeping the last revision of a removed object")?;
        if projection.is_some() {
            self.projected.insert(key.clone());
        }
        self.raised.insert(key.clone());
        self.removed += 1;
        self.mark(key, n, true).await
    }
}
