//! Marks of what the bus doesn't know yet: one an object, the newest wins.

use contract::id::ProviderUid;
use sqlx::{SqliteConnection, SqlitePool};

use super::super::error::Attempt;
use super::super::{Error, Mark, Subject};
use super::Sqlite;
use crate::kind::{Key, Kind};

/// The kind under which the state of a provider is marked.
pub(super) const PROVIDER: &str = "provider";
/// After the tombstones (24 hours) and any message still under way.
const GRAVE_SECONDS: i64 = 7 * 24 * 3600;

/// Sets or replaces the mark of an object.
pub(super) async fn mark(
    connection: &mut SqliteConnection,
    provider: &ProviderUid,
    kind: &str,
    id: &str,
    n: i64,
    removed: bool,
) -> Result<(), Error> {
    sqlx::query("INSERT OR REPLACE INTO dirty (provider, kind, id, n, removed, blocked) VALUES (?, ?, ?, ?, ?, 0)")
        .bind(provider.as_str())
        .bind(kind)
        .bind(id)
        .bind(n)
        .bind(removed)
        .execute(connection)
        .await
        .attempt("marking an object as unsent")?;
    Ok(())
}

/// What is to be sent now. A provider that was never listed in full only tells its state: half an inventory would
/// be judged as if it were whole.
pub(super) async fn marks(store: &Sqlite, limit: u32) -> Result<Vec<Mark>, Error> {
    let rows: Vec<(String, String, String, i64, bool)> = sqlx::query_as(
        "SELECT provider, kind, id, n, removed FROM dirty
         WHERE blocked = 0 AND (kind = 'provider'
                                OR provider NOT IN (SELECT uid FROM provider WHERE synced = 0))
         ORDER BY kind = 'provider' DESC, provider, kind, id LIMIT ?",
    )
    .bind(limit)
    .fetch_all(&store.readers)
    .await
    .attempt("reading what is unsent")?;
    Ok(rows
        .into_iter()
        .filter_map(|(provider, kind, id, n, removed)| {
            let subject = match kind.as_str() {
                PROVIDER => Subject::Provider,
                kind => Subject::Object(Key::new(Kind::parse(kind)?, id)),
            };
            Some(Mark { provider: provider.into(), subject, revision: store.revision(n), removed })
        })
        .collect())
}

/// How many marks there are.
pub(super) async fn backlog(store: &Sqlite) -> Result<u64, Error> {
    let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM dirty")
        .fetch_one(&store.readers)
        .await
        .attempt("counting what is unsent")?;
    Ok(count.unsigned_abs())
}

/// Takes a mark away if it is still about the revision that was sent.
pub(super) async fn sent(store: &Sqlite, mark: &Mark) -> Result<(), Error> {
    on_mark(store, "DELETE FROM dirty WHERE provider = ? AND kind = ? AND id = ? AND n = ?", mark).await
}

/// Leaves a mark aside.
pub(super) async fn block(store: &Sqlite, mark: &Mark) -> Result<(), Error> {
    on_mark(store, "UPDATE dirty SET blocked = 1 WHERE provider = ? AND kind = ? AND id = ? AND n = ?", mark).await
}

async fn on_mark(store: &Sqlite, sql: &'static str, mark: &Mark) -> Result<(), Error> {
    let (kind, id) = match &mark.subject {
        Subject::Provider => (PROVIDER, mark.provider.as_str()),
        Subject::Object(key) => (key.kind.as_str(), key.id.as_str()),
    };
    sqlx::query(sql)
        .bind(mark.provider.as_str())
        .bind(kind)
        .bind(id)
        .bind(i64::try_from(mark.revision.n).unwrap_or(i64::MAX))
        .execute(&store.writer)
        .await
        .attempt("changing a mark")?;
    Ok(())
}

/// A new start tries again what could not be sent, and forgets removed objects whose tombstones are long gone.
pub(super) async fn unblock(writer: &SqlitePool) -> Result<(), Error> {
    sqlx::query("UPDATE dirty SET blocked = 0 WHERE blocked <> 0")
        .execute(writer)
        .await
        .attempt("freeing blocked marks")?;
    sqlx::query("DELETE FROM grave WHERE at < unixepoch() - ?")
        .bind(GRAVE_SECONDS)
        .execute(writer)
        .await
        .attempt("forgetting removed objects")?;
    Ok(())
}

/// Remembers which stream is written to; with another one than before, marks everything there is.
pub(super) async fn use_stream(store: &Sqlite, identity: &str) -> Result<bool, Error> {
    let mut transaction = store.begin().await?;
    let before: Option<(String,)> = sqlx::query_as("SELECT value FROM meta WHERE key = 'stream'")
        .fetch_optional(&mut *transaction)
        .await
        .attempt("reading which stream was written to")?;
    let other = before.is_some_and(|(before,)| before != identity);
    if other {
        for sql in [
            "INSERT OR REPLACE INTO dirty (provider, kind, id, n, removed, blocked)
             SELECT provider, kind, id, n, 0, 0 FROM object WHERE kind <> 'computeresource'",
            "INSERT OR REPLACE INTO dirty (provider, kind, id, n, removed, blocked)
             SELECT uid, 'provider', uid, n, 0, 0 FROM provider WHERE state IS NOT NULL",
        ] {
            sqlx::query(sql).execute(&mut *transaction).await.attempt("marking everything as unsent")?;
        }
    }
    sqlx::query("INSERT OR REPLACE INTO meta (key, value) VALUES ('stream', ?)")
        .bind(identity)
        .execute(&mut *transaction)
        .await
        .attempt("noting which stream is written to")?;
    transaction.commit().await.attempt("committing which stream is written to")?;
    Ok(other)
}
