//! The wiring: watches fill caches and pull triggers, followers fill the indexes, and one applier a kind drives its
//! reconciler. Appliers start when the indexes are complete, so that nothing is decided on half a picture.

use std::convert::Infallible;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use kube::Resource;
use kube::runtime::controller::{Action, Config, Error as ApplierError, applier};
use kube::runtime::reflector::{self, ObjectRef};
use runtime::Kind;
use store::Event;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use crate::context::Context;
use crate::error::Error;
use crate::follow::{self, CaughtUp};
use crate::reconcile::{self, RETRY};
use crate::triggers::{Queues, Triggers};
use crate::{Controller, Writers};

/// Changes of one object that come together are looked at once.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// How often what lost its owner is looked for; a deletion does it at once, but not for what finalizers held.
const CLEAN_UP: Duration = Duration::from_secs(60);
/// Reconciles of one kind at a time.
const CONCURRENCY: u16 = 8;

impl Controller {
    /// Runs until the shutdown of its process.
    pub async fn run(self) -> Result<(), Error> {
        let Self { context, writers, triggers, queues, process } = self;
        context.store.garbage_collect().await?;
        let (caught_up, mut complete) = watch::channel(CaughtUp::default());
        let caught_up = Arc::new(caught_up);
        start_watches(&process, &context, &triggers, writers);
        follow::start(&process, &context, &triggers, &caught_up);
        let stop = process.shutdown.token();
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            ready = complete.wait_for(|state| state.all()) => drop(ready),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = context.caches.filled() => {}
        }
        process.health.probe("controller").ready();
        start_appliers(&process, &context, queues);
        // Whatever happened while no controller ran is found by looking at everything once.
        triggers.open(&context.caches).await;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(CLEAN_UP) => {}
            }
            if let Err(error) = context.store.garbage_collect().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "owner clean-up failed; it is tried again");
            }
        }
        context.sources.close().await;
        Ok(())
    }
}

fn start_watches(process: &runtime::Process, context: &Arc<Context>, triggers: &Triggers, writers: Writers) {
    macro_rules! feed {
        ($name:literal, $writer:expr, $method:ident) => {
            let (shared, pull) = (context.clone(), triggers.clone());
            let token = process.shutdown.token();
            let feed = watch_kind(shared.clone(), $writer, move |object| {
                let (shared, pull) = (shared.clone(), pull.clone());
                async move { pull.$method(&shared.caches, &object).await }.boxed()
            });
            process.tasks.spawn($name, Kind::Service, async move {
                tokio::select! { () = token.cancelled() => Ok(()), result = feed => result }
            });
        };
    }
    feed!("controller.watch.providers", writers.providers, provider);
    feed!("controller.watch.networkmaps", writers.network_maps, network_map);
    feed!("controller.watch.storagemaps", writers.storage_maps, storage_map);
    feed!("controller.watch.plans", writers.plans, plan);
    feed!("controller.watch.migrations", writers.migrations, migration);
    feed!("controller.watch.imports", writers.imports, import);
    let (shared, pull, token) = (context.clone(), triggers.clone(), process.shutdown.token());
    process.tasks.spawn("controller.watch.secrets", Kind::Service, async move {
        let mut changes = shared.secrets.changes();
        loop {
            tokio::select! {
                () = token.cancelled() => return Ok::<(), Infallible>(()),
                change = changes.next() => match change {
                    Some(_) => pull.secret(&shared.caches).await,
                    None => return Ok(()),
                },
            }
        }
    });
}

/// Feeds a cache and pulls the triggers of what changed. A watch error is told and the watch goes on by itself.
async fn watch_kind<K>(
    context: Arc<Context>,
    mut writer: reflector::store::Writer<K>,
    pull: impl Fn(K) -> BoxFuture<'static, ()>,
) -> Result<(), Error>
where
    K: store::Object + Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    let mut events = context.store.watch::<K>(None).await?;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                writer.apply_watcher_event(&event);
                match event {
                    Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => pull(object).await,
                    Event::Init | Event::InitDone => {}
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "controller.watch failed; it goes on");
            }
        }
    }
    Ok(())
}

fn start_appliers(process: &runtime::Process, context: &Arc<Context>, queues: Queues) {
    let caches = &context.caches;
    let start = Starter { process, context };
    start.applier(
        "controller.providers",
        caches.providers.clone(),
        queues.providers,
        CONCURRENCY,
        reconcile::provider::reconcile,
    );
    start.applier(
        "controller.networkmaps",
        caches.network_maps.clone(),
        queues.network_maps,
        CONCURRENCY,
        reconcile::map::network,
    );
    start.applier(
        "controller.storagemaps",
        caches.storage_maps.clone(),
        queues.storage_maps,
        CONCURRENCY,
        reconcile::map::storage,
    );
    start.applier("controller.plans", caches.plans.clone(), queues.plans, CONCURRENCY, reconcile::plan::reconcile);
    // One at a time: two migrations of one plan must not both see the other as not yet started.
    start.applier(
        "controller.migrations",
        caches.migrations.clone(),
        queues.migrations,
        1,
        reconcile::migration::reconcile,
    );
    start.applier(
        "controller.imports",
        caches.imports.clone(),
        queues.imports,
        CONCURRENCY,
        reconcile::import::reconcile,
    );
}

struct Starter<'a> {
    process: &'a runtime::Process,
    context: &'a Arc<Context>,
}

impl Starter<'_> {
    fn applier<K, F>(
        &self,
        name: &'static str,
        cache: reflector::Store<K>,
        queue: mpsc::Receiver<ObjectRef<K>>,
        concurrency: u16,
        reconcile: fn(Arc<K>, Arc<Context>) -> F,
    ) where
        K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
        F: Future<Output = reconcile::Outcome> + Send + 'static,
    {
        let token = self.process.shutdown.token();
        let queue = ReceiverStream::new(queue).map(Ok::<_, Infallible>);
        let config = Config::default().debounce(DEBOUNCE).concurrency(concurrency);
        let run = applier(
            move |object, context| reconcile(object, context).boxed(),
            |_, _, _| Action::requeue(RETRY),
            self.context.clone(),
            cache,
            queue,
            config,
        );
        self.process.tasks.spawn(name, Kind::Service, async move {
            let reconciled = run.for_each(|result| async move { report(name, result.err()) });
            // A reconcile that is cut off in the middle is repeated at the next start like any other.
            tokio::select! { () = token.cancelled() => {}, () = reconciled => {} }
            Ok::<(), Infallible>(())
        });
    }
}

fn report(name: &str, error: Option<ApplierError<Error, Infallible>>) {
    match error {
        // A conflict is the store's way to say: read again; that is what happens.
        Some(ApplierError::ReconcilerFailed(Error::Store(error), object)) if error.is_conflict() => {
            tracing::debug!(reconciler = name, object = %object, "reconcile.again");
        }
        Some(ApplierError::ReconcilerFailed(error, object)) => {
            tracing::warn!(reconciler = name, object = %object, error = &error as &dyn std::error::Error, "reconcile.failed");
        }
        Some(ApplierError::ObjectNotFound(_)) | None => {}
        Some(error) => tracing::error!(reconciler = name, error = &error as &dyn std::error::Error, "applier.failed"),
    }
}
