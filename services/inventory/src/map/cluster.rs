//! Clusters, with the settings that VMs show of them, and what a stand-alone host lies in.

use contract::vsphere::{Cluster, Ref, WorkloadCluster};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use vsphere::{MoRef, Value};

use super::read::{flag, name, put, reference, references, text};
use super::{Mapped, Misfit, Property, place};

impl Mapped for Cluster {
    const PROPERTIES: &'static [Property<Self>] = &[
        Property { path: "name", set: |cluster, value| put(&mut cluster.name, name(value)) },
        Property { path: "parent", set: parent },
        Property { path: "host", set: |cluster, value| put(&mut cluster.hosts, references(value)) },
        Property { path: "network", set: |cluster, value| put(&mut cluster.networks, references(value)) },
        Property { path: "datastore", set: |cluster, value| put(&mut cluster.datastores, references(value)) },
        Property { path: "configurationEx", set: configuration },
    ];

    fn of(reference: &MoRef) -> Self {
        Self { id: reference.value.clone(), ..Self::default() }
    }

    place!();

    fn projection(&self) -> Option<Json> {
        serde_json::to_value(workload_cluster(self)).ok()
    }
}

fn parent(cluster: &mut Cluster, value: Option<&Value>) -> Result<(), Misfit> {
    cluster.parent = reference(value)?;
    cluster.folder.clone_from(&cluster.parent.id);
    Ok(())
}

fn configuration(cluster: &mut Cluster, value: Option<&Value>) -> Result<(), Misfit> {
    let at = |path| value.and_then(|value| value.get(path));
    cluster.das_enabled = flag(at("dasConfig.enabled"))?;
    cluster.drs_enabled = flag(at("drsConfig.enabled"))?;
    cluster.drs_behavior = text(at("drsConfig.defaultVmBehavior"))?;
    cluster.dpm_enabled = flag(at("dpmConfigInfo.enabled"))?;
    Ok(())
}

fn workload_cluster(cluster: &Cluster) -> WorkloadCluster {
    WorkloadCluster {
        id: cluster.id.clone(),
        name: cluster.name.clone(),
        das_enabled: cluster.das_enabled,
        drs_enabled: cluster.drs_enabled,
        drs_behavior: cluster.drs_behavior.clone(),
        dpm_enabled: cluster.dpm_enabled,
    }
}

/// What a stand-alone host lies in: only a place in the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ComputeResource {
    pub id: String,
    pub name: String,
    pub path: String,
    pub parent: Ref,
}

impl Mapped for ComputeResource {
    const PROPERTIES: &'static [Property<Self>] = &[
        Property { path: "name", set: |compute, value| put(&mut compute.name, name(value)) },
        Property { path: "parent", set: |compute, value| put(&mut compute.parent, reference(value)) },
    ];

    fn of(reference: &MoRef) -> Self {
        Self { id: reference.value.clone(), ..Self::default() }
    }

    place!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::sample;

    #[test]
    fn settings_of_a_cluster_are_in_its_document_and_in_what_vms_show() {
        let mut cluster = Cluster::of(&MoRef::new("ClusterComputeResource", "domain-c7"));
        let value = sample::value(
            r#"<val x:type="ClusterConfigInfoEx"><dasConfig><enabled>true</enabled></dasConfig>
               <drsConfig><enabled>true</enabled><defaultVmBehavior>someNewBehavior</defaultVmBehavior></drsConfig>
               <dpmConfigInfo><enabled>false</enabled></dpmConfigInfo></val>"#,
        );
        configuration(&mut cluster, Some(&value)).unwrap();
        assert!(cluster.das_enabled && cluster.drs_enabled && !cluster.dpm_enabled);
        assert_eq!(cluster.drs_behavior, "someNewBehavior");
        let projection = cluster.projection().unwrap();
        assert_eq!((&projection["id"], &projection["drsEnabled"]), (&"domain-c7".into(), &true.into()));
        configuration(&mut cluster, None).unwrap();
        assert!(!cluster.das_enabled && cluster.drs_behavior.is_empty());
    }

    #[test]
    fn a_cluster_that_only_moves_shows_the_same() {
        let mut cluster = Cluster::of(&MoRef::new("ClusterComputeResource", "domain-c7"));
        let before = cluster.projection();
        parent(&mut cluster, Some(&Value::reference(&MoRef::new("Folder", "group-h9")))).unwrap();
        assert_eq!(cluster.folder, "group-h9");
        assert_eq!(cluster.projection(), before);
    }
}
