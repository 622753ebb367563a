//! Migration: makes one import a VM when its plan may run, and sums up how they ended. A plan has at most one
//! running migration; a second one is refused for good, so that it never starts unwatched later.

use std::sync::Arc;

use contract::event::MigrationFinished;
use contract::id::{MigrationUid, PlanUid, VmId};
use forklift_api::{Category, Condition, Migration, MigrationStatus, Plan, Time, VirtualMachineImport, labels};
use kube::ResourceExt;

use super::decide::{self, longshore, vm_id};
use super::plan::{is_running, reflect_vm};
use super::{Outcome, settled};
use crate::conditions::renew;
use crate::context::Context;
use crate::error::Error;
use crate::validate::findings::{Finding, Findings};
use crate::validate::settings;

static NO_PLAN: Finding =
    Finding::critical("PlanNotValid", "NotFound", "the plan does not exist; create it or correct `spec.plan`");

pub(crate) async fn reconcile(migration: Arc<Migration>, context: Arc<Context>) -> Outcome {
    let namespace = migration.namespace().unwrap_or_default();
    let Some(migration) = context.store.get::<Migration>(&namespace, &migration.name_any()).await? else {
        return Ok(settled());
    };
    let status = migration.status.clone().unwrap_or_default();
    if status.completed.is_some() || migration.metadata.deletion_timestamp.is_some() {
        return Ok(settled());
    }
    let plan: Option<Plan> = context.referred(&migration.spec.plan, &namespace).await?;
    let new = match (&status.started, plan) {
        (Some(_), plan) => follow(&context, &migration, plan.as_ref(), status).await?,
        (None, Some(plan)) => start(&context, &migration, &plan, status).await?,
        (None, None) => {
            let mut findings = Findings::default();
            findings.add(&NO_PLAN, migration.spec.plan.name.clone());
            not_started(&context, status, findings)
        }
    };
    write(&context, migration, new).await?;
    Ok(settled())
}

async fn write(context: &Context, mut migration: Migration, mut status: MigrationStatus) -> Result<(), Error> {
    status.observed_generation = migration.metadata.generation;
    if migration.status.as_ref() != Some(&status) {
        migration.status = Some(status);
        context.store.replace_status(&migration).await?;
    }
    Ok(())
}

async fn start(
    context: &Context,
    migration: &Migration,
    plan: &Plan,
    status: MigrationStatus,
) -> Result<MigrationStatus, Error> {
    let mut findings = Findings::default();
    settings::migration(migration, &mut findings);
    if findings.blocked() {
        return Ok(not_started(context, status, findings));
    }
    if let Some(other) = other_running(context, migration).await? {
        return Ok(refused(context, status, plan, &other));
    }
    let decision = decide::plan(context, plan, false).await?;
    if decision.findings.blocked() {
        let mut status = not_started(context, status, findings);
        let blocked = Condition::new("PlanNotReady", Category::Critical, Time(context.now()));
        let message = format!("plan `{}` is not Ready: {}", plan.name_any(), decision.findings.blockers());
        renew(&mut status.conditions, vec![blocked.reason("NotReady").message(message)], &Time(context.now()));
        return Ok(status);
    }
    for vm in &decision.vms {
        match context.store.create(&decide::import(vm, plan, migration)).await {
            Ok(_) | Err(store::Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let now = Time(context.now());
    tracing::info!(migration = %migration.name_any(), plan = %plan.name_any(), vms = decision.vms.len(), "migration.started");
    let mut status = MigrationStatus { started: Some(now.clone()), ..status };
    let mut found = findings.conditions(&now);
    found.push(Condition::new("Running", Category::Advisory, now.clone()).message("the migration runs"));
    renew(&mut status.conditions, found, &now);
    Ok(status)
}

fn not_started(context: &Context, mut status: MigrationStatus, findings: Findings) -> MigrationStatus {
    let now = Time(context.now());
    renew(&mut status.conditions, findings.conditions(&now), &now);
    status
}

/// Read from the store and not from a cache: two migrations must not both see the other as not yet started.
async fn other_running(context: &Context, migration: &Migration) -> Result<Option<String>, Error> {
    let plan_of = |m: &Migration| {
        let reference = &m.spec.plan;
        (reference.name.clone(), reference.namespace.clone().or_else(|| m.namespace()))
    };
    let all = context.store.list::<Migration>(None).await?;
    let other = all
        .iter()
        .find(|other| other.uid() != migration.uid() && plan_of(other) == plan_of(migration) && is_running(other));
    Ok(other.map(ResourceExt::name_any))
}

fn refused(context: &Context, mut status: MigrationStatus, plan: &Plan, other: &str) -> MigrationStatus {
    let now = Time(context.now());
    let message = format!(
        "migration `{other}` of plan `{}` runs; a plan has one running migration at a time. This one will not start: delete it, wait for `{other}`, then create a new one if VMs are left",
        plan.name_any()
    );
    let condition =
        |type_: &str, category| Condition::new(type_, category, now.clone()).durable().message(message.clone());
    let found = vec![
        condition("PlanNotReady", Category::Critical).reason("MigrationRunning"),
        condition("Failed", Category::Advisory).reason("MigrationRunning"),
    ];
    renew(&mut status.conditions, found, &now);
    status.completed = Some(now);
    status
}

async fn follow(
    context: &Context,
    migration: &Migration,
    plan: Option<&Plan>,
    mut status: MigrationStatus,
) -> Result<MigrationStatus, Error> {
    let uid = migration.uid().unwrap_or_default();
    let all = context.store.list::<VirtualMachineImport>(migration.namespace().as_deref()).await?;
    let imports: Vec<_> =
        all.into_iter().filter(|import| import.labels().get(labels::MIGRATION) == Some(&uid)).collect();
    status.vms = imports.iter().map(reflect_vm).collect();
    let now = Time(context.now());
    let ended = imports.iter().all(|import| longshore(import).completed.is_some());
    if !ended {
        return Ok(status);
    }
    let (succeeded, failed): (Vec<_>, Vec<_>) = imports.iter().partition(|import| longshore(import).succeeded());
    let canceled = failed.iter().filter(|import| longshore(import).canceled).count();
    let condition = |type_: &str| Condition::new(type_, Category::Advisory, now.clone()).durable();
    let end = match (failed.len(), canceled) {
        (0, _) => condition("Succeeded").message(format!("{} of {} VMs were migrated", succeeded.len(), imports.len())),
        (failed, canceled) if failed == canceled => {
            condition("Canceled").message(format!("{canceled} VMs were canceled"))
        }
        (failed, _) => condition("Failed")
            .message(format!("{failed} of {} VMs were not migrated; see `status.vms`", imports.len())),
    };
    renew(&mut status.conditions, vec![end], &now);
    status.completed = Some(now);
    let ids = |imports: Vec<&VirtualMachineImport>| imports.into_iter().map(|i| VmId::from(vm_id(i))).collect();
    let finished = MigrationFinished {
        migration: MigrationUid::from(uid),
        plan: PlanUid::from(plan.and_then(ResourceExt::uid).unwrap_or_default()),
        succeeded: ids(succeeded),
        failed: ids(failed),
    };
    tracing::info!(migration = %migration.name_any(), succeeded = finished.succeeded.len(), failed = finished.failed.len(), "migration.finished");
    if !finished.plan.as_str().is_empty() {
        // A duplicate is as good: the id is the migration, which ends once.
        let _ = context.bus.publish(&finished).await.map_err(|error| Error::Publish(error.into()))?;
    }
    Ok(status)
}
