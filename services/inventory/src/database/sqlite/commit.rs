//! Transactions of a collection: a batch of changes, the begin of a listing and its end with the sweep.

use contract::id::ProviderUid;

use super::super::entry::mark_shared;
use super::super::error::Attempt;
use super::super::{Batch, Committed, Error};
use super::Sqlite;
use super::write::Work;
use crate::kind::{Key, Kind};

/// Takes the next number for a listing.
pub(super) async fn begin_listing(store: &Sqlite, provider: &ProviderUid) -> Result<i64, Error> {
    let row: Option<(i64,)> =
        sqlx::query_as("UPDATE provider SET listing = listing + 1 WHERE uid = ? RETURNING listing")
            .bind(provider.as_str())
            .fetch_optional(&store.writer)
            .await
            .attempt("beginning a listing")?;
    row.map(|(listing,)| listing).ok_or_else(|| Error::NoProvider(provider.to_string()))
}

/// Keeps a batch in one transaction.
pub(super) async fn batch(store: &Sqlite, provider: &ProviderUid, batch: &Batch) -> Result<Committed, Error> {
    let mut transaction = store.begin().await?;
    let mut work = Work::new(&mut transaction, provider, batch.listing);
    for key in &batch.gone {
        work.remove(key).await?;
    }
    write_entries(&mut work, batch).await?;
    for (key, path) in &batch.paths {
        work.rewrite(key, |document| {
            document.insert("path".to_owned(), path.as_str().into()).as_ref().and_then(|old| old.as_str())
                != Some(path.as_str())
        })
        .await?;
    }
    for key in &batch.seen {
        work.touch(key, None).await?;
    }
    let committed = finish(work).await?;
    transaction.commit().await.attempt("committing a batch")?;
    Ok(committed)
}

async fn write_entries(work: &mut Work<'_>, batch: &Batch) -> Result<(), Error> {
    for entry in batch.entries.iter().filter(|entry| entry.key.kind == Kind::Vm) {
        work.set_files(&entry.key.id, &entry.disk_files).await?;
    }
    for entry in &batch.entries {
        let mut document = entry.document.clone();
        if entry.key.kind == Kind::Vm {
            let shared = work.shared_of(&entry.disk_files).await?;
            mark_shared(&mut document, |file| shared.contains(file));
        }
        work.write(entry, &document).await?;
    }
    Ok(())
}

/// Removes what the listing did not see; from then on the provider's objects are sent.
pub(super) async fn complete_listing(store: &Sqlite, provider: &ProviderUid, listing: i64) -> Result<Committed, Error> {
    let mut transaction = store.begin().await?;
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT kind, id FROM object WHERE provider = ? AND seen <> ?")
        .bind(provider.as_str())
        .bind(listing)
        .fetch_all(&mut *transaction)
        .await
        .attempt("looking for objects that a listing did not see")?;
    let mut work = Work::new(&mut transaction, provider, listing);
    for key in rows.iter().filter_map(|(kind, id)| Some(Key::new(Kind::parse(kind)?, id))) {
        work.remove(&key).await?;
    }
    let committed = finish(work).await?;
    sqlx::query("UPDATE provider SET synced = 1 WHERE uid = ?")
        .bind(provider.as_str())
        .execute(&mut *transaction)
        .await
        .attempt("completing a listing")?;
    transaction.commit().await.attempt("committing the end of a listing")?;
    Ok(committed)
}

/// What follows from the changes made so far.
pub(super) async fn finish(mut work: Work<'_>) -> Result<Committed, Error> {
    work.mark_sharers().await?;
    work.raise_viewers().await?;
    Ok(Committed { raised: work.raised.len() as u64, removed: work.removed })
}
