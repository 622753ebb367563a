//! Resources in a JetStream key-value bucket: the store of one machine. The revision of a key is its object's
//! resourceVersion, and every write names the revision it replaces, so that of two writers one wins and the other
//! is told. What a write means is decided in [`crate::lifecycle`]; here it is only carried out.

mod feed;
mod key;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::kv;
use async_trait::async_trait;
use bus::Bus;
use forklift_api::Kind;
use futures::StreamExt;
use serde_json::Value;

use crate::lifecycle::{self, Change, Refusal};
use crate::object::{meta_str, set_meta};
use crate::schema::Checker;
use crate::{Deletion, Error, EventStream, ObjectId, Preconditions, Resources, owners};
use feed::{Entry, Feed};

/// Name of the bucket; the bus makes it.
const BUCKET: &str = bus::topology::RESOURCES;

/// Bytes of JSON that fit in one value: NATS' default `max_payload` of 1 MiB less room for headers.
pub const VALUE_LIMIT: usize = 1024 * 1024 - 4096;

/// How long the bucket remembers that a key was deleted. A watch that was away lists anew and needs no such memory;
/// it only must outlast a message on its way.
const TOMBSTONE_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Owner clean-up goes as many levels deep in one call; deeper ones are for the next.
const MAX_OWNER_LEVELS: usize = 8;

/// How often a write without a resourceVersion (a deletion) is tried against concurrent writers.
const MAX_TRIES: usize = 16;

/// The bucket with a checker for each kind.
pub struct KvResources {
    bucket: kv::Store,
    checkers: BTreeMap<&'static str, Checker>,
}

impl KvResources {
    /// Opens the bucket, which connecting the bus has made.
    pub async fn open(bus: &Bus) -> Result<Self, Error> {
        let open = |source| Error::Open { what: format!("bucket `{BUCKET}` of JetStream"), source };
        let bucket = bus.jetstream().get_key_value(BUCKET).await.map_err(|e| open(e.into()))?;
        let mut checkers = BTreeMap::new();
        for kind in forklift_api::kinds() {
            checkers.insert(kind.kind.as_str(), Checker::new(kind).map_err(|e| open(e.into()))?);
        }
        Ok(Self { bucket, checkers })
    }

    fn checker(&self, kind: &Kind) -> Result<&Checker, Error> {
        self.checkers.get(kind.kind.as_str()).ok_or_else(|| Error::UnknownKind {
            kind: kind.kind.clone(),
            known: self.checkers.keys().copied().collect::<Vec<_>>().join(", "),
        })
    }

    /// The object and its revision.
    async fn read(&self, kind: &Kind, id: &ObjectId) -> Result<Option<(Value, u64)>, Error> {
        let Some(key) = key::of(kind, &id.namespace, &id.name) else { return Ok(None) };
        let entry = self
            .bucket
            .entry(key)
            .await
            .map_err(|source| Error::Read { what: id.to_string(), source: source.into() })?;
        match entry {
            Some(entry) if entry.operation == kv::Operation::Put => {
                let object = feed::parse(&entry.value, entry.revision)
                    .map_err(|source| Error::Decode { object: id.clone(), source })?;
                Ok(Some((object, entry.revision)))
            }
            _ => Ok(None),
        }
    }

    async fn read_existing(&self, kind: &Kind, id: &ObjectId) -> Result<(Value, u64), Error> {
        self.read(kind, id).await?.ok_or_else(|| Error::NotFound { object: id.clone() })
    }

    /// Writes `object` in place of revision `replaces` and returns it with its new resourceVersion.
    async fn write(&self, kind: &Kind, id: &ObjectId, object: Value, replaces: u64) -> Result<Value, Error> {
        let (key, bytes) = serialized(kind, id, &object)?;
        let revision = self.bucket.update(key, bytes.into(), replaces).await.map_err(|error| match error.kind() {
            kv::UpdateErrorKind::WrongLastRevision => changed_meanwhile(id),
            _ => Error::Write { what: id.to_string(), source: error.into() },
        })?;
        Ok(with_version(object, revision))
    }

    async fn remove(&self, kind: &Kind, id: &ObjectId, replaces: u64) -> Result<(), Error> {
        let Some(key) = key::of(kind, &id.namespace, &id.name) else { return Ok(()) };
        let removed = self.bucket.purge_expect_revision_with_ttl(key, replaces, TOMBSTONE_TTL).await;
        removed.map_err(|error| match error.kind() {
            kv::PurgeErrorKind::WrongLastRevision => changed_meanwhile(id),
            _ => Error::Write { what: id.to_string(), source: error.into() },
        })
    }

    /// Carries out what [`lifecycle`] decided about an object that was read at `revision`.
    async fn carry_out(&self, kind: &Kind, id: &ObjectId, change: Change, revision: u64) -> Result<Value, Error> {
        match change {
            Change::Nothing(object) => Ok(object),
            Change::Write(object) => self.write(kind, id, object, revision).await,
            Change::Remove(object) => {
                self.remove(kind, id, revision).await?;
                Ok(object)
            }
        }
    }

    /// Deletes one object without looking at what it owns.
    async fn delete_one(
        &self,
        kind: &Kind,
        id: &ObjectId,
        preconditions: &Preconditions,
    ) -> Result<Deletion<Value>, Error> {
        for _ in 0..MAX_TRIES {
            let (old, revision) = self.read_existing(kind, id).await?;
            let change = lifecycle::delete(old, preconditions, jiff::Timestamp::now()).map_err(|r| r.about(id))?;
            let done = matches!(change, Change::Remove(_));
            match self.carry_out(kind, id, change, revision).await {
                Err(Error::Conflict { .. }) if preconditions.resource_version.is_none() => {}
                Err(error) => return Err(error),
                Ok(object) if done => return Ok(Deletion::Done(object)),
                Ok(object) => return Ok(Deletion::Waiting(object)),
            }
        }
        Err(changed_meanwhile(id))
    }

    async fn entries(&self, subject: &str, what: &str) -> Result<Vec<Entry>, Error> {
        let read = |source| Error::Read { what: what.to_owned(), source };
        let mut feed = Feed::open(&self.bucket, subject).await.map_err(read)?;
        let entries = feed.rest().await.map_err(read);
        feed.close().await;
        entries
    }

    /// One level of owner clean-up.
    async fn collect_once(&self) -> Result<usize, Error> {
        let entries = self.entries(&key::all(), "all resources").await?;
        let objects: Vec<(&Kind, Value)> =
            entries.into_iter().filter_map(|entry| Some((key::kind_of(&entry.key)?, entry.object?))).collect();
        let mut removed = 0;
        for orphan in owners::orphans(&objects) {
            let id = ObjectId::of(orphan.kind, orphan.object);
            let uid = meta_str(orphan.object, "uid").map(ToOwned::to_owned);
            match self.delete_one(orphan.kind, &id, &Preconditions { uid, resource_version: None }).await {
                Ok(_) => removed += 1,
                Err(Error::NotFound { .. } | Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }
}

#[async_trait]
impl Resources for KvResources {
    async fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Value>, Error> {
        let id = ObjectId::new(kind, namespace, name);
        Ok(self.read(kind, &id).await?.map(|(object, _)| object))
    }

    async fn list(&self, kind: &Kind, namespace: Option<&str>) -> Result<Vec<Value>, Error> {
        let Some(subject) = key::filter(kind, namespace) else { return Ok(Vec::new()) };
        let entries = self.entries(&subject, &kind.plural).await?;
        let mut objects: Vec<Value> = entries.into_iter().filter_map(|entry| entry.object).collect();
        objects.sort_by_cached_key(|object| ObjectId::of(kind, object));
        Ok(objects)
    }

    async fn create(&self, kind: &Kind, object: Value) -> Result<Value, Error> {
        let checker = self.checker(kind)?;
        let sent = ObjectId::of(kind, &object);
        let uid = uuid::Uuid::new_v4();
        let object = lifecycle::create(checker, object, uid, jiff::Timestamp::now()).map_err(|r| r.about(&sent))?;
        let id = ObjectId::of(kind, &object);
        let (key, bytes) = serialized(kind, &id, &object)?;
        match self.bucket.create(key, bytes.into()).await {
            Ok(revision) => Ok(with_version(object, revision)),
            Err(error) if error.kind() == kv::CreateErrorKind::AlreadyExists => {
                // An answer that got lost makes our own write look like somebody else's.
                match self.read(kind, &id).await? {
                    Some((stored, _)) if meta_str(&stored, "uid") == meta_str(&object, "uid") => Ok(stored),
                    _ => Err(Error::AlreadyExists { object: id }),
                }
            }
            Err(error) => Err(Error::Write { what: id.to_string(), source: error.into() }),
        }
    }

    async fn replace(&self, kind: &Kind, object: Value) -> Result<Value, Error> {
        let checker = self.checker(kind)?;
        let id = ObjectId::of(kind, &object);
        let (old, revision) = self.read_existing(kind, &id).await?;
        let change = lifecycle::replace(checker, &old, object).map_err(|r: Refusal| r.about(&id))?;
        self.carry_out(kind, &id, change, revision).await
    }

    async fn replace_status(&self, kind: &Kind, object: Value) -> Result<Value, Error> {
        let checker = self.checker(kind)?;
        let id = ObjectId::of(kind, &object);
        let (old, revision) = self.read_existing(kind, &id).await?;
        let change = lifecycle::replace_status(checker, old, object).map_err(|r: Refusal| r.about(&id))?;
        self.carry_out(kind, &id, change, revision).await
    }

    async fn delete(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        preconditions: &Preconditions,
    ) -> Result<Deletion<Value>, Error> {
        let deletion = self.delete_one(kind, &ObjectId::new(kind, namespace, name), preconditions).await?;
        if deletion.is_done()
            && let Err(error) = self.garbage_collect().await
        {
            tracing::warn!(%error, "store.owner_cleanup_postponed");
        }
        Ok(deletion)
    }

    async fn watch(&self, kind: &Kind, namespace: Option<&str>) -> Result<EventStream<Value>, Error> {
        let what = namespace.map_or_else(|| kind.plural.clone(), |ns| format!("{} of {ns}", kind.plural));
        let Some(subject) = key::filter(kind, namespace) else {
            return Err(Error::Watch { what, source: "a namespace can't be empty".into() });
        };
        Ok(watch::events(self.bucket.clone(), subject, what).boxed())
    }

    async fn garbage_collect(&self) -> Result<usize, Error> {
        let mut removed = 0;
        for _ in 0..MAX_OWNER_LEVELS {
            match self.collect_once().await? {
                0 => break,
                n => removed += n,
            }
        }
        Ok(removed)
    }
}

fn serialized(kind: &Kind, id: &ObjectId, object: &Value) -> Result<(String, Vec<u8>), Error> {
    let key = key::of(kind, &id.namespace, &id.name).ok_or_else(|| Error::NotFound { object: id.clone() })?;
    let bytes = lifecycle::stored_form(object).map_err(|source| Error::Encode { kind: kind.kind.clone(), source })?;
    if bytes.len() > VALUE_LIMIT {
        return Err(Error::TooLarge { object: id.clone(), size: bytes.len(), limit: VALUE_LIMIT });
    }
    Ok((key, bytes))
}

fn with_version(mut object: Value, revision: u64) -> Value {
    set_meta(&mut object, "resourceVersion", revision.to_string());
    object
}

fn changed_meanwhile(id: &ObjectId) -> Error {
    Error::Conflict { object: id.clone(), cause: "somebody else changed it meanwhile".to_owned() }
}
