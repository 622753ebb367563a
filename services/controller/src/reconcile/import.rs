//! VirtualMachineImport: the shell around the state machine of one VM. It looks at what the machine needs, lets it
//! decide, writes the state down, and only then acts. It decides nothing itself.

mod act;
mod conditions;
mod look;

use std::sync::Arc;
use std::time::Duration;

use contract::event::PlanProgressed;
use contract::id::{MigrationUid, PlanUid, ProviderUid, VmId};
use forklift_api::virtual_machine_import::longshore::{EffectKind, EntryState, Failure, LongshoreStatus};
use forklift_api::{Migration, Phase, Plan, Provider, Time, VirtualMachineImport, labels};
use kube::ResourceExt;
use kube::runtime::controller::Action as Requeue;

use super::decide::{first_state, longshore, vm_id};
use super::{Outcome, settled};
use crate::context::Context;
use crate::error::Error;
use crate::step::{Event, step};
use crate::target::{Owner, Volume};

/// Holds an import whose ledger is open, so that deleting it takes its effects back first.
const FINALIZER: &str = "v2v.kubevirt.io/ledger";

/// Steps in one reconcile; a machine that has not come to rest by then goes on in the next.
const ROUNDS: usize = 40;

/// How soon a VM is looked at again while something outside is awaited that tells nothing by itself.
const POLL: Duration = Duration::from_secs(2);

pub(crate) async fn reconcile(import: Arc<VirtualMachineImport>, context: Arc<Context>) -> Outcome {
    let namespace = import.namespace().unwrap_or_default();
    let name = import.name_any();
    for _ in 0..ROUNDS {
        let Some(import) = context.store.get::<VirtualMachineImport>(&namespace, &name).await? else {
            context.turns().remove(&import.uid().unwrap_or_default());
            return Ok(settled());
        };
        if !round(&context, import).await? {
            break;
        }
    }
    let status = context.store.get::<VirtualMachineImport>(&namespace, &name).await?.map(|import| longshore(&import));
    Ok(status.map_or_else(settled, |status| requeue(&status)))
}

fn requeue(status: &LongshoreStatus) -> Requeue {
    let late = matches!(status.entry(EffectKind::ShutdownSource), Some(EntryState::Intended | EntryState::Done));
    if status.phase != Phase::Completed || late { Requeue::requeue(POLL) } else { settled() }
}

/// One look and what follows from it. Returns whether anything moved.
async fn round(context: &Context, import: VirtualMachineImport) -> Result<bool, Error> {
    let job = Job::new(import);
    let Some(status) = job.import.status.as_ref().and_then(|status| status.longshore.clone()) else {
        let first = job.first_state(context).await?;
        job.save(context, &first).await?;
        return Ok(true);
    };
    let cancel = job.cancel_wanted(context).await?;
    if status.succeeded() || (status.phase == Phase::Completed && !status.ledger_is_open()) {
        context.turns().remove(&job.uid());
        job.set_finalizer(context, false).await?;
        return Ok(false);
    }
    let seen = look::look(context, &job, &status, cancel).await?;
    let next = step(&status, &Event::Look(Box::new(seen)), context.now(), &context.options.deadlines());
    if next.status == status && next.actions.is_empty() {
        return Ok(false);
    }
    if next.status.phase == Phase::Completed {
        context.turns().remove(&job.uid());
    }
    let mut job = job;
    if next.status.ledger_is_open() {
        job.import = job.set_finalizer(context, true).await?;
    }
    if next.status != status {
        job.import = job.save(context, &next.status).await?;
        job.tell(context, &status, &next.status).await;
    }
    let mut status = next.status;
    for action in next.actions {
        let event = act::act(context, &job, &mut status, action).await?;
        let after = step(&status, &event, context.now(), &context.options.deadlines()).status;
        job.import = job.save(context, &after).await?;
        job.tell(context, &status, &after).await;
        status = after;
    }
    // A quiet repetition (a job that is revoked again) waits for the next poll.
    Ok(status.wait.is_none())
}

/// One import on its way through a reconcile.
pub(super) struct Job {
    pub import: VirtualMachineImport,
}

impl Job {
    fn new(import: VirtualMachineImport) -> Self {
        Self { import }
    }

    pub fn uid(&self) -> String {
        self.import.uid().unwrap_or_default()
    }

    pub fn vm(&self) -> VmId {
        VmId::from(vm_id(&self.import))
    }

    pub fn vm_name(&self) -> String {
        let vmware = self.import.spec.source.vmware.as_ref();
        vmware.and_then(|source| source.vm.name.clone()).unwrap_or_default()
    }

    pub fn label(&self, name: &str) -> String {
        self.import.labels().get(name).cloned().unwrap_or_default()
    }

    pub fn migration(&self) -> MigrationUid {
        MigrationUid::from(self.label(labels::MIGRATION))
    }

    pub fn target_namespace(status: &LongshoreStatus) -> String {
        let manifest = status.virtual_machine.as_ref();
        manifest.and_then(|vm| vm["metadata"]["namespace"].as_str()).unwrap_or_default().to_owned()
    }

    pub fn volumes(status: &LongshoreStatus) -> Vec<Volume> {
        let namespace = Self::target_namespace(status);
        let volume = |disk: &forklift_api::virtual_machine_import::longshore::DiskStatus| Volume {
            namespace: namespace.clone(),
            claim: disk.claim.clone(),
            storage_class: disk.storage_class.clone(),
            capacity: u64::try_from(disk.capacity).unwrap_or(0),
        };
        status.disks.iter().map(volume).collect()
    }

    /// This import, heir of the same plan's earlier imports of the VM that ended without success.
    pub fn owner(&self, context: &Context) -> Owner {
        let (plan, vm) = (self.label(labels::PLAN), vm_id(&self.import));
        let earlier = |other: &Arc<VirtualMachineImport>| {
            let status = longshore(other);
            other.labels().get(labels::PLAN) == Some(&plan)
                && vm_id(other) == vm
                && other.uid() != self.import.uid()
                && status.completed.is_some()
                && !status.succeeded()
        };
        let all = context.caches.imports.state();
        Owner { uid: self.uid(), heirs_of: all.iter().filter(|i| earlier(i)).filter_map(|i| i.uid()).collect() }
    }

    /// The source provider as it is now.
    pub async fn provider(&self, context: &Context) -> Result<Option<Provider>, Error> {
        let (namespace, name) = (self.label(labels::PROVIDER_NAMESPACE), self.label(labels::PROVIDER_NAME));
        let provider = context.store.get::<Provider>(&namespace, &name).await?;
        // One made anew under the same name may be another vCenter, where the same id is another VM.
        let uid = self.label(labels::PROVIDER);
        Ok(provider.filter(|provider| provider.uid().is_some_and(|own| own == uid)))
    }

    async fn first_state(&self, context: &Context) -> Result<LongshoreStatus, Error> {
        let plan =
            context.store.get::<Plan>(&self.label(labels::PLAN_NAMESPACE), &self.label(labels::PLAN_NAME)).await?;
        let provider = self.provider(context).await?.and_then(|provider| provider.uid()).map(ProviderUid::from);
        let now = Time(context.now());
        let (Some(plan), Some(provider)) = (plan, provider) else {
            return Ok(stillborn("PlanNotValid", "the plan or its source provider was deleted".into(), &now));
        };
        let index = context.index();
        let Some(inventory) = index.provider(&provider).filter(|known| index.is_complete() && known.is_synced()) else {
            return Err(Error::Passing(format!("the inventory of provider {provider} is not complete")));
        };
        let first = first_state(&self.import, &plan.spec, inventory, |volume| context.target.path(volume));
        Ok(first.unwrap_or_else(|problem| stillborn(&problem.reason, problem.message, &now)))
    }

    /// The import or its migration is being deleted, or the migration's `spec.cancel` names the VM.
    async fn cancel_wanted(&self, context: &Context) -> Result<bool, Error> {
        if self.import.metadata.deletion_timestamp.is_some() {
            return Ok(true);
        }
        let owner = self.import.owner_references().iter().find(|owner| owner.kind == "Migration");
        let Some(owner) = owner else { return Ok(false) };
        let namespace = self.import.namespace().unwrap_or_default();
        let migration = context.store.get::<Migration>(&namespace, &owner.name).await?;
        let Some(migration) = migration.filter(|migration| migration.uid().as_ref() == Some(&owner.uid)) else {
            return Ok(true);
        };
        let (id, name) = (vm_id(&self.import), self.vm_name());
        let named = migration.spec.cancel.iter().any(|vm| match vm.id.as_deref().filter(|id| !id.is_empty()) {
            Some(wanted) => wanted == id,
            None => vm.name.as_deref() == Some(name.as_str()),
        });
        Ok(named || migration.metadata.deletion_timestamp.is_some())
    }

    async fn save(&self, context: &Context, status: &LongshoreStatus) -> Result<VirtualMachineImport, Error> {
        let mut import = self.import.clone();
        let mut whole = import.status.take().unwrap_or_default();
        whole.target_vm_name = import.spec.target_vm_name.clone();
        whole.conditions = conditions::of(status, &whole.conditions, &Time(context.now()));
        whole.data_volumes = status
            .disks
            .iter()
            .map(|disk| forklift_api::virtual_machine_import::DataVolumeItem { name: disk.claim.clone() })
            .collect();
        whole.longshore = Some(status.clone());
        import.status = Some(whole);
        Ok(context.store.replace_status(&import).await?)
    }

    async fn set_finalizer(&self, context: &Context, wanted: bool) -> Result<VirtualMachineImport, Error> {
        let mut import = self.import.clone();
        let finalizers = import.metadata.finalizers.get_or_insert_default();
        if finalizers.iter().any(|name| name == FINALIZER) == wanted {
            return Ok(import);
        }
        if wanted {
            finalizers.push(FINALIZER.to_owned());
        } else {
            finalizers.retain(|name| name != FINALIZER);
        }
        Ok(context.store.replace(&import).await?)
    }

    /// Tells subscribers of a new phase. A lost message only costs a line of history; the resource has the truth.
    async fn tell(&self, context: &Context, before: &LongshoreStatus, after: &LongshoreStatus) {
        if before.phase == after.phase {
            return;
        }
        tracing::info!(vm = %self.vm(), name = %self.vm_name(), phase = %after.phase, "vm.phase");
        let progressed = PlanProgressed {
            plan: PlanUid::from(self.label(labels::PLAN)),
            plan_name: format!("{}/{}", self.label(labels::PLAN_NAMESPACE), self.label(labels::PLAN_NAME)),
            migration: self.migration(),
            vm: self.vm(),
            vm_name: self.vm_name(),
            phase: after.phase.to_string(),
            resource_version: self.import.resource_version().unwrap_or_default(),
        };
        if let Err(error) = context.bus.publish(&progressed).await {
            tracing::warn!(vm = %self.vm(), error = &error as &dyn std::error::Error, "plan.progress not published");
        }
    }
}

/// An import that ends before anything was touched.
fn stillborn(reason: &str, message: String, now: &Time) -> LongshoreStatus {
    LongshoreStatus {
        phase: Phase::Completed,
        failure: Some(Failure { phase: Phase::Started, reason: reason.to_owned(), message }),
        completed: Some(now.clone()),
        progressed: Some(now.clone()),
        ..LongshoreStatus::default()
    }
}
