//! Follows one vCenter: logs in once per version of the credentials, lists everything, sweeps what a complete listing
//! did not see, then keeps up with changes. A lost session means a new login and a new listing; a refused login is
//! the end until settings or Secret change. It only reads.

mod apply;
mod login;

use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::id::ProviderUid;
use contract::inventory::Collection;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use vsphere::{
    Change, Client, Endpoint, Fault, MoRef, ObjectSpec, ObjectUpdate, PropertyChange, UpdateKind, UpdateSet,
};

use crate::database::{self, Committed, InventoryStore, StateChange};
use crate::kind::Kind;
use crate::map;
use crate::metrics::Metrics;
use crate::options::Retry;
use crate::readiness::Readiness;
use crate::target::Target;
use crate::tree::Tree;

/// How long the server may wait for changes before it answers that there are none.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// A session that lasted so long was a good one: after its loss the waits begin anew.
const GOOD_SESSION: Duration = Duration::from_secs(60);
/// The same while a listing is under way: a server that has more of it answers at once.
const LISTING_WAIT: Duration = Duration::from_secs(10);
const LOGOUT: Duration = Duration::from_secs(5);

/// What every collector needs.
#[derive(Clone)]
pub(crate) struct Collector {
    pub store: Arc<dyn InventoryStore>,
    pub wake: Arc<Notify>,
    pub metrics: Metrics,
    pub readiness: Readiness,
    pub retry: Retry,
    /// Objects in one answer.
    pub page: u32,
}

/// Why following broke off.
#[derive(Debug, thiserror::Error)]
enum Break {
    #[error("reading from the vCenter")]
    Vsphere(#[from] vsphere::Error),
    #[error("keeping what the vCenter said")]
    Database(#[from] database::Error),
}

/// What comes after a session.
enum Next {
    /// Nothing until settings or Secret change.
    Park(Collection, Option<String>),
    /// Another attempt, and meanwhile this state, if it is news.
    Retry(Option<Collection>, Option<String>),
}

impl Collector {
    /// Follows `target` until `stop`.
    pub async fn run(&self, target: Target, stop: CancellationToken) {
        let one = One { shared: self, target: &target, stop: &stop };
        one.run().await;
        self.readiness.loading(&target.uid, false);
    }

    /// Forgets a provider that is gone.
    pub fn forget(&self, provider: &ProviderUid) {
        self.readiness.loading(provider, false);
        self.wake.notify_one();
    }
}

/// The collector of one provider.
struct One<'a> {
    shared: &'a Collector,
    target: &'a Target,
    stop: &'a CancellationToken,
}

impl One<'_> {
    async fn run(&self) {
        let endpoint = match &self.target.endpoint {
            Ok(endpoint) if !self.was_refused().await => endpoint,
            Ok(_) => return self.stop.cancelled().await,
            Err(message) => {
                self.tell(Collection::SettingsRefused { message: message.clone() }, None).await;
                return self.stop.cancelled().await;
            }
        };
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let begun = Instant::now();
            let Some(next) = self.session(endpoint).await else { return };
            failures = if begun.elapsed() > GOOD_SESSION { 1 } else { failures + 1 };
            match next {
                Next::Park(state, fingerprint) => {
                    self.tell(state, fingerprint).await;
                    return self.stop.cancelled().await;
                }
                Next::Retry(state, fingerprint) => {
                    if let Some(state) = state {
                        self.tell(state, fingerprint).await;
                    }
                    self.pause(failures).await;
                }
            }
        }
    }

    async fn pause(&self, failures: u32) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(self.shared.retry.wait(failures)) => {}
        }
    }

    /// Whether this version of the credentials was refused before, by this process or an earlier one.
    async fn was_refused(&self) -> bool {
        let known = self.shared.store.provider(&self.target.uid).await;
        known.ok().flatten().and_then(|known| known.state).is_some_and(|state| {
            matches!(state.collection, Collection::CredentialsRefused { .. })
                && state.generation == self.target.version.generation
                && state.secret_version == self.target.version.secret
        })
    }
}

impl One<'_> {
    /// One session, from login to its loss; `None` when it was stopped.
    async fn session(&self, endpoint: &Endpoint) -> Option<Next> {
        let login = tokio::select! {
            () = self.stop.cancelled() => return None,
            login = Client::login(endpoint) => login,
        };
        let client = match login {
            Ok(client) => client,
            Err(error) => {
                self.shared.metrics.login(login::outcome(&error));
                let provider = self.target.name.as_str();
                tracing::warn!(
                    provider,
                    reason = error.reason(),
                    error = runtime::chain(&error),
                    "inventory.login_failed"
                );
                return Some(login::after(&error));
            }
        };
        self.shared.metrics.login("accepted");
        let broken = tokio::select! {
            () = self.stop.cancelled() => None,
            broken = self.follow(&client) => broken.err(),
        };
        match tokio::time::timeout(LOGOUT, client.logout()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(provider = self.target.name, %error, "inventory.logout_failed"),
            Err(_) => tracing::debug!(provider = self.target.name, "inventory.logout_timed_out"),
        }
        broken.map(|broken| self.after(&broken))
    }

    fn after(&self, broken: &Break) -> Next {
        let message = runtime::chain(broken);
        tracing::warn!(provider = self.target.name, error = message, "inventory.session_broke");
        match broken {
            Break::Vsphere(vsphere::Error::Renewal(error)) => login::after(error),
            // The next login tells how things are.
            Break::Vsphere(vsphere::Error::SessionLost) | Break::Database(_) => Next::Retry(None, None),
            Break::Vsphere(error) if error.fault() == Some(&Fault::InvalidCollectorVersion) => Next::Retry(None, None),
            Break::Vsphere(_) => Next::Retry(Some(Collection::Unreachable { message }), None),
        }
    }

    /// Lists everything and follows it until something breaks.
    async fn follow(&self, client: &Client) -> Result<(), Break> {
        let store = &self.shared.store;
        let provider = &self.target.uid;
        self.tell(Collection::Loading, client.fingerprint().map(|seen| seen.to_string())).await;
        let listing = store.begin_listing(provider).await?;
        let mut tree = Tree::new(store.nodes(provider).await?);
        let mut watch = client.watch_paged(&specs(), self.shared.page).await?;
        let mut complete = false;
        loop {
            let set = watch.next(if complete { MAX_WAIT } else { LISTING_WAIT }).await?;
            if let Some(set) = &set {
                self.take(client, &mut tree, listing, set).await?;
            }
            if !complete && is_whole(set.as_ref()) {
                complete = true;
                let swept = store.complete_listing(provider, listing).await?;
                tree = Tree::new(store.nodes(provider).await?);
                self.shared.metrics.listings.inc();
                self.raised(swept);
                tracing::info!(provider = self.target.name, removed = swept.removed, "inventory.listed");
                self.tell(Collection::Synced, None).await;
            } else if complete && set.is_some_and(|set| changes_count(&set)) {
                self.tell(Collection::Synced, None).await;
            }
        }
    }

    /// Keeps what a set of updates says, and of objects that it says too little about, what they are now.
    async fn take(&self, client: &Client, tree: &mut Tree, listing: i64, set: &UpdateSet) -> Result<(), Break> {
        let reread = self.keep(tree, listing, &set.updates).await?;
        if reread.is_empty() {
            return Ok(());
        }
        let mut updates = Vec::with_capacity(reread.len());
        for reference in reread {
            match client.properties(&reference, &paths(&reference)).await {
                Ok(object) => updates.push(whole(object)),
                // Its leaving will be told.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.keep(tree, listing, &updates).await.map(|_| ())
    }

    async fn keep(&self, tree: &mut Tree, listing: i64, updates: &[ObjectUpdate]) -> Result<Vec<MoRef>, Break> {
        let provider = &self.target.uid;
        self.shared.metrics.updates.inc_by(updates.len() as u64);
        let documents = self.shared.store.documents(provider, &apply::needed(updates)).await?;
        let applied = apply::apply(tree, &documents, updates, listing);
        for problem in &applied.problems {
            self.shared.metrics.misfits.inc();
            let (object, property) = (&problem.key, problem.path.as_deref());
            tracing::warn!(provider = self.target.name, %object, property, cause = problem.cause, "inventory.misfit");
        }
        let committed = self.shared.store.commit(provider, &applied.batch).await?;
        self.raised(committed);
        Ok(applied.reread)
    }

    fn raised(&self, committed: Committed) {
        if committed.raised > 0 {
            self.shared.metrics.revisions.inc_by(committed.raised);
            self.shared.wake.notify_one();
        }
    }

    /// Notes where the collection stands and lets it be told.
    async fn tell(&self, collection: Collection, fingerprint: Option<String>) {
        let uid = &self.target.uid;
        let first = match &collection {
            Collection::Loading => {
                let known = self.shared.store.provider(uid).await;
                known.ok().flatten().is_some_and(|known| !known.synced)
            }
            _ => false,
        };
        self.shared.readiness.loading(uid, first);
        let version = &self.target.version;
        let change = StateChange {
            generation: version.generation,
            secret_version: version.secret.clone(),
            collection,
            fingerprint,
        };
        match self.shared.store.set_state(uid, &change).await {
            Ok(_) => self.shared.wake.notify_one(),
            Err(error) => {
                tracing::error!(
                    provider = self.target.name,
                    error = runtime::chain(&error),
                    "inventory.state_not_kept"
                );
            }
        }
    }
}

/// Whether everything has been listed: after the first set that is not truncated, or when the server has nothing to
/// add to a truncated one (the last page may be exactly full).
fn is_whole(set: Option<&UpdateSet>) -> bool {
    set.is_none_or(|set| !set.truncated)
}

/// Whether VMs came or left.
fn changes_count(set: &UpdateSet) -> bool {
    let is_vm = |update: &ObjectUpdate| map::kind_of(&update.reference) == Some(Kind::Vm);
    set.updates.iter().any(|update| update.kind != UpdateKind::Modify && is_vm(update))
}

fn specs() -> Vec<ObjectSpec> {
    map::wanted().into_iter().map(|(kind, paths)| ObjectSpec::new(kind, &paths)).collect()
}

fn paths(reference: &MoRef) -> Vec<&'static str> {
    map::wanted().into_iter().find(|(kind, _)| *kind == reference.kind).map(|(_, paths)| paths).unwrap_or_default()
}

/// An object that was read anew, as if it entered.
fn whole(object: vsphere::Object) -> ObjectUpdate {
    let change = |(path, value)| PropertyChange { path, change: Change::Assign(Some(value)) };
    ObjectUpdate {
        reference: object.reference,
        kind: UpdateKind::Enter,
        changes: object.properties.into_iter().map(change).collect(),
        missing: object.missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(truncated: bool, kind: UpdateKind) -> UpdateSet {
        let update = ObjectUpdate { reference: MoRef::vm("vm-1"), kind, changes: vec![], missing: vec![] };
        UpdateSet { version: "1".to_owned(), truncated, updates: vec![update] }
    }

    #[test]
    fn a_truncated_set_never_ends_a_listing() {
        assert!(!is_whole(Some(&set(true, UpdateKind::Enter))));
        assert!(is_whole(Some(&set(false, UpdateKind::Enter))));
        assert!(is_whole(None));
    }

    #[test]
    fn vms_that_come_or_leave_change_the_count() {
        assert!(changes_count(&set(false, UpdateKind::Enter)) && changes_count(&set(false, UpdateKind::Leave)));
        assert!(!changes_count(&set(false, UpdateKind::Modify)));
    }
}
