//! The message about one stored object. Pure. A VM's message carries the workload: the VM with the host and cluster
//! it shows.

use contract::id::ProviderUid;
use contract::inventory::{Changed, ObjectRemoved, VmRemoved};
use contract::vsphere::{Cluster, Datacenter, Datastore, Folder, Host, Network, Vm, Workload, WorkloadHost};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::database::{Mark, Shown, Subject};
use crate::kind::Kind;

/// A message about a changed object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    Vm(Box<Changed<Workload>>),
    Host(Box<Changed<Host>>),
    Cluster(Changed<Cluster>),
    Network(Changed<Network>),
    Datastore(Changed<Datastore>),
    Folder(Changed<Folder>),
    Datacenter(Changed<Datacenter>),
}

/// A message about a removed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    Vm(VmRemoved),
    Object(ObjectRemoved),
}

/// What is told of an object as it is stored now; nothing of a kind that is not published.
pub(crate) fn change(provider: &ProviderUid, shown: Shown) -> Result<Option<Change>, serde_json::Error> {
    let kind = shown.object.key.kind;
    if kind == Kind::Vm {
        let revision = shown.object.revision;
        let object = workload(shown)?;
        return Ok(Some(Change::Vm(Box::new(Changed { provider: provider.clone(), revision, object }))));
    }
    Ok(match kind {
        Kind::Host => Some(Change::Host(Box::new(changed(provider, shown)?))),
        Kind::Cluster => Some(Change::Cluster(changed(provider, shown)?)),
        Kind::Network => Some(Change::Network(changed(provider, shown)?)),
        Kind::Datastore => Some(Change::Datastore(changed(provider, shown)?)),
        Kind::Folder => Some(Change::Folder(changed(provider, shown)?)),
        Kind::Datacenter => Some(Change::Datacenter(changed(provider, shown)?)),
        Kind::Vm | Kind::ComputeResource => None,
    })
}

fn changed<D: DeserializeOwned>(provider: &ProviderUid, shown: Shown) -> Result<Changed<D>, serde_json::Error> {
    let object = serde_json::from_value(Value::Object(shown.object.document))?;
    Ok(Changed { provider: provider.clone(), revision: shown.object.revision, object })
}

fn workload(mut shown: Shown) -> Result<Workload, serde_json::Error> {
    let vm: Vm = serde_json::from_value(Value::Object(shown.object.document))?;
    let host: Option<WorkloadHost> = shown.projections.remove(&Kind::Host).map(serde_json::from_value).transpose()?;
    let cluster = shown.projections.remove(&Kind::Cluster).map(serde_json::from_value).transpose()?;
    Ok(Workload::new(vm, host.map(|host| WorkloadHost { cluster, ..host })))
}

/// What is told of an object that is gone. The state of a removed provider is overwritten by a tombstone, too: it
/// lies on the subject of an object `state` of kind `provider`.
pub(crate) fn removal(mark: &Mark) -> Removal {
    let (provider, revision) = (mark.provider.clone(), mark.revision);
    match &mark.subject {
        Subject::Object(key) if key.kind == Kind::Vm => {
            Removal::Vm(VmRemoved { provider, id: key.id.as_str().into(), revision })
        }
        Subject::Object(key) => {
            Removal::Object(ObjectRemoved { provider, kind: key.kind.to_string(), id: key.id.clone(), revision })
        }
        Subject::Provider => {
            let (kind, id) = ("provider".to_owned(), "state".to_owned());
            Removal::Object(ObjectRemoved { provider, kind, id, revision })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contract::message::Message;
    use contract::revision::Revision;
    use contract::subject;
    use serde_json::json;

    use super::*;
    use crate::database::Object;
    use crate::kind::Key;

    const REVISION: Revision = Revision { epoch: 7, n: 3 };

    fn shown(kind: Kind, document: Value, projections: BTreeMap<Kind, Value>) -> Shown {
        let id = document["id"].as_str().unwrap().to_owned();
        let document = document.as_object().unwrap().clone();
        Shown {
            object: Object { key: Key::new(kind, id), name: String::new(), document, revision: REVISION },
            projections,
        }
    }

    #[test]
    fn a_vm_travels_with_its_host_and_cluster() {
        let projections = BTreeMap::from([
            (Kind::Host, json!({"id": "host-1", "inMaintenance": true})),
            (Kind::Cluster, json!({"id": "domain-c1", "drsEnabled": true})),
        ]);
        let shown = shown(Kind::Vm, json!({"id": "vm-1", "host": "host-1", "memoryMB": 512}), projections);
        let Some(Change::Vm(changed)) = change(&"p-1".into(), shown).unwrap() else { panic!("no VM") };
        let host = changed.object.host.clone().unwrap();
        assert!(host.in_maintenance && host.cluster.unwrap().drs_enabled);
        assert_eq!((changed.object.vm.memory_mb, changed.revision), (512, REVISION));
        assert_eq!(changed.subject().unwrap().as_str(), "longshore.v1.inventory.vm.p-1.vm-1");
    }

    #[test]
    fn a_vm_whose_host_is_not_shown_travels_without() {
        let shown = shown(Kind::Vm, json!({"id": "vm-1", "host": "host-1"}), BTreeMap::new());
        let Some(Change::Vm(changed)) = change(&"p-1".into(), shown).unwrap() else { panic!("no VM") };
        assert_eq!(changed.object.host, None);
    }

    #[test]
    fn a_node_of_the_tree_only_is_not_told() {
        let shown = shown(Kind::ComputeResource, json!({"id": "domain-s1"}), BTreeMap::new());
        assert_eq!(change(&"p-1".into(), shown).unwrap(), None);
    }

    #[test]
    fn a_removal_lies_on_the_subject_of_what_is_gone() {
        let mark = |subject| Mark { provider: "p-1".into(), subject, revision: REVISION, removed: true };
        let Removal::Object(host) = removal(&mark(Subject::Object(Key::new(Kind::Host, "host-1")))) else { panic!() };
        assert_eq!(host.subject().unwrap(), subject::inventory("host", &"p-1".into(), "host-1").unwrap());
        let Removal::Vm(vm) = removal(&mark(Subject::Object(Key::new(Kind::Vm, "vm-1")))) else { panic!() };
        assert_eq!(vm.subject().unwrap(), subject::inventory("vm", &"p-1".into(), "vm-1").unwrap());
        let Removal::Object(state) = removal(&mark(Subject::Provider)) else { panic!() };
        assert_eq!(state.subject().unwrap(), subject::provider_state(&"p-1".into()).unwrap());
    }
}
