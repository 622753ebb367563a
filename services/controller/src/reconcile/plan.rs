//! Plan: whether it can run, and how its migrations went.

use std::sync::Arc;

use forklift_api::plan::PlanMigration;
use forklift_api::{Category, Condition, Conditions, Migration, Plan, Time, VirtualMachineImport, VmStatus};
use kube::ResourceExt;

use super::decide::{self, imports_of, longshore, vm_id};
use super::{Outcome, settled};
use crate::conditions::renew;
use crate::context::Context;
use crate::pipeline::vm_status;

pub(crate) async fn reconcile(plan: Arc<Plan>, context: Arc<Context>) -> Outcome {
    let namespace = plan.namespace().unwrap_or_default();
    let Some(mut plan) = context.store.get::<Plan>(&namespace, &plan.name_any()).await? else {
        return Ok(settled());
    };
    let migrations = migrations_of(&context, &plan);
    let running = migrations.iter().find(|migration| is_running(migration));
    let decision = decide::plan(&context, &plan, running.is_some()).await?;
    let now = Time(context.now());
    let last = migrations.last().map(AsRef::as_ref);
    let mut status = plan.status.clone().unwrap_or_default();
    status.migration = reflect(&context, &plan, last, status.migration.take());
    let mut found = decision.findings.conditions(&now);
    found.extend(progress(last, running.is_some(), all_succeeded(&plan, status.migration.as_ref()), &now));
    renew(&mut status.conditions, found, &now);
    status.observed_generation = plan.metadata.generation;
    if plan.status.as_ref() != Some(&status) {
        plan.status = Some(status);
        context.store.replace_status(&plan).await?;
    }
    Ok(settled())
}

/// Migrations of a plan that were started, oldest first.
fn migrations_of(context: &Context, plan: &Plan) -> Vec<Arc<Migration>> {
    let of_plan = |migration: &Arc<Migration>| {
        let namespace = migration.spec.plan.namespace.clone().or_else(|| migration.namespace());
        migration.spec.plan.name.as_ref() == plan.metadata.name.as_ref()
            && namespace == plan.namespace()
            && migration.status.as_ref().is_some_and(|status| status.started.is_some())
    };
    let mut found: Vec<_> = context.caches.migrations.state().into_iter().filter(of_plan).collect();
    found.sort_by_key(|migration| migration.status.as_ref().and_then(|s| s.started.as_ref()).map(|time| time.0));
    found
}

/// Started and not ended.
pub(crate) fn is_running(migration: &Migration) -> bool {
    migration.status.as_ref().is_some_and(|status| status.started.is_some() && status.completed.is_none())
}

fn progress(last: Option<&Migration>, running: bool, all_succeeded: bool, now: &Time) -> Vec<Condition> {
    let advisory = |type_: &str| Condition::new(type_, Category::Advisory, now.clone());
    if running {
        return vec![advisory("Executing").message("a migration of this plan runs")];
    }
    if all_succeeded {
        return vec![advisory("Succeeded").message("all VMs of the plan were migrated")];
    }
    let conditions = last.and_then(|migration| migration.status.as_ref()).map(|status| &status.conditions);
    let Some(conditions) = conditions else { return Vec::new() };
    let told = ["Succeeded", "Failed", "Canceled"].into_iter().filter(|type_| conditions.is_true(type_));
    told.map(|type_| advisory(type_).message("the plan's last migration")).collect()
}

fn all_succeeded(plan: &Plan, migration: Option<&PlanMigration>) -> bool {
    let succeeded = migration.map_or(0, |migration| migration.vms.iter().filter(|vm| has_succeeded(vm)).count());
    succeeded > 0 && succeeded >= plan.spec.vms.len()
}

/// A VM that is on the target, whatever became of the migration that brought it there.
pub(crate) fn has_succeeded(vm: &VmStatus) -> bool {
    vm.conditions.is_true("Succeeded")
}

/// The newest import of each VM, in the order in which their migrations began. A VM that succeeded is remembered
/// when its migration is deleted, so that a later one doesn't take it again.
fn reflect(
    context: &Context,
    plan: &Plan,
    last: Option<&Migration>,
    old: Option<PlanMigration>,
) -> Option<PlanMigration> {
    let old = old.unwrap_or_default();
    let mut vms: Vec<VmStatus> = old.vms.into_iter().filter(has_succeeded).collect();
    let mut imports = imports_of(context, plan);
    imports.sort_by_key(|import| import.creation_timestamp().map(|time| time.0));
    for import in &imports {
        let told = reflect_vm(import);
        match vms.iter_mut().find(|vm| vm.vm.id == told.vm.id) {
            Some(vm) => *vm = told,
            None => vms.push(told),
        }
    }
    let status = last.and_then(|migration| migration.status.as_ref());
    let (started, completed) = match status {
        Some(status) => (status.started.clone(), status.completed.clone()),
        None => (old.started, old.completed),
    };
    let told = started.is_some() || !vms.is_empty();
    told.then_some(PlanMigration { started, completed, history: old.history, vms })
}

/// How one VM stands, for its Plan and Migration.
pub(crate) fn reflect_vm(import: &VirtualMachineImport) -> VmStatus {
    let vmware = import.spec.source.vmware.as_ref();
    let name = vmware.and_then(|source| source.vm.name.clone()).unwrap_or_default();
    let target = import.spec.target_vm_name.clone().unwrap_or_default();
    vm_status(&vm_id(import), &name, &target, &longshore(import))
}
