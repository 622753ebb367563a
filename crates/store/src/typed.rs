//! The typed front: the same operations on the Rust types of `forklift_api`.

use std::fmt::Debug;
use std::sync::Arc;

use bus::Bus;
use forklift_api::Kind;
use futures::StreamExt;
use kube::runtime::watcher::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::kv::KvResources;
use crate::{Deletion, Error, EventStream, ObjectId, Preconditions, Resources};

/// A type that a [`Store`] keeps: any kind of `forklift_api`.
pub trait Object:
    kube::Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug + Send + 'static
{
}

impl<K> Object for K where
    K: kube::Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug + Send + 'static
{
}

/// Resources, typed and untyped. Clones share one store.
#[derive(Clone)]
pub struct Store {
    resources: Arc<dyn Resources>,
}

impl Store {
    /// A store on any backend.
    pub fn new(resources: impl Resources) -> Self {
        Self { resources: Arc::new(resources) }
    }

    /// The store of one machine: a key-value bucket of the bus.
    pub async fn kv(bus: &Bus) -> Result<Self, Error> {
        Ok(Self::new(KvResources::open(bus).await?))
    }

    /// The same operations on JSON, for any kind of [`forklift_api::kinds()`].
    pub fn untyped(&self) -> &dyn Resources {
        self.resources.as_ref()
    }

    /// The object, if it is there.
    pub async fn get<K: Object>(&self, namespace: &str, name: &str) -> Result<Option<K>, Error> {
        let kind = kind_of::<K>()?;
        self.resources.get(kind, namespace, name).await?.map(|object| decode(kind, object)).transpose()
    }

    /// All objects of a kind, by namespace and name.
    pub async fn list<K: Object>(&self, namespace: Option<&str>) -> Result<Vec<K>, Error> {
        let kind = kind_of::<K>()?;
        self.resources.list(kind, namespace).await?.into_iter().map(|object| decode(kind, object)).collect()
    }

    /// Makes a new object; see [`Resources::create`].
    pub async fn create<K: Object>(&self, object: &K) -> Result<K, Error> {
        let kind = kind_of::<K>()?;
        decode(kind, self.resources.create(kind, encode(kind, object)?).await?)
    }

    /// Replaces all but the status; see [`Resources::replace`].
    pub async fn replace<K: Object>(&self, object: &K) -> Result<K, Error> {
        let kind = kind_of::<K>()?;
        decode(kind, self.resources.replace(kind, encode(kind, object)?).await?)
    }

    /// Replaces the status and nothing else; see [`Resources::replace_status`].
    pub async fn replace_status<K: Object>(&self, object: &K) -> Result<K, Error> {
        let kind = kind_of::<K>()?;
        decode(kind, self.resources.replace_status(kind, encode(kind, object)?).await?)
    }

    /// Removes an object or marks it; see [`Resources::delete`].
    pub async fn delete<K: Object>(
        &self,
        namespace: &str,
        name: &str,
        preconditions: &Preconditions,
    ) -> Result<Deletion<K>, Error> {
        let kind = kind_of::<K>()?;
        Ok(match self.resources.delete(kind, namespace, name, preconditions).await? {
            Deletion::Done(object) => Deletion::Done(decode(kind, object)?),
            Deletion::Waiting(object) => Deletion::Waiting(decode(kind, object)?),
        })
    }

    /// All changes of a kind, beginning with what is there; see [`Resources::watch`]. Feed it to
    /// `kube::runtime::reflector::store::Writer::apply_watcher_event`. An object that can't be read as `K` is an
    /// error item, and the watch goes on.
    pub async fn watch<K: Object>(&self, namespace: Option<&str>) -> Result<EventStream<K>, Error> {
        let kind = kind_of::<K>()?;
        let events = self.resources.watch(kind, namespace).await?;
        Ok(events.map(move |event| event.and_then(|event| decode_event(kind, event))).boxed())
    }

    /// Deletes what has lost all its owners; see [`Resources::garbage_collect`].
    pub async fn garbage_collect(&self) -> Result<usize, Error> {
        self.resources.garbage_collect().await
    }
}

/// The table entry of a type.
fn kind_of<K: Object>() -> Result<&'static Kind, Error> {
    let kinds = forklift_api::kinds();
    kinds.iter().find(|kind| kind.kind == K::kind(&()) && kind.group == K::group(&())).ok_or_else(|| {
        Error::UnknownKind {
            kind: K::kind(&()).into_owned(),
            known: kinds.iter().map(|k| k.kind.as_str()).collect::<Vec<_>>().join(", "),
        }
    })
}

fn encode<K: Object>(kind: &Kind, object: &K) -> Result<Value, Error> {
    serde_json::to_value(object).map_err(|source| Error::Encode { kind: kind.kind.clone(), source })
}

fn decode<K: Object>(kind: &Kind, object: Value) -> Result<K, Error> {
    let id = ObjectId::of(kind, &object);
    serde_json::from_value(object).map_err(|source| Error::Decode { object: id, source })
}

fn decode_event<K: Object>(kind: &Kind, event: Event<Value>) -> Result<Event<K>, Error> {
    Ok(match event {
        Event::Apply(object) => Event::Apply(decode(kind, object)?),
        Event::Delete(object) => Event::Delete(decode(kind, object)?),
        Event::InitApply(object) => Event::InitApply(decode(kind, object)?),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    })
}
