//! Which VMs a plan means, and under which name each will exist.

use std::collections::HashMap;

use contract::vsphere::{PowerState, Vm};
use forklift_api::PlanVm;
use forklift_api::plan::TargetPowerState;

use super::findings::{Finding, Findings};
use super::mapping::{Lookup, find};
use super::{Input, ResolvedVm, vm};
use crate::index::{ProviderIndex, VmRecord};
use crate::vm::name;

static NO_VMS: Finding =
    Finding::critical("VMRefNotValid", "NotSet", "the plan has no VMs; list some under `spec.vms`");
static NOT_SET: Finding =
    Finding::critical("VMRefNotValid", "NotSet", "each entry of `spec.vms` needs an `id` or a `name`");
static NOT_FOUND: Finding = Finding::critical(
    "VMNotFound",
    "NotFound",
    "the source has no such VM; see `longshore get inventory vms --provider NAME`",
);
static AMBIGUOUS: Finding = Finding::critical(
    "DuplicateVM",
    "Ambiguous",
    "the name fits more than one VM; use the `id`, or the end of the inventory path that only one has",
);
static TWICE: Finding =
    Finding::critical("DuplicateVM", "NotUnique", "the VM is listed more than once; remove one entry");
static SAME_NAME: Finding = Finding::critical(
    "DuplicateVM",
    "NotUnique",
    "two VMs would have the same name on the target; give one of them a `targetName`",
);
static EXISTS: Finding = Finding::critical(
    "VMAlreadyExists",
    "NotUnique",
    "the target namespace has a VM of this name that is not this plan's; set another `targetName`",
);
static BAD_TARGET_NAME: Finding = Finding::critical(
    "TargetNameNotValid",
    "NotDNS",
    "`targetName` must be a DNS label (RFC 1123): lower case letters, digits and `-`, at most 63",
);
static SOURCE_ON: Finding = Finding::critical(
    "SourcePoweredOn",
    "PoweredOn",
    "the source of a migrated VM was powered on by somebody else; shut it down before the target starts, or two machines of one identity run",
);
static RENAMED: Finding = Finding::warn(
    "TargetNameNotValid",
    "NotDNS",
    "the VM's name is no DNS label (RFC 1123) and will be changed on the target; set `targetName` to choose it",
);

pub(super) fn resolve<'a>(
    input: &Input<'a>,
    inventory: &'a ProviderIndex,
    findings: &mut Findings,
) -> Vec<ResolvedVm<'a>> {
    let spec = &input.plan.spec;
    if spec.vms.is_empty() {
        findings.add(&NO_VMS, None);
    }
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    let mut by_target: HashMap<String, usize> = HashMap::new();
    let mut resolved = Vec::new();
    for wanted in &spec.vms {
        let Some(record) = find_vm(inventory, wanted, findings) else { continue };
        let source = &record.workload.vm;
        let count = by_id.entry(source.id.as_str()).or_default();
        *count += 1;
        if *count > 1 {
            findings.add(&TWICE, Some(item(source)));
            continue;
        }
        let target_name = target_name(source, wanted, findings);
        let taken = by_target.entry(target_name.clone()).or_default();
        *taken += 1;
        if *taken > 1 {
            findings.add(&SAME_NAME, Some(format!("{} ({target_name})", item(source))));
        }
        if input.succeeded.contains(&source.id) {
            if source.power_state == PowerState::PoweredOn {
                findings.add(&SOURCE_ON, Some(item(source)));
            }
            continue;
        }
        if input.taken_names.contains(&target_name) {
            findings.add(&EXISTS, Some(format!("{} ({target_name})", item(source))));
        }
        vm::check(record, inventory, input.active_rules, findings);
        let (nics, storage_classes) = vm::map(input, inventory, source, findings);
        resolved.push(ResolvedVm {
            workload: &record.workload,
            target_name,
            nics,
            storage_classes,
            run: run(input, wanted),
        });
    }
    resolved
}

fn find_vm<'a>(inventory: &'a ProviderIndex, wanted: &PlanVm, findings: &mut Findings) -> Option<&'a VmRecord> {
    let all = inventory.vms.values().map(|record| &record.workload.vm);
    let reference = wanted.reference().to_string();
    if wanted.id.as_deref().unwrap_or_default().is_empty() && wanted.name.as_deref().unwrap_or_default().is_empty() {
        findings.add(&NOT_SET, None);
        return None;
    }
    match find(all, wanted.id.as_deref(), wanted.name.as_deref()) {
        Lookup::One(found) => inventory.vms.get(&contract::id::VmId::from(found.id.as_str())),
        Lookup::None => {
            findings.add(&NOT_FOUND, Some(reference));
            None
        }
        Lookup::Many(paths) => {
            findings.add(&AMBIGUOUS, Some(format!("{reference} ({})", paths.join(", "))));
            None
        }
    }
}

fn target_name(source: &Vm, wanted: &PlanVm, findings: &mut Findings) -> String {
    match wanted.target_name.as_deref().filter(|name| !name.is_empty()) {
        Some(chosen) => {
            if !name::is_dns_label(chosen) {
                findings.add(&BAD_TARGET_NAME, Some(format!("{} ({chosen})", item(source))));
            }
            chosen.to_owned()
        }
        None => {
            let safe = name::dns_label(&source.name, &source.id);
            if safe != source.name {
                findings.add(&RENAMED, Some(format!("{} ({safe})", item(source))));
            }
            safe
        }
    }
}

fn run(input: &Input<'_>, wanted: &PlanVm) -> Option<bool> {
    match wanted.target_power_state.or(input.plan.spec.target_power_state) {
        Some(TargetPowerState::On) => Some(true),
        Some(TargetPowerState::Off) => Some(false),
        Some(TargetPowerState::Auto) | None => None,
    }
}

/// How a VM is named in a condition's items, as Forklift does.
pub(super) fn item(vm: &Vm) -> String {
    format!("id:{} name:'{}'", vm.id, vm.name)
}
