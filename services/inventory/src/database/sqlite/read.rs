//! Reads of objects: pages, single ones with what they show of others, the tree, and documents for the collector.

use std::collections::{BTreeMap, HashMap};

use contract::id::ProviderUid;
use serde_json::{Map, Value};
use sqlx::SqliteConnection;

use super::super::error::Attempt;
use super::super::{Error, Node, Object, Page, Shown};
use super::Sqlite;
use crate::kind::{Key, Kind};

type Row = (String, String, String, String, i64);

/// A page of a collection.
pub(super) async fn objects(
    store: &Sqlite,
    provider: &ProviderUid,
    kind: Kind,
    page: &Page,
) -> Result<Vec<Object>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, document, volatile, n FROM object
         WHERE provider = ?1 AND kind = ?2
           AND (?3 IS NULL OR name = ?3 OR path = ?3 OR substr(path, -length('/' || ?3)) = '/' || ?3)
         ORDER BY name, id LIMIT ?4 OFFSET ?5",
    )
    .bind(provider.as_str())
    .bind(kind.as_str())
    .bind(&page.name)
    .bind(page.limit.map_or(-1, i64::from))
    .bind(page.offset)
    .fetch_all(&store.readers)
    .await
    .attempt("reading a collection")?;
    rows.into_iter().map(|row| object(store, kind, row)).collect()
}

fn object(store: &Sqlite, kind: Kind, (id, name, document, volatile, n): Row) -> Result<Object, Error> {
    let key = Key::new(kind, id);
    let document = merged(&key, &document, &volatile)?;
    Ok(Object { key, name, document, revision: store.revision(n) })
}

fn merged(key: &Key, document: &str, volatile: &str) -> Result<Map<String, Value>, Error> {
    let read = |text| serde_json::from_str::<Map<String, Value>>(text);
    let unreadable = |source| Error::Row { what: key.to_string(), source };
    let mut document = read(document).map_err(unreadable)?;
    document.extend(read(volatile).map_err(unreadable)?);
    Ok(document)
}

/// One object and the projections it shows, of one moment.
pub(super) async fn shown(store: &Sqlite, provider: &ProviderUid, key: &Key) -> Result<Option<Shown>, Error> {
    let mut transaction = store.readers.begin().await.attempt("reading an object")?;
    let row: Option<Row> =
        sqlx::query_as("SELECT id, name, document, volatile, n FROM object WHERE provider = ? AND kind = ? AND id = ?")
            .bind(provider.as_str())
            .bind(key.kind.as_str())
            .bind(&key.id)
            .fetch_optional(&mut *transaction)
            .await
            .attempt("reading an object")?;
    let Some(row) = row else { return Ok(None) };
    let object = object(store, key.kind, row)?;
    let projections = projections(&mut transaction, provider, key).await?;
    Ok(Some(Shown { object, projections }))
}

async fn projections(
    connection: &mut SqliteConnection,
    provider: &ProviderUid,
    key: &Key,
) -> Result<BTreeMap<Kind, Value>, Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "WITH RECURSIVE seen (kind, id) AS (
             SELECT shown_kind, shown_id FROM shows WHERE provider = ?1 AND kind = ?2 AND id = ?3
             UNION
             SELECT s.shown_kind, s.shown_id FROM shows s, seen
             WHERE s.provider = ?1 AND s.kind = seen.kind AND s.id = seen.id
         )
         SELECT o.kind, o.projection FROM seen, object o
         WHERE o.provider = ?1 AND o.kind = seen.kind AND o.id = seen.id AND o.projection IS NOT NULL",
    )
    .bind(provider.as_str())
    .bind(key.kind.as_str())
    .bind(&key.id)
    .fetch_all(connection)
    .await
    .attempt("reading what an object shows")?;
    let unreadable = |source| Error::Row { what: format!("what {key} shows"), source };
    rows.into_iter()
        .filter_map(|(kind, text)| Some((Kind::parse(&kind)?, text)))
        .map(|(kind, text)| Ok((kind, serde_json::from_str(&text).map_err(unreadable)?)))
        .collect()
}

/// Documents of the given objects.
pub(super) async fn documents(
    store: &Sqlite,
    provider: &ProviderUid,
    keys: &[Key],
) -> Result<HashMap<Key, Value>, Error> {
    let mut ids: BTreeMap<Kind, Vec<&str>> = BTreeMap::new();
    for key in keys {
        ids.entry(key.kind).or_default().push(&key.id);
    }
    let mut documents = HashMap::with_capacity(keys.len());
    for (kind, ids) in ids {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT id, document, volatile FROM object
             WHERE provider = ? AND kind = ? AND id IN (SELECT value FROM json_each(?))",
        )
        .bind(provider.as_str())
        .bind(kind.as_str())
        .bind(Value::from(ids).to_string())
        .fetch_all(&store.readers)
        .await
        .attempt("reading documents")?;
        for (id, document, volatile) in rows {
            let key = Key::new(kind, id);
            let document = merged(&key, &document, &volatile)?;
            documents.insert(key, Value::Object(document));
        }
    }
    Ok(documents)
}

/// The provider's tree; a node's name is the last part of its path, where vCenter's escapes are kept.
pub(super) async fn nodes(store: &Sqlite, provider: &ProviderUid) -> Result<Vec<Node>, Error> {
    let rows: Vec<(String, String, String, String)> =
        sqlx::query_as("SELECT kind, id, path, parent FROM object WHERE provider = ?")
            .bind(provider.as_str())
            .fetch_all(&store.readers)
            .await
            .attempt("reading the tree")?;
    let node = |(kind, id, path, parent): (String, String, String, String)| {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        Some(Node { key: Key::new(Kind::parse(&kind)?, id), name, parent })
    };
    Ok(rows.into_iter().filter_map(node).collect())
}
