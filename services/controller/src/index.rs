//! What the controller knows of the sources: the newest inventory documents and assessments, kept from the bus.
//! A plain structure with `apply`, so that every decision on it is tested without a server. It must never be
//! asked before both streams are caught up: see [`Index::is_complete`].

use std::collections::{BTreeMap, HashMap};

use contract::assessment::VmAssessed;
use contract::id::{ProviderUid, VmId};
use contract::inventory::{InventoryEvent, ProviderState, VmEvent};
use contract::revision::Revision;
use contract::vsphere::{Datacenter, Datastore, Host, Network, Workload};

/// A VM as the inventory last told it.
#[derive(Clone, Debug, PartialEq)]
pub struct VmRecord {
    /// The revision of `workload`.
    pub revision: Revision,
    /// The VM with host and cluster.
    pub workload: Workload,
}

/// Everything known of one provider.
#[derive(Debug, Default)]
pub struct ProviderIndex {
    /// How its collection stands; none before the first message.
    pub state: Option<ProviderState>,
    /// By managed object id.
    pub vms: BTreeMap<VmId, VmRecord>,
    /// By managed object id.
    pub hosts: HashMap<String, Host>,
    /// By managed object id.
    pub networks: BTreeMap<String, Network>,
    /// By managed object id.
    pub datastores: BTreeMap<String, Datastore>,
    /// By managed object id.
    pub datacenters: BTreeMap<String, Datacenter>,
    assessments: HashMap<VmId, VmAssessed>,
}

impl ProviderIndex {
    /// The assessment of a VM, whichever revision it judged.
    pub fn assessment(&self, vm: &VmId) -> Option<&VmAssessed> {
        self.assessments.get(vm)
    }

    /// The inventory equals the provider's state and follows it.
    pub fn is_synced(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.collection == contract::inventory::Collection::Synced)
    }

    /// The datacenter an object lies in, by its inventory path: the longest one that contains it.
    pub fn datacenter_of(&self, path: &str) -> Option<&Datacenter> {
        self.datacenters
            .values()
            .filter(|dc| path.strip_prefix(dc.path.as_str()).is_some_and(|rest| rest.starts_with('/')))
            .max_by_key(|dc| dc.path.len())
    }
}

/// What a message was about, so that the resources that depend on it are looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Touched {
    /// The provider's state, or an object that any plan of the provider may depend on.
    Provider(ProviderUid),
    /// One VM.
    Vm(ProviderUid, VmId),
}

/// Which of the two streams the index is fed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Stream INVENTORY.
    Inventory,
    /// Stream ASSESSMENTS.
    Assessments,
}

/// All providers.
#[derive(Debug, Default)]
pub struct Index {
    providers: HashMap<ProviderUid, ProviderIndex>,
    active_rules: Option<String>,
    inventory_caught_up: bool,
    assessments_caught_up: bool,
}

impl Index {
    /// Both streams were read to their end once; before that an absent VM proves nothing.
    pub fn is_complete(&self) -> bool {
        self.inventory_caught_up && self.assessments_caught_up
    }

    /// What is known of one provider.
    pub fn provider(&self, uid: &ProviderUid) -> Option<&ProviderIndex> {
        self.providers.get(uid)
    }

    /// Version of the rules that judge now; none before validation ever ran.
    pub fn active_rules(&self) -> Option<&str> {
        self.active_rules.as_deref()
    }

    /// Other rules judge from now on.
    pub fn set_active_rules(&mut self, version: String) {
        self.active_rules = Some(version);
    }

    /// A feed reached the end of its stream.
    pub fn caught_up(&mut self, feed: Feed) {
        match feed {
            Feed::Inventory => self.inventory_caught_up = true,
            Feed::Assessments => self.assessments_caught_up = true,
        }
    }

    /// A feed begins anew, for its stream was lost: forget what it told.
    pub fn restart(&mut self, feed: Feed) {
        match feed {
            Feed::Inventory => {
                self.inventory_caught_up = false;
                for provider in self.providers.values_mut() {
                    *provider = ProviderIndex {
                        assessments: std::mem::take(&mut provider.assessments),
                        ..ProviderIndex::default()
                    };
                }
            }
            Feed::Assessments => {
                self.assessments_caught_up = false;
                self.providers.values_mut().for_each(|provider| provider.assessments.clear());
            }
        }
    }

    /// Takes in one message of the inventory.
    pub fn apply(&mut self, event: InventoryEvent) -> Touched {
        match event {
            InventoryEvent::Vm(VmEvent::Changed(changed)) => {
                let vm = VmId::from(changed.object.vm.id.as_str());
                let record = VmRecord { revision: changed.revision, workload: changed.object };
                self.entry(&changed.provider).vms.insert(vm.clone(), record);
                Touched::Vm(changed.provider, vm)
            }
            InventoryEvent::Vm(VmEvent::Removed(removed)) => {
                self.entry(&removed.provider).vms.remove(&removed.id);
                Touched::Vm(removed.provider, removed.id)
            }
            InventoryEvent::Host(changed) => {
                self.entry(&changed.provider).hosts.insert(changed.object.id.clone(), changed.object);
                Touched::Provider(changed.provider)
            }
            InventoryEvent::Network(changed) => {
                self.entry(&changed.provider).networks.insert(changed.object.id.clone(), changed.object);
                Touched::Provider(changed.provider)
            }
            InventoryEvent::Datastore(changed) => {
                self.entry(&changed.provider).datastores.insert(changed.object.id.clone(), changed.object);
                Touched::Provider(changed.provider)
            }
            InventoryEvent::Datacenter(changed) => {
                self.entry(&changed.provider).datacenters.insert(changed.object.id.clone(), changed.object);
                Touched::Provider(changed.provider)
            }
            InventoryEvent::Cluster(changed) => Touched::Provider(changed.provider),
            InventoryEvent::Folder(changed) => Touched::Provider(changed.provider),
            InventoryEvent::Removed(removed) => {
                let provider = self.entry(&removed.provider);
                match removed.kind.as_str() {
                    "host" => drop(provider.hosts.remove(&removed.id)),
                    "network" => drop(provider.networks.remove(&removed.id)),
                    "datastore" => drop(provider.datastores.remove(&removed.id)),
                    "datacenter" => drop(provider.datacenters.remove(&removed.id)),
                    _ => {}
                }
                Touched::Provider(removed.provider)
            }
            InventoryEvent::Provider(state) => {
                let uid = state.provider.clone();
                self.entry(&uid).state = Some(state);
                Touched::Provider(uid)
            }
        }
    }

    /// Takes in one assessment.
    pub fn assess(&mut self, assessed: VmAssessed) -> Touched {
        let (provider, vm) = (assessed.provider.clone(), assessed.vm.clone());
        let assessments = &mut self.entry(&provider).assessments;
        if assessed.removed {
            assessments.remove(&vm);
        } else {
            assessments.insert(vm.clone(), assessed);
        }
        Touched::Vm(provider, vm)
    }

    fn entry(&mut self, provider: &ProviderUid) -> &mut ProviderIndex {
        self.providers.entry(provider.clone()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use contract::inventory::{Changed, VmRemoved};
    use contract::vsphere::Vm;

    use super::*;

    fn vm(id: &str, n: u64) -> InventoryEvent {
        InventoryEvent::Vm(VmEvent::Changed(Box::new(Changed {
            provider: "p".into(),
            revision: Revision { epoch: 1, n },
            object: Workload::new(Vm { id: id.into(), ..Vm::default() }, None),
        })))
    }

    #[test]
    fn the_newest_state_of_a_vm_is_kept_until_it_is_removed() {
        let mut index = Index::default();
        index.apply(vm("vm-1", 1));
        assert_eq!(index.apply(vm("vm-1", 2)), Touched::Vm("p".into(), "vm-1".into()));
        assert_eq!(index.provider(&"p".into()).unwrap().vms[&"vm-1".into()].revision.n, 2);
        let removed = VmRemoved { provider: "p".into(), id: "vm-1".into(), revision: Revision { epoch: 1, n: 3 } };
        index.apply(InventoryEvent::Vm(VmEvent::Removed(removed)));
        assert!(index.provider(&"p".into()).unwrap().vms.is_empty());
    }

    #[test]
    fn it_is_complete_only_when_both_streams_are_caught_up() {
        let mut index = Index::default();
        index.caught_up(Feed::Inventory);
        assert!(!index.is_complete());
        index.caught_up(Feed::Assessments);
        assert!(index.is_complete());
        index.restart(Feed::Inventory);
        assert!(!index.is_complete());
    }

    #[test]
    fn a_path_belongs_to_the_datacenter_that_is_its_prefix_as_a_whole() {
        let mut provider = ProviderIndex::default();
        for (id, path) in [("dc-1", "/Europe/DC"), ("dc-2", "/Europe/DC 1")] {
            let dc = Datacenter { id: id.into(), path: path.into(), ..Datacenter::default() };
            provider.datacenters.insert(id.into(), dc);
        }
        assert_eq!(provider.datacenter_of("/Europe/DC 1/datastore/ssd").unwrap().id, "dc-2");
        assert_eq!(provider.datacenter_of("/Europe/DC/datastore/ssd").unwrap().id, "dc-1");
        assert!(provider.datacenter_of("/Asia/DC/datastore/ssd").is_none());
    }
}
