//! Which providers are followed: one collector for each Provider that VMs come from, started anew when the Provider's
//! settings or its Secret change, and its objects removed with it. It works by level: on any news and every half
//! minute it compares what should run with what runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use contract::id::ProviderUid;
use forklift_api::Provider;
use futures::StreamExt;
use kube::runtime::watcher::Event;
use store::{SecretChange, Secrets, Store};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::collector::Collector;
use crate::database::{InventoryStore, ProviderRow};
use crate::target::{self, Target, Version};

/// How often everything is compared without news.
const LOOK: Duration = Duration::from_secs(30);

/// Follows all providers.
pub(crate) struct Supervisor {
    pub resources: Store,
    pub secrets: Secrets,
    pub store: Arc<dyn InventoryStore>,
    pub collector: Collector,
}

/// What runs and what should.
#[derive(Default)]
struct State {
    /// All Providers by namespace and name.
    providers: BTreeMap<(String, String), Provider>,
    /// A list of Providers that is not complete yet.
    listing: Option<BTreeMap<(String, String), Provider>>,
    /// Whether there was a complete list.
    listed: bool,
    /// What the database knows of each provider.
    rows: HashMap<ProviderUid, ProviderRow>,
    running: HashMap<ProviderUid, Running>,
    /// Collectors that panicked: they rest until the next look.
    crashed: Vec<ProviderUid>,
    tasks: JoinSet<()>,
    ids: HashMap<Id, ProviderUid>,
}

struct Running {
    version: Version,
    stop: CancellationToken,
}

/// What to do about one provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    Start(ProviderUid),
    Stop(ProviderUid),
    Drop(ProviderUid),
}

impl Supervisor {
    /// Follows Providers and Secrets until `stop`, then waits for the collectors.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut state = State::default();
        let mut secrets = self.secrets.changes();
        let mut providers = None;
        while !stop.is_cancelled() {
            if providers.is_none() {
                match self.resources.watch::<Provider>(None).await {
                    Ok(watch) => providers = Some(watch),
                    Err(error) => tracing::warn!(error = runtime::chain(&error), "inventory.no_provider_watch"),
                }
            }
            let news = async {
                match &mut providers {
                    Some(watch) => watch.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                news = news => match news {
                    Some(Ok(event)) => state.take(event),
                    Some(Err(error)) => tracing::warn!(error = runtime::chain(&error), "inventory.provider_watch"),
                    None => providers = None,
                },
                Some(change) = secrets.next() => if !state.concerns(change.as_ref().ok()) { continue },
                Some(ended) = state.tasks.join_next_with_id() => state.ended(ended.map(|(id, ())| id)),
                () = tokio::time::sleep(LOOK) => state.free_crashed(),
            }
            if let Err(error) = self.compare(&mut state).await {
                tracing::error!(error = runtime::chain(&error), "inventory.providers_not_compared");
            }
        }
        state.running.values().for_each(|running| running.stop.cancel());
        while state.tasks.join_next().await.is_some() {}
    }

    async fn compare(&self, state: &mut State) -> Result<(), crate::database::Error> {
        if !state.listed {
            return Ok(());
        }
        let mut targets = BTreeMap::new();
        for provider in state.providers.values().filter(|provider| target::is_source(provider)) {
            let Some(row) = row(provider) else { continue };
            let target = self.target(provider).await;
            if state.rows.get(&row.uid) != Some(&row) {
                self.store.put_provider(&row).await?;
                state.rows.insert(row.uid.clone(), row.clone());
            }
            targets.insert(row.uid, target);
        }
        let known = self.store.providers().await?;
        let known: Vec<_> = known.into_iter().map(|known| known.row.uid).collect();
        for action in decide(&targets, &state.running, &known) {
            match action {
                Action::Stop(uid) => state.running.get(&uid).into_iter().for_each(|running| running.stop.cancel()),
                Action::Start(uid) => {
                    targets.remove(&uid).flatten().into_iter().for_each(|target| state.start(&self.collector, target));
                }
                Action::Drop(uid) => {
                    tracing::info!(provider = %uid, "inventory.provider_removed");
                    self.store.drop_provider(&uid).await?;
                    state.rows.remove(&uid);
                    self.collector.forget(&uid);
                }
            }
        }
        Ok(())
    }

    /// `None` while the Secret can't be read: what runs goes on.
    async fn target(&self, provider: &Provider) -> Option<Target> {
        let (namespace, name) = target::secret_name(provider);
        match self.secrets.get(namespace, name).await {
            Ok(secret) => target::target(provider, secret.as_ref()),
            Err(error) => {
                tracing::error!(namespace, name, error = runtime::chain(&error), "inventory.secret_not_read");
                None
            }
        }
    }
}

/// `None` for an object without UID, which no store gives.
fn row(provider: &Provider) -> Option<ProviderRow> {
    Some(ProviderRow {
        uid: provider.metadata.uid.clone()?.into(),
        kind: provider.spec.type_.clone(),
        namespace: provider.metadata.namespace.clone()?,
        name: provider.metadata.name.clone()?,
        resource: serde_json::to_value(provider).ok()?,
    })
}

/// What follows from the difference between what should run, what runs and what the database knows. A target of
/// which nothing can be read at the moment is left as it is.
fn decide(
    targets: &BTreeMap<ProviderUid, Option<Target>>,
    running: &HashMap<ProviderUid, Running>,
    known: &[ProviderUid],
) -> Vec<Action> {
    let mut actions = vec![];
    for (uid, target) in targets {
        match (target, running.get(uid)) {
            (Some(_), None) => actions.push(Action::Start(uid.clone())),
            (Some(target), Some(running)) if running.version != target.version => {
                actions.push(Action::Stop(uid.clone()));
            }
            _ => {}
        }
    }
    actions.extend(running.keys().filter(|uid| !targets.contains_key(uid)).cloned().map(Action::Stop));
    let gone = known.iter().filter(|uid| !targets.contains_key(uid) && !running.contains_key(uid));
    actions.extend(gone.cloned().map(Action::Drop));
    actions.sort();
    actions
}

impl State {
    fn take(&mut self, event: Event<Provider>) {
        match event {
            Event::Init => self.listing = Some(BTreeMap::new()),
            Event::InitApply(provider) => {
                self.listing.get_or_insert_default().insert(name(&provider), provider);
            }
            Event::InitDone => {
                self.providers = self.listing.take().unwrap_or_default();
                self.listed = true;
            }
            Event::Apply(provider) => {
                self.providers.insert(name(&provider), provider);
            }
            Event::Delete(provider) => {
                self.providers.remove(&name(&provider));
            }
        }
    }

    /// Whether a Secret is one of a Provider's; of an unreadable change nobody knows.
    fn concerns(&self, change: Option<&SecretChange>) -> bool {
        let Some(SecretChange::Changed { namespace, name } | SecretChange::Removed { namespace, name }) = change else {
            return false;
        };
        self.providers.values().any(|provider| target::secret_name(provider) == (namespace, name))
    }

    fn start(&mut self, collector: &Collector, target: Target) {
        let (uid, version, stop) = (target.uid.clone(), target.version.clone(), CancellationToken::new());
        let (collector, token) = (collector.clone(), stop.clone());
        let task = self.tasks.spawn(async move { collector.run(target, token).await });
        self.ids.insert(task.id(), uid.clone());
        self.running.insert(uid, Running { version, stop });
    }

    fn ended(&mut self, ended: Result<Id, tokio::task::JoinError>) {
        match ended {
            Ok(id) => {
                self.ids.remove(&id).and_then(|uid| self.running.remove(&uid));
            }
            Err(error) => {
                tracing::error!(%error, "inventory.collector_panicked");
                self.crashed.extend(self.ids.remove(&error.id()));
            }
        }
    }

    fn free_crashed(&mut self) {
        for uid in self.crashed.drain(..) {
            self.running.remove(&uid);
        }
    }
}

fn name(provider: &Provider) -> (String, String) {
    let metadata = &provider.metadata;
    (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(generation: i64) -> Version {
        Version { generation, secret: "1".to_owned() }
    }

    fn target(uid: &str, generation: i64) -> (ProviderUid, Option<Target>) {
        let uid = ProviderUid::from(uid);
        let target = Target {
            uid: uid.clone(),
            name: String::new(),
            version: version(generation),
            endpoint: Err(String::new()),
        };
        (uid, Some(target))
    }

    fn running(uid: &str, generation: i64) -> (ProviderUid, Running) {
        (uid.into(), Running { version: version(generation), stop: CancellationToken::new() })
    }

    #[test]
    fn a_changed_provider_is_stopped_first_and_started_when_it_has_ended() {
        let targets = BTreeMap::from([target("a", 2), target("b", 1)]);
        let known = ["a".into(), "b".into()];
        let before = HashMap::from([running("a", 1), running("b", 1)]);
        assert_eq!(decide(&targets, &before, &known), [Action::Stop("a".into())]);
        let after = HashMap::from([running("b", 1)]);
        assert_eq!(decide(&targets, &after, &known), [Action::Start("a".into())]);
    }

    #[test]
    fn a_removed_provider_is_dropped_only_when_its_collector_has_ended() {
        let known = ["a".into()];
        assert_eq!(decide(&BTreeMap::new(), &HashMap::from([running("a", 1)]), &known), [Action::Stop("a".into())]);
        assert_eq!(decide(&BTreeMap::new(), &HashMap::new(), &known), [Action::Drop("a".into())]);
    }

    #[test]
    fn a_provider_whose_secret_can_not_be_read_is_left_as_it_is() {
        let targets = BTreeMap::from([("a".into(), None), ("b".into(), None)]);
        let running = HashMap::from([running("a", 1)]);
        assert_eq!(decide(&targets, &running, &["a".into(), "b".into()]), []);
    }

    #[test]
    fn only_the_secret_of_a_provider_is_news() {
        let mut provider = Provider::new("vc", forklift_api::ProviderSpec::default());
        provider.metadata.namespace = Some("ns".to_owned());
        provider.spec.secret.name = Some("login".to_owned());
        let mut state = State::default();
        state.take(Event::Apply(provider));
        let changed = |namespace: &str, name: &str| SecretChange::Changed {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        assert!(state.concerns(Some(&changed("ns", "login"))));
        assert!(!state.concerns(Some(&changed("ns", "other"))) && !state.concerns(Some(&changed("other", "login"))));
    }

    #[test]
    fn a_list_that_begins_anew_counts_when_it_is_complete() {
        let named = |name: &str| Provider::new(name, forklift_api::ProviderSpec::default());
        let mut state = State::default();
        state.take(Event::Apply(named("old")));
        state.take(Event::Init);
        state.take(Event::InitApply(named("new")));
        assert!(state.providers.contains_key(&(String::new(), "old".to_owned())));
        state.take(Event::InitDone);
        assert_eq!(state.providers.keys().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["new"]);
    }
}
