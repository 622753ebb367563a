//! ESXi hosts with their kernel network adapters, and what VMs show of the host they run on.

use contract::vsphere::{Host, HostNetworkAdapter, WorkloadHost};
use serde_json::Value as Json;
use vsphere::{MoRef, Value};

use super::read::{flag, inner, inner_number, integer, name, put, reference, references, text};
use super::{Mapped, Misfit, Property, place};
use crate::kind::{Key, Kind};

impl Mapped for Host {
    const PROPERTIES: &'static [Property<Self>] = &[
        Property { path: "name", set: |host, value| put(&mut host.name, name(value)) },
        Property { path: "parent", set: parent },
        Property { path: "overallStatus", set: |host, value| put(&mut host.status, text(value)) },
        Property { path: "runtime.inMaintenanceMode", set: |host, value| put(&mut host.in_maintenance, flag(value)) },
        Property {
            path: "summary.managementServerIp",
            set: |host, value| put(&mut host.management_server_ip, text(value)),
        },
        Property { path: "summary.config.sslThumbprint", set: |host, value| put(&mut host.thumbprint, text(value)) },
        Property { path: "summary.config.product.name", set: |host, value| put(&mut host.product_name, text(value)) },
        Property {
            path: "summary.config.product.version",
            set: |host, value| put(&mut host.product_version, text(value)),
        },
        Property { path: "config.dateTimeInfo.timeZone.name", set: |host, value| put(&mut host.timezone, text(value)) },
        Property { path: "summary.hardware.numCpuPkgs", set: |host, value| put(&mut host.cpu_sockets, integer(value)) },
        Property { path: "summary.hardware.numCpuCores", set: |host, value| put(&mut host.cpu_cores, integer(value)) },
        Property {
            path: "summary.hardware.memorySize",
            set: |host, value| put(&mut host.memory_bytes, integer(value)),
        },
        Property { path: "network", set: |host, value| put(&mut host.networks, references(value)) },
        Property { path: "datastore", set: |host, value| put(&mut host.datastores, references(value)) },
        Property { path: "config.network", set: adapters },
    ];

    fn of(reference: &MoRef) -> Self {
        Self { id: reference.value.clone(), ..Self::default() }
    }

    place!();

    fn projection(&self) -> Option<Json> {
        serde_json::to_value(workload_host(self)).ok()
    }

    fn shows(&self) -> Vec<Key> {
        if self.cluster.is_empty() { vec![] } else { vec![Key::new(Kind::Cluster, &self.cluster)] }
    }
}

fn parent(host: &mut Host, value: Option<&Value>) -> Result<(), Misfit> {
    host.parent = reference(value)?;
    let in_cluster = host.parent.kind == "ClusterComputeResource";
    host.cluster = if in_cluster { host.parent.id.clone() } else { String::new() };
    Ok(())
}

/// What a VM shows of its host; the cluster is joined when it is shown.
fn workload_host(host: &Host) -> WorkloadHost {
    WorkloadHost { id: host.id.clone(), name: host.name.clone(), in_maintenance: host.in_maintenance, cluster: None }
}

fn adapters(host: &mut Host, network: Option<&Value>) -> Result<(), Misfit> {
    let all = |network: &Value| network.list("vnic").into_iter().map(|vnic| adapter(network, vnic)).collect();
    host.network_adapters = network.map(all).unwrap_or_default();
    Ok(())
}

fn adapter(network: &Value, vnic: &Value) -> HostNetworkAdapter {
    let group = inner(vnic, "portgroup");
    let (name, link_speed) = if group.is_empty() {
        let switch = vnic.text("spec.distributedVirtualPort.switchUuid");
        let name = inner(vnic, "spec.distributedVirtualPort.portgroupKey");
        (name, uplinks(network, "proxySwitch", |proxy| switch.is_some() && proxy.text("dvsUuid") == switch))
    } else {
        let groups = network.list("portgroup");
        let switch = groups.iter().find(|one| one.text("spec.name") == Some(group.as_str()));
        let switch = switch.and_then(|one| one.text("vswitch"));
        (group.clone(), uplinks(network, "vswitch", |one| switch.is_some() && one.text("key") == switch))
    };
    HostNetworkAdapter {
        name,
        ip_address: inner(vnic, "spec.ip.ipAddress"),
        subnet_mask: inner(vnic, "spec.ip.subnetMask"),
        link_speed,
        mtu: inner_number(vnic, "spec.mtu"),
    }
}

/// The fastest physical adapter of a switch, in Mbit/s.
fn uplinks(network: &Value, switches: &str, is_it: impl Fn(&Value) -> bool) -> i32 {
    let keys: Vec<&str> = network
        .list(switches)
        .into_iter()
        .filter(|switch| is_it(switch))
        .flat_map(|switch| switch.list("pnic"))
        .filter_map(Value::as_str)
        .collect();
    network
        .list("pnic")
        .into_iter()
        .filter(|pnic| pnic.text("key").is_some_and(|key| keys.contains(&key)))
        .map(|pnic| inner_number(pnic, "linkSpeed.speedMb"))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::sample;

    #[test]
    fn a_kernel_adapter_has_the_speed_of_its_own_switch() {
        let mut host = Host::of(&MoRef::new("HostSystem", "host-21"));
        let value = sample::value(
            r#"<val x:type="HostNetworkInfo">
            <vswitch><name>vSwitch0</name><key>sw-0</key><pnic>p-0</pnic><pnic>p-1</pnic></vswitch>
            <vswitch><name>vSwitch1</name><key>sw-1</key><pnic>p-2</pnic></vswitch>
            <proxySwitch><dvsUuid>50 11</dvsUuid><key>dvs</key><pnic>p-2</pnic></proxySwitch>
            <portgroup><key>k0</key><vswitch>sw-0</vswitch><spec><name>Management</name></spec></portgroup>
            <pnic><key>p-0</key><linkSpeed><speedMb>1000</speedMb></linkSpeed></pnic>
            <pnic><key>p-1</key></pnic>
            <pnic><key>p-2</key><linkSpeed><speedMb>25000</speedMb></linkSpeed></pnic>
            <vnic><device>vmk0</device><portgroup>Management</portgroup><spec><ip><ipAddress>10.0.0.5</ipAddress>
              <subnetMask>255.0.0.0</subnetMask></ip><mtu>9000</mtu></spec></vnic>
            <vnic><device>vmk1</device><portgroup></portgroup><spec><ip/><distributedVirtualPort>
              <switchUuid>50 11</switchUuid><portgroupKey>dvportgroup-9</portgroupKey></distributedVirtualPort></spec></vnic>
            </val>"#,
        );
        adapters(&mut host, Some(&value)).unwrap();
        let expected = HostNetworkAdapter {
            name: "Management".to_owned(),
            ip_address: "10.0.0.5".to_owned(),
            subnet_mask: "255.0.0.0".to_owned(),
            link_speed: 1_000,
            mtu: 9_000,
        };
        assert_eq!(host.network_adapters[0], expected);
        let other = &host.network_adapters[1];
        assert_eq!((other.name.as_str(), other.link_speed, other.mtu), ("dvportgroup-9", 25_000, 0));
    }

    #[test]
    fn only_a_host_in_a_cluster_shows_one() {
        let mut host = Host::of(&MoRef::new("HostSystem", "host-21"));
        parent(&mut host, Some(&Value::reference(&MoRef::new("ClusterComputeResource", "domain-c7")))).unwrap();
        assert_eq!((host.cluster.as_str(), host.shows()), ("domain-c7", vec![Key::new(Kind::Cluster, "domain-c7")]));
        parent(&mut host, Some(&Value::reference(&MoRef::new("ComputeResource", "domain-s9")))).unwrap();
        assert_eq!((host.cluster.as_str(), host.shows()), ("", vec![]));
    }

    #[test]
    fn vms_show_maintenance_but_not_the_status() {
        let mut host = Host::of(&MoRef::new("HostSystem", "host-21"));
        let before = host.projection();
        host.status = "red".to_owned();
        assert_eq!(host.projection(), before);
        host.in_maintenance = true;
        assert_ne!(host.projection(), before);
    }
}
