//! Whether a plan can run, as conditions with Forklift's names, and what exactly it would do to each VM. All pure:
//! the reconcilers hand in what they read. What is not understood is refused here, never ignored later.

pub mod findings;
pub mod mapping;
pub mod provider;
pub mod settings;
#[cfg(test)]
mod tests;
mod vm;
mod vms;

use std::collections::HashSet;

use contract::vsphere::Workload;
use forklift_api::plan::MigrationType;
use forklift_api::{Category, Conditions, NetworkMap, Plan, Provider, StorageMap};

use crate::index::ProviderIndex;
use crate::vm::manifest::NicTarget;
use findings::{Finding, Findings};

/// Everything a plan's verdict depends on.
pub struct Input<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its source provider, if it exists.
    pub source: Option<&'a Provider>,
    /// Its target provider, if it exists.
    pub destination: Option<&'a Provider>,
    /// Its network map, if it exists.
    pub network_map: Option<&'a NetworkMap>,
    /// Its storage map, if it exists.
    pub storage_map: Option<&'a StorageMap>,
    /// What the inventory tells of the source; none before it is known completely.
    pub inventory: Option<&'a ProviderIndex>,
    /// Version of the rules that judge now; an assessment by others is out of date.
    pub active_rules: Option<&'a str>,
    /// VMs of this plan that are on the target already: they are not judged again.
    pub succeeded: &'a HashSet<String>,
    /// A migration of the plan runs: its VMs are as it made them and are not judged.
    pub executing: bool,
    /// Names of VMs in the target namespace that aren't this plan's own.
    pub taken_names: &'a HashSet<String>,
}

/// One VM as the plan will migrate it.
#[derive(Clone, Debug)]
pub struct ResolvedVm<'a> {
    /// The VM with its host and cluster.
    pub workload: &'a Workload,
    /// Its name on the target.
    pub target_name: String,
    /// One per network card, in order.
    pub nics: Vec<NicTarget>,
    /// Storage class of each disk, in order.
    pub storage_classes: Vec<String>,
    /// Whether the target is to run: always, never, or as the source did.
    pub run: Option<bool>,
}

/// What is wrong with a plan, and what it would do.
pub struct Verdict<'a> {
    /// What was found.
    pub findings: Findings,
    /// The VMs that could be resolved and have not succeeded yet, in the plan's order.
    pub vms: Vec<ResolvedVm<'a>>,
}

static SOURCE_NOT_VALID: Finding = Finding::critical(
    "SourceProviderNotValid",
    "NotFound",
    "the source provider does not exist or can't be a source; create it or correct `spec.provider.source`",
);
static SOURCE_NOT_READY: Finding = Finding::critical(
    "SourceProviderNotReady",
    "NotReady",
    "the source provider is not Ready; see its conditions (`longshore get provider NAME -o yaml`)",
);
static DESTINATION_NOT_VALID: Finding = Finding::critical(
    "DestinationProviderNotValid",
    "TypeNotValid",
    "the destination must be a provider of type openshift; on one machine the provider `host` means this machine",
);
static DESTINATION_NOT_READY: Finding = Finding::critical(
    "DestinationProviderNotReady",
    "NotReady",
    "the destination provider is not Ready; see its conditions",
);
static NAMESPACE_NOT_VALID: Finding =
    Finding::critical("NamespaceNotValid", "NotDNS", "`spec.targetNamespace` must be a DNS label (RFC 1123)");
static NETWORK_MAP_NOT_FOUND: Finding = Finding::critical(
    "NetworkMapRefNotValid",
    "NotFound",
    "the network map does not exist; create it or correct `spec.map.network`",
);
static NETWORK_MAP_NOT_READY: Finding =
    Finding::critical("NetworkMapNotReady", "NotReady", "the network map is not Ready; see its conditions");
static STORAGE_MAP_NOT_FOUND: Finding = Finding::critical(
    "StorageRefNotValid",
    "NotFound",
    "the storage map does not exist; create it or correct `spec.map.storage`",
);
static STORAGE_MAP_NOT_READY: Finding =
    Finding::critical("StorageMapNotReady", "NotReady", "the storage map is not Ready; see its conditions");
static WARM: Finding = Finding::critical(
    "WarmMigrationNotReady",
    "NotImplemented",
    "warm migration is not implemented yet and never replaced by a cold one; remove `warm: true` (or `type: warm`) to migrate cold",
);
static TYPE: Finding = Finding::critical(
    "MigrationTypeNotValid",
    "NotImplemented",
    "this migration type is not implemented; only `type: cold` is",
);
static CONVERSION: Finding = Finding::critical(
    "GuestConversionNotImplemented",
    "NotImplemented",
    "guest conversion is not implemented yet; set `skipGuestConversion: true` to copy the disks as they are (the guest then gets SATA disks and e1000e cards)",
);
static ARCHIVED: Finding =
    Finding::critical("Archived", "UserRequested", "the plan is archived; create a new plan to migrate its VMs");
static NOT_COMPLETE: Finding = Finding::critical(
    "InventoryNotReady",
    "NotSynced",
    "the inventory of the source is not known completely yet; this passes by itself",
);

/// Judges a plan.
pub fn plan<'a>(input: &Input<'a>) -> Verdict<'a> {
    let mut findings = Findings::default();
    references(input, &mut findings);
    kind_of_migration(input, &mut findings);
    settings::plan(input.plan, &mut findings);
    if input.executing || !ready(input.source.and_then(|s| s.status.as_ref()).map(|s| &s.conditions)) {
        return Verdict { findings, vms: Vec::new() };
    }
    let Some(inventory) = input.inventory else {
        findings.add(&NOT_COMPLETE, None);
        return Verdict { findings, vms: Vec::new() };
    };
    let vms = vms::resolve(input, inventory, &mut findings);
    Verdict { findings, vms }
}

fn references(input: &Input<'_>, findings: &mut Findings) {
    use forklift_api::provider::provider_type::{OPENSHIFT, VSPHERE};
    let spec = &input.plan.spec;
    let name = |reference: &forklift_api::ObjectRef| reference.name.clone();
    match input.source {
        Some(source) if source.spec.type_ != VSPHERE => findings.add(&SOURCE_NOT_VALID, name(&spec.provider.source)),
        Some(source) if !ready(source.status.as_ref().map(|s| &s.conditions)) => {
            findings.add(&SOURCE_NOT_READY, name(&spec.provider.source));
        }
        Some(_) => {}
        None => findings.add(&SOURCE_NOT_VALID, name(&spec.provider.source)),
    }
    match input.destination {
        Some(target) if target.spec.type_ == OPENSHIFT => {
            if !ready(target.status.as_ref().map(|s| &s.conditions)) {
                findings.add(&DESTINATION_NOT_READY, name(&spec.provider.destination));
            }
        }
        _ => findings.add(&DESTINATION_NOT_VALID, name(&spec.provider.destination)),
    }
    if !crate::vm::name::is_dns_label(&spec.target_namespace) {
        findings.add(&NAMESPACE_NOT_VALID, Some(spec.target_namespace.clone()));
    }
    match input.network_map {
        Some(map) if !ready(map.status.as_ref().map(|s| &s.conditions)) => {
            findings.add(&NETWORK_MAP_NOT_READY, name(&spec.map.network));
        }
        Some(_) => {}
        None => findings.add(&NETWORK_MAP_NOT_FOUND, name(&spec.map.network)),
    }
    match input.storage_map {
        Some(map) if !ready(map.status.as_ref().map(|s| &s.conditions)) => {
            findings.add(&STORAGE_MAP_NOT_READY, name(&spec.map.storage));
        }
        Some(_) => {}
        None => findings.add(&STORAGE_MAP_NOT_FOUND, name(&spec.map.storage)),
    }
}

fn ready(conditions: Option<&Vec<forklift_api::Condition>>) -> bool {
    conditions.is_some_and(|conditions| conditions.is_true("Ready"))
}

fn kind_of_migration(input: &Input<'_>, findings: &mut Findings) {
    let spec = &input.plan.spec;
    if spec.is_warm() || spec.warm {
        findings.add(&WARM, None);
    }
    if matches!(spec.type_, Some(MigrationType::Live | MigrationType::Conversion)) {
        findings.add(&TYPE, None);
    }
    if !spec.skip_guest_conversion {
        findings.add(&CONVERSION, None);
    }
    if spec.archived {
        findings.add(&ARCHIVED, None);
    }
}

/// Whether findings of this category keep a plan from running.
pub fn blocks(category: &Category) -> bool {
    matches!(category, Category::Critical | Category::Error)
}
