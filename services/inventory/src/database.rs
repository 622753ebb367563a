//! What an inventory keeps on disk, behind one trait: the objects of each provider with their revisions, the marks
//! of what the bus doesn't know yet, and how each provider's collection stands. A row, its revision and its mark
//! are one transaction. It knows nothing of vSphere or the bus.

mod entry;
mod error;
mod sqlite;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use contract::id::ProviderUid;
use contract::inventory::{Collection, ProviderState};
use contract::revision::Revision;
use serde_json::{Map, Value};

use crate::kind::{Key, Kind};

pub use entry::Entry;
pub use error::Error;
pub use sqlite::Sqlite;

/// A provider as the inventory remembers it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderRow {
    /// UID of the resource.
    pub uid: ProviderUid,
    /// `spec.type` of the resource.
    pub kind: String,
    /// Namespace of the resource.
    pub namespace: String,
    /// Name of the resource.
    pub name: String,
    /// The resource.
    pub resource: Value,
}

/// A provider with what is known of its collection.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownProvider {
    /// What it is.
    pub row: ProviderRow,
    /// Whether a full listing was ever completed.
    pub synced: bool,
    /// How its collection stands, or stood when the process ended.
    pub state: Option<ProviderState>,
    /// Number of objects of each kind.
    pub counts: BTreeMap<Kind, u64>,
}

/// News about a provider's collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Generation of the resource that was tried.
    pub generation: i64,
    /// Version of the Secret that was tried.
    pub secret_version: String,
    /// Where it stands.
    pub collection: Collection,
    /// Thumbprint that the server showed; `None` keeps the known one.
    pub fingerprint: Option<String>,
}

/// Changes of one provider that belong together: all are kept, or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The listing in which they were seen, from [`InventoryStore::begin_listing`].
    pub listing: i64,
    /// New states of objects.
    pub entries: Vec<Entry>,
    /// New paths of objects that are not among `entries`.
    pub paths: Vec<(Key, String)>,
    /// Objects that are still there though their new state could not be understood.
    pub seen: Vec<Key>,
    /// Objects that left.
    pub gone: Vec<Key>,
}

/// What a transaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Revisions that were raised, removals included.
    pub raised: u64,
    /// Objects that were removed.
    pub removed: u64,
}

/// A stored object.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Which one.
    pub key: Key,
    /// Its name.
    pub name: String,
    /// Its whole document, volatile fields included.
    pub document: Map<String, Value>,
    /// Its revision.
    pub revision: Revision,
}

/// A node of a provider's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which object.
    pub key: Key,
    /// Its name as written in paths.
    pub name: String,
    /// Id of what it lies in; empty for the root.
    pub parent: String,
}

/// Which objects of a collection to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Only those with this name, this path, or a path that ends with it.
    pub name: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
    /// After skipping so many.
    pub offset: u32,
}

/// What a mark is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The state of the provider's collection.
    Provider,
    /// One of its objects.
    Object(Key),
}

/// Something the bus doesn't know yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose.
    pub provider: ProviderUid,
    /// What.
    pub subject: Subject,
    /// The revision that made the mark.
    pub revision: Revision,
    /// It is gone.
    pub removed: bool,
}

/// A VM as the bus shows it: its document with what it shows of others, all of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The object itself.
    pub object: Object,
    /// The projections it shows, directly or through another: of its host, of the host's cluster.
    pub projections: BTreeMap<Kind, Value>,
}

/// Objects, revisions and marks on disk. All methods are safe to repeat.
#[async_trait]
pub trait InventoryStore: Send + Sync {
    /// Takes a provider in, or its newest resource.
    async fn put_provider(&self, row: &ProviderRow) -> Result<(), Error>;
    /// Removes a provider and all its objects, leaving tombstone marks.
    async fn drop_provider(&self, provider: &ProviderUid) -> Result<(), Error>;
    /// All providers, by name.
    async fn providers(&self) -> Result<Vec<KnownProvider>, Error>;
    /// One provider.
    async fn provider(&self, provider: &ProviderUid) -> Result<Option<KnownProvider>, Error>;
    /// Notes where a collection stands and returns the whole; news only raise the state's revision and mark it.
    async fn set_state(&self, provider: &ProviderUid, change: &StateChange) -> Result<ProviderState, Error>;

    /// Begins a full listing and returns its number.
    async fn begin_listing(&self, provider: &ProviderUid) -> Result<i64, Error>;
    /// Keeps a batch: only a difference raises a revision and sets a mark.
    async fn commit(&self, provider: &ProviderUid, batch: &Batch) -> Result<Committed, Error>;
    /// Completes a full listing: removes what it did not see, and lets the provider's objects be sent.
    async fn complete_listing(&self, provider: &ProviderUid, listing: i64) -> Result<Committed, Error>;
    /// Documents of the given objects, as the collector left them.
    async fn documents(&self, provider: &ProviderUid, keys: &[Key]) -> Result<HashMap<Key, Value>, Error>;
    /// The provider's tree.
    async fn nodes(&self, provider: &ProviderUid) -> Result<Vec<Node>, Error>;

    /// One object.
    async fn object(&self, provider: &ProviderUid, key: &Key) -> Result<Option<Object>, Error>;
    /// A page of a collection, by name and id.
    async fn objects(&self, provider: &ProviderUid, kind: Kind, page: &Page) -> Result<Vec<Object>, Error>;
    /// One object with what it shows of others.
    async fn shown(&self, provider: &ProviderUid, key: &Key) -> Result<Option<Shown>, Error>;

    /// What is to be sent now, at most `limit`; nothing but the state of a provider that was never listed in full.
    async fn marks(&self, limit: u32) -> Result<Vec<Mark>, Error>;
    /// How much is to be sent in all.
    async fn backlog(&self) -> Result<u64, Error>;
    /// Takes a mark away if it is still about the revision that was sent.
    async fn sent(&self, mark: &Mark) -> Result<(), Error>;
    /// Leaves a mark that can't be sent aside until its object changes or the process starts anew.
    async fn block(&self, mark: &Mark) -> Result<(), Error>;
    /// Remembers which stream is written to; with another one than before, marks everything.
    async fn use_stream(&self, identity: &str) -> Result<bool, Error>;
}
