//! Looking: reads from provider, target and bus exactly what the state machine needs for its next step.

use forklift_api::virtual_machine_import::longshore::{EffectKind, EntryState, LongshoreStatus};
use forklift_api::{Phase, VirtualMachineImport, labels};
use kube::ResourceExt;

use super::Job;
use crate::context::Context;
use crate::error::Error;
use crate::reconcile::decide::{longshore, vm_id};
use crate::reconcile::plan::is_running;
use crate::schedule::{Load, schedule};
use crate::step::{Power, Problem, Seen, needs};

/// Prefix of the leases by which transfer workers show that they run.
const WORKERS: &str = "worker.transfer.";

pub(super) async fn look(context: &Context, job: &Job, status: &LongshoreStatus, cancel: bool) -> Result<Seen, Error> {
    let needs = needs(status, cancel);
    let unwinding = cancel || status.failure.is_some() || status.canceled;
    let mut seen = Seen { cancel, ..Seen::default() };
    if needs.turn {
        seen.turn = turn(context, job, status).await?;
    }
    if needs.preparation {
        seen.preparation = Some(prepare(context, job, status).await?);
    }
    if needs.power {
        seen.power = Some(power(context, job).await?);
        let shutdown = status.entry(EffectKind::ShutdownSource);
        if unwinding && matches!(shutdown, Some(EntryState::Intended | EntryState::Done)) {
            seen.superseded = superseded(context, job).await?;
        }
    }
    if needs.copy {
        let key = (job.migration(), job.vm());
        seen.copy_end = context.transfers().end(&key, status.attempt);
        seen.done_bytes = context.transfers().done_bytes(&key, status.attempt);
        if unwinding && seen.copy_end.is_none() {
            seen.copy_is_gone = copy_is_gone(context, job, status).await?;
        }
    }
    Ok(seen)
}

/// Only when its migration has begun; then as the limits allow.
async fn turn(context: &Context, job: &Job, status: &LongshoreStatus) -> Result<Option<Result<(), String>>, Error> {
    let owner = job.import.owner_references().first().map(|owner| owner.name.clone()).unwrap_or_default();
    let namespace = job.import.namespace().unwrap_or_default();
    let migration = context.store.get::<forklift_api::Migration>(&namespace, &owner).await?;
    if migration.and_then(|migration| migration.status).is_none_or(|status| status.started.is_none()) {
        return Ok(None);
    }
    let imports = context.caches.imports.state();
    let mut turns = context.turns();
    for import in &imports {
        let (uid, other) = (import.uid().unwrap_or_default(), longshore(import));
        match other.phase {
            Phase::Completed => drop(turns.remove(&uid)),
            Phase::Started => {}
            _ => drop(turns.entry(uid).or_insert_with(|| load(import, &other))),
        }
    }
    let own = load(&job.import, status);
    if turns.contains_key(&own.import) {
        return Ok(Some(Ok(())));
    }
    let mut waiting: Vec<_> = imports
        .iter()
        .filter(|import| waits(context, import) && !turns.contains_key(&import.uid().unwrap_or_default()))
        .collect();
    waiting.sort_by_key(|import| (import.creation_timestamp().map(|time| time.0), import.name_any()));
    let mut waiting: Vec<Load> = waiting.iter().map(|import| load(import, &longshore(import))).collect();
    if waiting.iter().all(|load| load.import != own.import) {
        waiting.push(own.clone());
    }
    let running: Vec<Load> = turns.values().cloned().collect();
    let plan = schedule(&running, &waiting, &context.options.limits);
    let verdict = plan.into_iter().find(|(load, _)| load.import == own.import).and_then(|(_, queued)| queued);
    Ok(Some(match verdict {
        None => {
            turns.insert(own.import.clone(), own);
            Ok(())
        }
        Some(queued) if queued.limit == "vm" => Err("waits for its turn: another migration of this VM runs".to_owned()),
        Some(queued) if queued.limit == "vms" => {
            Err(format!("waits for its turn: {} VMs are being copied, as many as the workers take", queued.max))
        }
        Some(queued) => Err(format!(
            "waits for its turn: the limit of {} disks at a time ({} {}) is reached",
            queued.max, queued.limit, queued.of
        )),
    }))
}

fn waits(context: &Context, import: &VirtualMachineImport) -> bool {
    let migration = import.labels().get(labels::MIGRATION);
    // One whose migration was refused or is gone never takes a turn and must not hold others up.
    if !context.caches.migrations.state().iter().any(|m| m.uid().as_ref() == migration && is_running(m)) {
        return false;
    }
    let status = longshore(import);
    status.phase == Phase::Started && status.failure.is_none() && !status.disks.is_empty()
}

fn load(import: &VirtualMachineImport, status: &LongshoreStatus) -> Load {
    let label = |name| import.labels().get(name).cloned().unwrap_or_default();
    Load {
        import: import.uid().unwrap_or_default(),
        provider: format!("{}/{}", label(labels::PROVIDER_NAMESPACE), label(labels::PROVIDER_NAME)),
        vm: vm_id(import),
        host: status.host.clone(),
        datastores: status.disks.iter().map(|disk| disk.datastore_id.clone()).collect(),
    }
}

/// Everything that can fail before the source is touched: room, a worker, the login, the VM's state, its descriptors.
async fn prepare(context: &Context, job: &Job, status: &LongshoreStatus) -> Result<Result<(), Problem>, Error> {
    if let Err(problem) = context.target.check_space(&Job::volumes(status)).await {
        return Ok(Err(problem));
    }
    let workers = context.bus.leases().list(WORKERS).await.map_err(|error| Error::Lease(error.into()))?;
    if workers.is_empty() {
        let message = "no transfer worker runs; start one with `longshore transfer` (or `longshore up`)";
        return Ok(Err(Problem::passing("NoTransferWorker", message)));
    }
    let Some(provider) = job.provider(context).await? else { return Ok(Err(provider_gone())) };
    Ok(context.sources.prepare(&provider, &job.vm(), &job.vm_name(), &status.disks).await)
}

/// A later import of the same VM has noted the source's power state: what becomes of the source is its business now.
/// Read from the store, for a cache that lags would power the source on in the middle of the other's copy.
async fn superseded(context: &Context, job: &Job) -> Result<bool, Error> {
    let label = |import: &VirtualMachineImport, name: &str| import.labels().get(name).cloned().unwrap_or_default();
    let vm = |import: &VirtualMachineImport| {
        (label(import, labels::PROVIDER_NAMESPACE), label(import, labels::PROVIDER_NAME), vm_id(import))
    };
    let began = |import: &VirtualMachineImport| longshore(import).started.map(|time| time.0);
    let later = |other: &VirtualMachineImport| {
        vm(other) == vm(&job.import)
            && other.uid() != job.import.uid()
            && longshore(other).source_was_on.is_some()
            && began(other) > began(&job.import)
    };
    Ok(context.store.list::<VirtualMachineImport>(None).await?.iter().any(later))
}

async fn power(context: &Context, job: &Job) -> Result<Result<Power, Problem>, Error> {
    let Some(provider) = job.provider(context).await? else { return Ok(Err(provider_gone())) };
    Ok(context.sources.power(&provider, &job.vm(), &job.vm_name()).await)
}

/// The provider of a running migration was deleted.
pub(super) fn provider_gone() -> Problem {
    Problem::passing(
        "SourceProviderNotValid",
        "the source provider was deleted while a migration needs it; bring the source into the state it shall have by hand",
    )
}

/// Nobody waits for the job or works on it: no message, no lease, and no lock on a volume, which outlasts a lease.
async fn copy_is_gone(context: &Context, job: &Job, status: &LongshoreStatus) -> Result<bool, Error> {
    if !status.ledger.iter().any(|entry| entry.effect == EffectKind::CopyDisks) {
        return Ok(true);
    }
    let subject = contract::subject::job(contract::job::COPY, &job.migration(), &job.vm())
        .map_err(|error| Error::Passing(error.to_string()))?;
    let waiting =
        context.bus.last::<contract::job::CopyRequested>(&subject).await.map_err(|e| Error::Follow(e.into()))?;
    let held = context.bus.leases().holder(&super::act::lease_key(job)).await.map_err(|e| Error::Lease(e.into()))?;
    let in_use = context.target.in_use(&Job::volumes(status)).await.map_err(|p| Error::Passing(p.message))?;
    Ok(waiting.is_none() && held.is_none() && !in_use)
}
