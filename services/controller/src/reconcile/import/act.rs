//! Acting: one outside effect each, named by the state machine and already in the ledger. Every one can be repeated.

use bus::PublishError;
use contract::id::{PlanUid, ProviderUid};
use contract::job::{COPY, CopyRequested, DiskJob, DiskSource, DiskTarget, Pass};
use contract::subject;
use forklift_api::labels;
use forklift_api::virtual_machine_import::longshore::LongshoreStatus;
use kube::ResourceExt;
use serde_json::json;

use super::Job;
use super::look::provider_gone;
use crate::context::Context;
use crate::error::Error;
use crate::step::{Action, Event, Problem};

/// Does one thing. What stood in its way is an event like any other: the state machine knows how long to wait.
pub(super) async fn act(
    context: &Context,
    job: &Job,
    status: &mut LongshoreStatus,
    action: Action,
) -> Result<Event, Error> {
    let volumes = Job::volumes(status);
    let owner = job.owner(context);
    let namespace = Job::target_namespace(status);
    let name = job.import.spec.target_vm_name.clone().unwrap_or_default();
    tracing::info!(vm = %job.vm(), name = %job.vm_name(), action = ?action, "import.action");
    let done = match action {
        Action::PublishCopy => return publish(context, job, status).await,
        Action::CreateVolumes => context.target.create_volumes(&volumes, &owner).await,
        Action::RemoveVolumes => context.target.remove_volumes(&volumes, &owner).await,
        Action::CreateVm => create_vm(context, job, status).await,
        Action::RemoveVm => context.target.remove_vm(&namespace, &name, &owner).await,
        Action::RevokeCopy => revoke(context, job).await.map(Ok)?,
        Action::ShutdownSource | Action::PowerOnSource => match job.provider(context).await? {
            Some(provider) if action == Action::ShutdownSource => {
                context.sources.shutdown_guest(&provider, &job.vm(), &job.vm_name()).await
            }
            Some(provider) => context.sources.power_on(&provider, &job.vm(), &job.vm_name()).await,
            None => Err(provider_gone()),
        },
    };
    Ok(ended(action, done))
}

fn ended(action: Action, done: Result<(), Problem>) -> Event {
    match done {
        Ok(()) => Event::Done(action),
        Err(problem) => Event::Failed(action, problem),
    }
}

async fn create_vm(context: &Context, job: &Job, status: &mut LongshoreStatus) -> Result<(), Problem> {
    let Some(mut manifest) = status.virtual_machine.clone() else {
        return Err(Problem::lasting(
            "VirtualMachineNotCreated",
            "the import has lost its VirtualMachine; create a new Migration",
        ));
    };
    let running = job.import.spec.start_vm.or(status.source_was_on).unwrap_or(false);
    manifest["spec"]["runStrategy"] = json!(if running { "Always" } else { "Halted" });
    let handed = context.target.create_vm(&manifest, &Job::volumes(status), &job.owner(context)).await?;
    status.manifest = Some(handed.manifest.to_string_lossy().into_owned());
    status.command = Some(handed.command);
    Ok(())
}

/// The rule of design §7: an outcome for this attempt? else publish; an attempt that was used up is followed by a
/// new one, which is written down before it is published.
async fn publish(context: &Context, job: &Job, status: &mut LongshoreStatus) -> Result<Event, Error> {
    let action = Action::PublishCopy;
    if context.transfers().end(&(job.migration(), job.vm()), status.attempt).is_some() {
        return Ok(Event::Done(action));
    }
    let Some(provider) = job.provider(context).await? else { return Ok(ended(action, Err(provider_gone()))) };
    let request = match request(job, status, &ProviderUid::from(provider.uid().unwrap_or_default())) {
        Ok(request) => request,
        Err(problem) => return Ok(ended(action, Err(problem))),
    };
    match context.bus.publish_job(&request).await {
        Ok(_) => Ok(Event::Done(action)),
        Err(PublishError::AttemptSpent { .. }) => {
            status.attempt += 1;
            Ok(Event::Look(Box::default()))
        }
        Err(error) => Ok(ended(action, Err(Problem::passing("JobNotPublished", runtime::chain(&error))))),
    }
}

fn request(job: &Job, status: &LongshoreStatus, provider: &ProviderUid) -> Result<CopyRequested, Problem> {
    let disk = |disk: &forklift_api::virtual_machine_import::longshore::DiskStatus| {
        let no_path =
            || Problem::lasting("StorageClassNotFound", format!("disk {} has no place on this machine", disk.name));
        Ok(DiskJob {
            key: disk.key,
            name: disk.name.clone(),
            source: DiskSource::VsphereDatastore {
                file: disk.file.clone(),
                datacenter: disk.datacenter.clone(),
                datastore: disk.datastore.clone(),
            },
            capacity: u64::try_from(disk.capacity).unwrap_or(0),
            target: DiskTarget::LocalFile { path: disk.path.clone().ok_or_else(no_path)? },
            base_change_id: None,
        })
    };
    Ok(CopyRequested {
        migration: job.migration(),
        plan: PlanUid::from(job.label(labels::PLAN)),
        namespace: job.label(labels::PROVIDER_NAMESPACE),
        attempt: status.attempt,
        provider: provider.clone(),
        provider_name: job.label(labels::PROVIDER_NAME),
        vm: job.vm(),
        vm_name: job.vm_name(),
        pass: Pass { number: 0, last: true },
        disks: status.disks.iter().map(disk).collect::<Result<_, Problem>>()?,
    })
}

/// Takes the job out of the queue if it still waits, and its lease from the worker that has it.
async fn revoke(context: &Context, job: &Job) -> Result<(), Error> {
    let subject = subject::job(COPY, &job.migration(), &job.vm()).map_err(|e| Error::Passing(e.to_string()))?;
    context.bus.withdraw_job(&subject).await.map_err(|error| Error::Publish(error.into()))?;
    context.bus.leases().revoke(&lease_key(job)).await.map_err(|error| Error::Lease(error.into()))
}

/// Key of the lease a worker holds while it works on the copy job of a VM.
pub(super) fn lease_key(job: &Job) -> String {
    let token =
        |text: &str| contract::subject::Token::new(text).map(|token| token.as_str().to_owned()).unwrap_or_default();
    format!("job.{COPY}.{}.{}", token(job.migration().as_str()), token(job.vm().as_str()))
}
