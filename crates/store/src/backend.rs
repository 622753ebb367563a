//! What keeps resources: one trait on JSON, with the behaviour of an API server. The typed front, the HTTP API and
//! the conformance suite all go through it.

use async_trait::async_trait;
use forklift_api::Kind;
use futures::stream::BoxStream;
use kube::runtime::watcher::Event;
use serde_json::Value;

use crate::Error;

/// The items of a watch. After an error it goes on by itself, with a new `Init`; it never ends.
pub type EventStream<K> = BoxStream<'static, Result<Event<K>, Error>>;

/// What must hold for a deletion to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// The object has this uid.
    pub uid: Option<String>,
    /// The object has this resourceVersion.
    pub resource_version: Option<String>,
}

impl Preconditions {
    /// Only the object of this uid, not a later one of the same name.
    pub fn uid(uid: impl Into<String>) -> Self {
        Self { uid: Some(uid.into()), resource_version: None }
    }
}

/// What became of a deletion.
#[derive(Clone, Debug, PartialEq)]
pub enum Deletion<K> {
    /// The object is gone; this was its last state.
    Done(K),
    /// Its finalizers hold it; it has a deletionTimestamp now.
    Waiting(K),
}

impl<K> Deletion<K> {
    /// The object in its last known state.
    pub fn into_object(self) -> K {
        match self {
            Self::Done(object) | Self::Waiting(object) => object,
        }
    }

    /// Whether the object is gone.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// Resources as JSON.
#[async_trait]
pub trait Resources: Send + Sync + 'static {
    /// The object, if it is there.
    async fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Value>, Error>;

    /// All objects of a kind, in one namespace or in all, by namespace and name.
    async fn list(&self, kind: &Kind, namespace: Option<&str>) -> Result<Vec<Value>, Error>;

    /// Makes a new object. uid, creationTimestamp, generation and resourceVersion are set here, a status is dropped,
    /// an absent name is made from `generateName`. Idempotent by name: a second call is [`Error::AlreadyExists`].
    async fn create(&self, kind: &Kind, object: Value) -> Result<Value, Error>;

    /// Replaces all but the status. Needs the resourceVersion that was read. Without a difference nothing is
    /// written. Taking the last finalizer from an object that is being deleted removes it.
    async fn replace(&self, kind: &Kind, object: Value) -> Result<Value, Error>;

    /// Replaces the status and nothing else. Needs the resourceVersion that was read.
    async fn replace_status(&self, kind: &Kind, object: Value) -> Result<Value, Error>;

    /// Removes an object, or marks it where finalizers hold it, and removes what it owned.
    async fn delete(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        preconditions: &Preconditions,
    ) -> Result<Deletion<Value>, Error>;

    /// All changes of a kind, in one namespace or in all, beginning with what is there. Changes of one object in
    /// quick succession may be told as one: what counts is that the state told last is the state stored. So a
    /// deletion and a new object of the same name may come as one `Apply` with another uid, and an object that was
    /// made and removed at once may never be told of.
    async fn watch(&self, kind: &Kind, namespace: Option<&str>) -> Result<EventStream<Value>, Error>;

    /// Deletes every object whose owners are all gone, and returns how many those were. Call it at start and from
    /// time to time: it finishes what a crash between an owner's removal and its dependents' left over, and does the
    /// clean-up after an owner that went when its last finalizer was taken.
    async fn garbage_collect(&self) -> Result<usize, Error>;
}
