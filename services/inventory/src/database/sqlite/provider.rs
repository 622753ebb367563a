//! Rows of providers: what they are, and how their collection stands.

use std::collections::BTreeMap;

use contract::id::ProviderUid;
use contract::inventory::ProviderState;
use sqlx::SqliteConnection;

use super::super::error::Attempt;
use super::super::{Error, KnownProvider, ProviderRow, StateChange};
use super::Sqlite;
use super::commit::finish;
use super::write::Work;
use crate::kind::{Key, Kind};

type Row = (String, String, String, String, String, bool, Option<String>);

/// Takes a provider in, or its newest resource.
pub(super) async fn put(store: &Sqlite, row: &ProviderRow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO provider (uid, type, namespace, name, resource) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (uid) DO UPDATE SET type = ?2, namespace = ?3, name = ?4, resource = ?5",
    )
    .bind(row.uid.as_str())
    .bind(&row.kind)
    .bind(&row.namespace)
    .bind(&row.name)
    .bind(row.resource.to_string())
    .execute(&store.writer)
    .await
    .attempt("writing a provider")?;
    Ok(())
}

/// Removes a provider with its objects; each leaves a tombstone mark, and so does its state.
pub(super) async fn remove(store: &Sqlite, provider: &ProviderUid) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT kind, id FROM object WHERE provider = ?")
        .bind(provider.as_str())
        .fetch_all(&mut *transaction)
        .await
        .attempt("reading a provider's objects")?;
    let mut work = Work::new(&mut transaction, provider, 0);
    for key in rows.iter().filter_map(|(kind, id)| Some(Key::new(Kind::parse(kind)?, id))) {
        work.remove(&key).await?;
    }
    finish(work).await?;
    let n: Option<(i64,)> = sqlx::query_as("DELETE FROM provider WHERE uid = ? RETURNING n + 1")
        .bind(provider.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .attempt("removing a provider")?;
    if let Some((n,)) = n {
        super::dirty::mark(&mut transaction, provider, super::dirty::PROVIDER, provider.as_str(), n, true).await?;
    }
    transaction.commit().await.attempt("committing the removal of a provider")
}

/// All providers, by name.
pub(super) async fn all(store: &Sqlite) -> Result<Vec<KnownProvider>, Error> {
    let mut transaction = store.readers.begin().await.attempt("reading providers")?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT uid, type, namespace, name, resource, synced, state FROM provider ORDER BY namespace, name, uid",
    )
    .fetch_all(&mut *transaction)
    .await
    .attempt("reading providers")?;
    let mut providers = Vec::with_capacity(rows.len());
    for row in rows {
        providers.push(known(&mut transaction, row).await?);
    }
    Ok(providers)
}

/// One provider.
pub(super) async fn one(store: &Sqlite, provider: &ProviderUid) -> Result<Option<KnownProvider>, Error> {
    let mut transaction = store.readers.begin().await.attempt("reading a provider")?;
    let row: Option<Row> =
        sqlx::query_as("SELECT uid, type, namespace, name, resource, synced, state FROM provider WHERE uid = ?")
            .bind(provider.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .attempt("reading a provider")?;
    match row {
        Some(row) => known(&mut transaction, row).await.map(Some),
        None => Ok(None),
    }
}

async fn known(connection: &mut SqliteConnection, row: Row) -> Result<KnownProvider, Error> {
    let (uid, kind, namespace, name, resource, synced, state) = row;
    let unreadable = |source| Error::Row { what: format!("provider {namespace}/{name}"), source };
    let resource = serde_json::from_str(&resource).map_err(unreadable)?;
    let state = state.map(|text| serde_json::from_str(&text)).transpose().map_err(unreadable)?;
    let counts = counts(connection, &uid).await?;
    Ok(KnownProvider { row: ProviderRow { uid: uid.into(), kind, namespace, name, resource }, synced, state, counts })
}

async fn counts(connection: &mut SqliteConnection, provider: &str) -> Result<BTreeMap<Kind, u64>, Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT kind, count(*) FROM object WHERE provider = ? GROUP BY kind")
        .bind(provider)
        .fetch_all(connection)
        .await
        .attempt("counting objects")?;
    Ok(rows.into_iter().filter_map(|(kind, count)| Some((Kind::parse(&kind)?, count.unsigned_abs()))).collect())
}

/// Notes where a collection stands; news raise the state's revision and mark it.
pub(super) async fn set_state(
    store: &Sqlite,
    provider: &ProviderUid,
    change: &StateChange,
) -> Result<ProviderState, Error> {
    let mut transaction = store.begin().await?;
    let row: Option<(i64, Option<String>)> = sqlx::query_as("SELECT n, state FROM provider WHERE uid = ?")
        .bind(provider.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .attempt("reading a provider's state")?;
    let (n, before) = row.ok_or_else(|| Error::NoProvider(provider.to_string()))?;
    let before: Option<ProviderState> = before.and_then(|text| serde_json::from_str(&text).ok());
    let vms = counts(&mut transaction, provider.as_str()).await?.remove(&Kind::Vm).unwrap_or_default();
    let known = before.as_ref().and_then(|before| before.fingerprint.clone());
    let mut state = ProviderState {
        provider: provider.clone(),
        generation: change.generation,
        secret_version: change.secret_version.clone(),
        revision: store.revision(n),
        collection: change.collection.clone(),
        fingerprint: change.fingerprint.clone().or(known),
        vm_count: vms,
    };
    if before.as_ref() == Some(&state) {
        return Ok(state);
    }
    state.revision = store.revision(n + 1);
    keep_state(&mut transaction, provider, n + 1, &state).await?;
    transaction.commit().await.attempt("committing a provider's state")?;
    Ok(state)
}

async fn keep_state(
    connection: &mut SqliteConnection,
    provider: &ProviderUid,
    n: i64,
    state: &ProviderState,
) -> Result<(), Error> {
    let text = serde_json::to_string(state)
        .map_err(|source| Error::Row { what: format!("the state of provider {provider}"), source })?;
    sqlx::query("UPDATE provider SET n = ?, state = ? WHERE uid = ?")
        .bind(n)
        .bind(text)
        .bind(provider.as_str())
        .execute(&mut *connection)
        .await
        .attempt("writing a provider's state")?;
    super::dirty::mark(connection, provider, super::dirty::PROVIDER, provider.as_str(), n, false).await
}
