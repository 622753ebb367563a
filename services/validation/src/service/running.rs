//! VMs under way: some at once, but never the same VM twice, so that an older state can't overtake a newer one.

use std::collections::HashSet;

use contract::id::{ProviderUid, VmId};
use contract::inventory::VmEvent;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

/// Which VM.
pub(super) type Key = (ProviderUid, VmId);

/// The VM that an event is about.
pub(super) fn key(event: &VmEvent) -> Key {
    match event {
        VmEvent::Changed(changed) => (changed.provider.clone(), changed.object.vm.id.as_str().into()),
        VmEvent::Removed(removed) => (removed.provider.clone(), removed.id.clone()),
    }
}

/// A bounded set of work, at most one piece a VM.
pub(super) struct Running<T> {
    most: usize,
    keys: HashSet<Key>,
    work: FuturesUnordered<BoxFuture<'static, (Key, T)>>,
    done: Vec<T>,
}

impl<T: Send + 'static> Running<T> {
    /// Nothing under way, at most `most` pieces at once.
    pub fn new(most: usize) -> Self {
        Self { most, keys: HashSet::new(), work: FuturesUnordered::new(), done: Vec::new() }
    }

    /// Starts work on a VM, once there is room and no other work on that VM.
    pub async fn start(&mut self, key: Key, work: impl Future<Output = T> + Send + 'static) {
        while self.work.len() >= self.most || self.keys.contains(&key) {
            self.step().await;
        }
        self.keys.insert(key.clone());
        self.work.push(Box::pin(async move { (key, work.await) }));
    }

    /// Waits until one piece is done.
    pub async fn one(&mut self) {
        self.step().await;
    }

    /// Waits until all are done; gives what the pieces gave since the last call.
    pub async fn finish(&mut self) -> Vec<T> {
        while !self.work.is_empty() {
            self.step().await;
        }
        std::mem::take(&mut self.done)
    }

    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.work.is_empty()
    }

    async fn step(&mut self) {
        if let Some((key, result)) = self.work.next().await {
            self.keys.remove(&key);
            self.done.push(result);
        }
    }
}
