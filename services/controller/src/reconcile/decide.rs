//! From a plan to imports: the verdict on a plan with everything it depends on, and for each VM an import that
//! carries what was decided, so that a running migration no longer depends on plan and maps.

use std::collections::HashSet;

use contract::id::{ProviderUid, VmId};
use contract::vsphere::Workload;
use forklift_api::virtual_machine_import::longshore::{DiskStatus, LongshoreStatus};
use forklift_api::virtual_machine_import::{
    ImportMappings, ImportSource, NamedRef, NetworkMapping, SourceRef, StorageMapping, VirtualMachineImportSpec,
    VmwareSource,
};
use forklift_api::{Migration, NetworkMap, Plan, PlanSpec, Provider, StorageMap, VirtualMachineImport, labels};
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};

use super::plan::has_succeeded;
use crate::context::Context;
use crate::error::Error;
use crate::index::ProviderIndex;
use crate::step::Problem;
use crate::target::{Owner, Volume};
use crate::validate::findings::Findings;
use crate::validate::{self, ResolvedVm};
use crate::vm::manifest::{self, Devices, NicTarget};
use crate::vm::name::dns_label;

/// What becomes of a plan.
pub(crate) struct Decision {
    /// What is wrong with it.
    pub findings: Findings,
    /// One a VM that has not succeeded yet.
    pub vms: Vec<DecidedVm>,
}

/// One VM, decided.
pub(crate) struct DecidedVm {
    /// Identity at the source.
    pub id: String,
    /// Its name on the target.
    pub target_name: String,
    provider: String,
    spec: VirtualMachineImportSpec,
}

/// Judges a plan by what is known now.
pub(crate) async fn plan(context: &Context, plan: &Plan, executing: bool) -> Result<Decision, Error> {
    let namespace = plan.namespace().unwrap_or_default();
    let source: Option<Provider> = context.referred(&plan.spec.provider.source, &namespace).await?;
    let destination: Option<Provider> = context.referred(&plan.spec.provider.destination, &namespace).await?;
    let network_map: Option<NetworkMap> = context.referred(&plan.spec.map.network, &namespace).await?;
    let storage_map: Option<StorageMap> = context.referred(&plan.spec.map.storage, &namespace).await?;
    let own = imports_of(context, plan);
    let mut succeeded: HashSet<String> = own.iter().filter(|i| longshore(i).succeeded()).map(|i| vm_id(i)).collect();
    let remembered = plan.status.as_ref().and_then(|status| status.migration.as_ref()).map(|m| m.vms.as_slice());
    succeeded
        .extend(remembered.unwrap_or_default().iter().filter(|vm| has_succeeded(vm)).filter_map(|vm| vm.vm.id.clone()));
    let judge = |taken: &HashSet<String>| {
        let index = context.index();
        let uid = source.as_ref().and_then(|source| source.uid()).map(ProviderUid::from);
        let complete = index.is_complete();
        let inventory = uid.as_ref().and_then(|uid| index.provider(uid)).filter(|known| complete && known.is_synced());
        let verdict = validate::plan(&validate::Input {
            plan,
            source: source.as_ref(),
            destination: destination.as_ref(),
            network_map: network_map.as_ref(),
            storage_map: storage_map.as_ref(),
            inventory,
            active_rules: index.active_rules(),
            succeeded: &succeeded,
            executing,
            taken_names: taken,
        });
        let secret = source.as_ref().map(|source| source.spec.secret.clone()).unwrap_or_default();
        let credentials = NamedRef { name: secret.name.unwrap_or_default(), namespace: secret.namespace };
        let provider = source.as_ref().and_then(|source| source.uid()).unwrap_or_default();
        let vms = verdict.vms.iter().map(|vm| decided(vm, &provider, &credentials)).collect();
        Decision { findings: verdict.findings, vms }
    };
    let first = judge(&HashSet::new());
    let owner = Owner { uid: String::new(), heirs_of: own.iter().filter_map(|import| import.uid()).collect() };
    let mut taken = HashSet::new();
    for vm in &first.vms {
        let exists = context.target.vm_exists(&plan.spec.target_namespace, &vm.target_name, &owner).await;
        if exists.map_err(|problem| Error::Passing(problem.message))? {
            taken.insert(vm.target_name.clone());
        }
    }
    Ok(if taken.is_empty() { first } else { judge(&taken) })
}

fn decided(vm: &ResolvedVm<'_>, provider: &str, credentials: &NamedRef) -> DecidedVm {
    let source = &vm.workload.vm;
    let networks = source.nics.iter().zip(&vm.nics).map(|(nic, target)| network_mapping(&nic.network.id, target));
    let disks = source.disks.iter().zip(&vm.storage_classes).map(|(disk, class)| StorageMapping {
        source: SourceRef { id: Some(disk.key.to_string()), name: Some(disk.file.clone()) },
        target: NamedRef { name: class.clone(), namespace: None },
        ..StorageMapping::default()
    });
    let mappings = ImportMappings {
        network_mappings: networks.collect(),
        storage_mappings: Vec::new(),
        disk_mappings: disks.collect(),
    };
    let vmware = VmwareSource {
        vm: SourceRef { id: Some(source.id.clone()), name: Some(source.name.clone()) },
        mappings: Some(mappings),
    };
    let spec = VirtualMachineImportSpec {
        provider_credentials_secret: credentials.clone(),
        source: ImportSource { vmware: Some(vmware), ovirt: None },
        target_vm_name: Some(vm.target_name.clone()),
        start_vm: vm.run,
        ..VirtualMachineImportSpec::default()
    };
    DecidedVm { id: source.id.clone(), target_name: vm.target_name.clone(), provider: provider.to_owned(), spec }
}

fn network_mapping(network: &str, target: &NicTarget) -> NetworkMapping {
    let (type_, name) = match target {
        NicTarget::Pod => ("pod", String::new()),
        NicTarget::Ignored => ("ignored", String::new()),
        NicTarget::Multus { network_name } => ("multus", network_name.clone()),
    };
    NetworkMapping {
        source: SourceRef { id: Some(network.to_owned()), name: None },
        target: NamedRef { name, namespace: None },
        type_: Some(type_.to_owned()),
    }
}

fn nic_target(mapping: &NetworkMapping) -> NicTarget {
    match mapping.type_.as_deref() {
        Some("multus") => NicTarget::Multus { network_name: mapping.target.name.clone() },
        Some("ignored") => NicTarget::Ignored,
        _ => NicTarget::Pod,
    }
}

/// The import of one VM by one migration. Its name is a function of both, so that making it twice makes one.
pub(crate) fn import(vm: &DecidedVm, plan: &Plan, migration: &Migration) -> VirtualMachineImport {
    let base: String = migration.name_any().chars().take(40).collect();
    let name = format!("{}-{}", base.trim_end_matches(['-', '.']), dns_label(&vm.id, &vm.id));
    let mut import = VirtualMachineImport::new(&name, vm.spec.clone());
    import.metadata.namespace = migration.namespace();
    import.metadata.owner_references = migration.controller_owner_ref(&()).map(|owner| vec![owner]);
    let source = &plan.spec.provider.source;
    let plan_namespace = plan.namespace().unwrap_or_default();
    import.metadata.labels = Some(
        [
            (labels::PLAN, plan.uid().unwrap_or_default()),
            (labels::PLAN_NAME, plan.name_any()),
            (labels::PLAN_NAMESPACE, plan_namespace.clone()),
            (labels::MIGRATION, migration.uid().unwrap_or_default()),
            (labels::VM_ID, vm.id.clone()),
            (labels::PROVIDER, vm.provider.clone()),
            (labels::PROVIDER_NAME, source.name.clone().unwrap_or_default()),
            (labels::PROVIDER_NAMESPACE, source.namespace.clone().unwrap_or(plan_namespace)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into(),
    );
    import
}

/// The first state of an import, decided from its spec and the inventory before anything is touched.
pub(crate) fn first_state(
    import: &VirtualMachineImport,
    plan: &PlanSpec,
    inventory: &ProviderIndex,
    path: impl Fn(&Volume) -> Option<std::path::PathBuf>,
) -> Result<LongshoreStatus, Problem> {
    let id = vm_id(import);
    let gone = || Problem::lasting("VMNotFound", format!("the VM {id} is no longer at the source"));
    let workload = &inventory.vms.get(&VmId::from(id.as_str())).ok_or_else(gone)?.workload;
    let mappings = import.spec.source.vmware.as_ref().and_then(|source| source.mappings.clone()).unwrap_or_default();
    let target_name = import.spec.target_vm_name.clone().unwrap_or_default();
    let disks = disks(workload, &mappings, &target_name, &plan.target_namespace, inventory, path)?;
    let nics: Vec<NicTarget> = mappings.network_mappings.iter().map(nic_target).collect();
    if nics.len() != workload.vm.nics.len() {
        return Err(changed(workload, "network cards"));
    }
    let claims: Vec<String> = disks.iter().map(|disk| disk.claim.clone()).collect();
    let labels: Vec<(String, String)> = plan.target_labels.clone().into_iter().collect();
    let mut manifest = manifest::build(&manifest::Input {
        vm: &workload.vm,
        name: &target_name,
        namespace: &plan.target_namespace,
        claims: &claims,
        nics: &nics,
        devices: if plan.use_compatibility_mode { manifest::COMPATIBLE } else { VIRTIO },
        running: false,
        labels: &labels,
    });
    place(&mut manifest, plan);
    Ok(LongshoreStatus {
        host: workload.host.as_ref().map(|host| host.id.clone()).unwrap_or_default(),
        disks,
        virtual_machine: Some(manifest),
        ..LongshoreStatus::default()
    })
}

/// `useCompatibilityMode: false`: the user says that the guest has virtio drivers.
const VIRTIO: Devices = Devices { disk_bus: "virtio", nic_model: "virtio" };

fn disks(
    workload: &Workload,
    mappings: &ImportMappings,
    target_name: &str,
    namespace: &str,
    inventory: &ProviderIndex,
    path: impl Fn(&Volume) -> Option<std::path::PathBuf>,
) -> Result<Vec<DiskStatus>, Problem> {
    let vm = &workload.vm;
    if mappings.disk_mappings.len() != vm.disks.len() {
        return Err(changed(workload, "disks"));
    }
    let disk = |(index, (disk, mapping)): (usize, (&contract::vsphere::Disk, &StorageMapping))| {
        let key = mapping.source.id.as_deref();
        let datastore = inventory.datastores.get(&disk.datastore.id);
        let datacenter = datastore.and_then(|datastore| inventory.datacenter_of(&datastore.path));
        let (Some(datastore), Some(datacenter), true) = (datastore, datacenter, key == Some(&disk.key.to_string()))
        else {
            return Err(changed(workload, "disks"));
        };
        let volume = Volume {
            namespace: namespace.to_owned(),
            claim: format!("{target_name}-disk-{index}"),
            storage_class: mapping.target.name.clone(),
            capacity: u64::try_from(disk.capacity).unwrap_or(0),
        };
        Ok(DiskStatus {
            key: disk.key,
            name: format!("disk-{}", disk.key),
            file: disk.file.clone(),
            datastore_id: datastore.id.clone(),
            datastore: datastore.name.clone(),
            datacenter: datacenter.path.trim_start_matches('/').to_owned(),
            capacity: disk.capacity,
            path: path(&volume).map(|path| path.to_string_lossy().into_owned()),
            storage_class: volume.storage_class,
            claim: volume.claim,
            done_bytes: 0,
            proof: None,
        })
    };
    vm.disks.iter().zip(&mappings.disk_mappings).enumerate().map(disk).collect()
}

fn changed(workload: &Workload, what: &str) -> Problem {
    let vm = &workload.vm;
    Problem::lasting(
        "SourceChanged",
        format!(
            "the {what} of VM '{}' ({}) changed after the plan was checked; create a new Migration",
            vm.name, vm.id
        ),
    )
}

fn place(manifest: &mut Value, plan: &PlanSpec) {
    let spec = &mut manifest["spec"]["template"]["spec"];
    if !plan.target_node_selector.is_empty() {
        spec["nodeSelector"] = json!(plan.target_node_selector);
    }
    if let Some(affinity) = &plan.target_affinity {
        spec["affinity"] = json!(affinity);
    }
}

/// All imports that migrations of a plan made.
pub(crate) fn imports_of(context: &Context, plan: &Plan) -> Vec<std::sync::Arc<VirtualMachineImport>> {
    let uid = plan.uid().unwrap_or_default();
    context
        .caches
        .imports
        .state()
        .into_iter()
        .filter(|import| import.labels().get(labels::PLAN) == Some(&uid))
        .collect()
}

/// Our own state of an import; a new one's is the default.
pub(crate) fn longshore(import: &VirtualMachineImport) -> LongshoreStatus {
    import.status.as_ref().and_then(|status| status.longshore.clone()).unwrap_or_default()
}

/// Identity of an import's VM at the source.
pub(crate) fn vm_id(import: &VirtualMachineImport) -> String {
    import.labels().get(labels::VM_ID).cloned().unwrap_or_default()
}
