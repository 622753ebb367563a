//! Virtual machines.

use contract::vsphere::{PowerState, Ref, Vm};
use serde_json::{Map, Value as Json};
use vsphere::{MoRef, Value};

use super::read::{flag, integer, lower, name, put, reference, references, text};
use super::{Mapped, Misfit, Property, device, guest, place};
use crate::kind::{Key, Kind};

impl Mapped for Vm {
    const PROPERTIES: &'static [Property<Self>] = &[
        Property { path: "name", set: |vm, value| put(&mut vm.name, name(value)) },
        Property { path: "parent", set: |vm, value| parent(vm, value, "Folder") },
        Property { path: "parentVApp", set: |vm, value| parent(vm, value, "VirtualApp") },
        Property { path: "config.uuid", set: |vm, value| put(&mut vm.uuid, lower(value)) },
        Property { path: "config.instanceUuid", set: |vm, value| put(&mut vm.instance_uuid, lower(value)) },
        Property { path: "config.template", set: |vm, value| put(&mut vm.is_template, flag(value)) },
        Property { path: "config.firmware", set: |vm, value| put(&mut vm.firmware, text(value)) },
        Property { path: "config.bootOptions", set: boot_options },
        Property {
            path: "config.changeTrackingEnabled",
            set: |vm, value| put(&mut vm.change_tracking_enabled, flag(value)),
        },
        Property { path: "config.cpuAffinity", set: cpu_affinity },
        Property { path: "config.cpuHotAddEnabled", set: |vm, value| put(&mut vm.cpu_hot_add_enabled, flag(value)) },
        Property {
            path: "config.cpuHotRemoveEnabled",
            set: |vm, value| put(&mut vm.cpu_hot_remove_enabled, flag(value)),
        },
        Property {
            path: "config.memoryHotAddEnabled",
            set: |vm, value| put(&mut vm.memory_hot_add_enabled, flag(value)),
        },
        Property { path: "config.ftInfo", set: fault_tolerance },
        Property { path: "config.guestId", set: |vm, value| put(&mut vm.guest_id, text(value)) },
        Property { path: "config.hardware.numCPU", set: |vm, value| put(&mut vm.cpu_count, integer(value)) },
        Property {
            path: "config.hardware.numCoresPerSocket",
            set: |vm, value| put(&mut vm.cores_per_socket, integer(value)),
        },
        Property { path: "config.hardware.memoryMB", set: |vm, value| put(&mut vm.memory_mb, integer(value)) },
        Property { path: "config.hardware.device", set: devices },
        Property { path: "config.extraConfig", set: extra_config },
        Property { path: "config.nestedHVEnabled", set: |vm, value| put(&mut vm.nested_hv_enabled, flag(value)) },
        Property { path: "summary.config.guestFullName", set: |vm, value| put(&mut vm.guest_name, text(value)) },
        Property { path: "summary.guest.ipAddress", set: |vm, value| put(&mut vm.ip_address, text(value)) },
        Property {
            path: "summary.quickStats.balloonedMemory",
            set: |vm, value| put(&mut vm.ballooned_memory, integer(value)),
        },
        Property { path: "summary.storage.committed", set: |vm, value| put(&mut vm.storage_used, integer(value)) },
        Property { path: "runtime.host", set: host },
        Property { path: "runtime.powerState", set: power_state },
        Property { path: "runtime.connectionState", set: |vm, value| put(&mut vm.connection_state, text(value)) },
        Property {
            path: "runtime.consolidationNeeded",
            set: |vm, value| put(&mut vm.consolidation_needed, flag(value)),
        },
        Property { path: "snapshot", set: snapshot },
        Property { path: "network", set: |vm, value| put(&mut vm.networks, references(value)) },
        Property { path: "guest.hostName", set: |vm, value| put(&mut vm.host_name, text(value)) },
        Property {
            path: "guest.guestFullName",
            set: |vm, value| put(&mut vm.guest_name_from_vmware_tools, text(value)),
        },
        Property { path: "guest.toolsStatus", set: |vm, value| put(&mut vm.tools_status, text(value)) },
        Property { path: "guest.toolsRunningStatus", set: |vm, value| put(&mut vm.tools_running_status, text(value)) },
        Property {
            path: "guest.toolsVersionStatus2",
            set: |vm, value| put(&mut vm.tools_version_status2, text(value)),
        },
        Property { path: "guest.net", set: |vm, value| put(&mut vm.guest_networks, Ok(guest::networks(value))) },
        Property { path: "guest.disk", set: |vm, value| put(&mut vm.guest_disks, Ok(guest::disks(value))) },
    ];
    const VOLATILE: &'static [&'static str] = &["balloonedMemory", "storageUsed"];

    fn of(reference: &MoRef) -> Self {
        Self { id: reference.value.clone(), ..Self::default() }
    }

    place!();

    fn shows(&self) -> Vec<Key> {
        if self.host.is_empty() { vec![] } else { vec![Key::new(Kind::Host, &self.host)] }
    }

    fn disk_files(&self) -> Vec<String> {
        self.disks.iter().map(|disk| disk.file.clone()).filter(|file| !file.is_empty()).collect()
    }

    fn split(document: &mut Map<String, Json>) -> Map<String, Json> {
        guest::split(document)
    }
}

/// A VM lies in a folder or in a vApp: the one that is unset must not erase the other.
fn parent(vm: &mut Vm, value: Option<&Value>, kind: &str) -> Result<(), Misfit> {
    let parent = reference(value)?;
    if !parent.is_none() || vm.parent.kind == kind {
        vm.parent = parent;
    }
    Ok(())
}

fn boot_options(vm: &mut Vm, value: Option<&Value>) -> Result<(), Misfit> {
    put(&mut vm.secure_boot, flag(value.and_then(|options| options.get("efiSecureBootEnabled"))))
}

fn cpu_affinity(vm: &mut Vm, value: Option<&Value>) -> Result<(), Misfit> {
    let cpus = value.map(|affinity| affinity.list("affinitySet")).unwrap_or_default();
    put(&mut vm.cpu_affinity, cpus.into_iter().map(|cpu| integer(Some(cpu))).collect())
}

fn fault_tolerance(vm: &mut Vm, value: Option<&Value>) -> Result<(), Misfit> {
    vm.fault_tolerance_enabled = value.is_some();
    Ok(())
}

fn devices(vm: &mut Vm, value: Option<&Value>) -> Result<(), Misfit> {
    device::set(vm, value);
    Ok(())
}

fn extra_config(vm: &mut Vm, value: Option<&Value>) -> Result<(), Misfit> {
    let options = value.map(|value| value.list("")).unwrap_or_default();
    let option = |key: &str| {
        let found = options.iter().find(|option| option.text("key").is_some_and(|name| name.eq_ignore_ascii_case(key)));
        found.and_then(|option| option.text("value"))
    };
    vm.disk_enable_uuid = option("disk.EnableUUID").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let nodes = option("numa.nodeAffinity").unwrap_or_default().split(',').map(str::trim);
    vm.numa_node_affinity = nodes.filter(|node| !node.is_empty()).map(str::to_owned).collect();
    Ok(())
}

fn host(vm: &mut Vm, value: Option<&Value>) -> Result<(), Misfit> {
    put(&mut vm.host, reference(value).map(|host| host.id))
}

fn power_state(vm: &mut Vm, value: Option<&Value>) -> Result<(), Misfit> {
    vm.power_state = match text(value)?.as_str() {
        "poweredOn" => PowerState::PoweredOn,
        "poweredOff" => PowerState::PoweredOff,
        "suspended" => PowerState::Suspended,
        _ => PowerState::Unknown,
    };
    Ok(())
}

fn snapshot(vm: &mut Vm, value: Option<&Value>) -> Result<(), Misfit> {
    let Some(info) = value else {
        vm.snapshot = Ref::default();
        return Ok(());
    };
    // A tree without a current snapshot is still a VM with snapshots.
    let root = info.list("rootSnapshotList").first().and_then(|root| root.get("snapshot"));
    put(&mut vm.snapshot, reference(info.get("currentSnapshot").or(root)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::sample;

    fn set(vm: &mut Vm, path: &str, xml: Option<&str>) -> Result<(), Misfit> {
        let value = xml.map(sample::value);
        let property = Vm::PROPERTIES.iter().find(|property| property.path == path).unwrap();
        (property.set)(vm, value.as_ref())
    }

    /// Property, value, field of the document, and what it must be then.
    const SCALARS: &[(&str, &str, &str, &str)] = &[
        ("name", "<val>web%2f1</val>", "name", "\"web/1\""),
        ("config.uuid", "<val>4210ABCD-1</val>", "uuid", "\"4210abcd-1\""),
        ("config.instanceUuid", "<val>5010ABCD-1</val>", "instanceUuid", "\"5010abcd-1\""),
        ("config.template", "<val>true</val>", "isTemplate", "true"),
        ("config.firmware", "<val>efi</val>", "firmware", "\"efi\""),
        ("config.bootOptions", "<val><efiSecureBootEnabled>true</efiSecureBootEnabled></val>", "secureBoot", "true"),
        ("config.changeTrackingEnabled", "<val>true</val>", "changeTrackingEnabled", "true"),
        (
            "config.cpuAffinity",
            "<val><affinitySet>2</affinitySet><affinitySet>3</affinitySet></val>",
            "cpuAffinity",
            "[2,3]",
        ),
        ("config.cpuHotAddEnabled", "<val>true</val>", "cpuHotAddEnabled", "true"),
        ("config.cpuHotRemoveEnabled", "<val>true</val>", "cpuHotRemoveEnabled", "true"),
        ("config.memoryHotAddEnabled", "<val>true</val>", "memoryHotAddEnabled", "true"),
        ("config.ftInfo", "<val><role>1</role></val>", "faultToleranceEnabled", "true"),
        ("config.guestId", "<val>debian11_64Guest</val>", "guestId", "\"debian11_64Guest\""),
        ("config.hardware.numCPU", "<val>4</val>", "cpuCount", "4"),
        ("config.hardware.numCoresPerSocket", "<val>2</val>", "coresPerSocket", "2"),
        ("config.hardware.memoryMB", "<val>2048</val>", "memoryMB", "2048"),
        ("config.nestedHVEnabled", "<val>true</val>", "nestedHVEnabled", "true"),
        ("summary.config.guestFullName", "<val>Debian</val>", "guestName", "\"Debian\""),
        ("summary.guest.ipAddress", "<val>10.0.0.1</val>", "ipAddress", "\"10.0.0.1\""),
        ("summary.quickStats.balloonedMemory", "<val>64</val>", "balloonedMemory", "64"),
        ("summary.storage.committed", "<val>5368709120</val>", "storageUsed", "5368709120"),
        ("runtime.host", "<val type=\"HostSystem\">host-21</val>", "host", "\"host-21\""),
        ("runtime.powerState", "<val>suspended</val>", "powerState", "\"suspended\""),
        ("runtime.powerState", "<val>dreaming</val>", "powerState", "\"unknown\""),
        ("runtime.connectionState", "<val>someNewState</val>", "connectionState", "\"someNewState\""),
        ("runtime.consolidationNeeded", "<val>true</val>", "consolidationNeeded", "true"),
        ("guest.hostName", "<val>web</val>", "hostName", "\"web\""),
        ("guest.guestFullName", "<val>Debian 12</val>", "guestNameFromVmwareTools", "\"Debian 12\""),
        ("guest.toolsStatus", "<val>toolsOk</val>", "toolsStatus", "\"toolsOk\""),
        ("guest.toolsRunningStatus", "<val></val>", "toolsRunningStatus", "\"\""),
        ("guest.toolsVersionStatus2", "<val>guestToolsCurrent</val>", "toolsVersionStatus2", "\"guestToolsCurrent\""),
    ];

    #[test]
    fn each_property_reaches_its_field_and_leaves_it_when_unset() {
        for (path, xml, field, expected) in SCALARS {
            let mut vm = Vm::default();
            set(&mut vm, path, Some(xml)).unwrap();
            let document = serde_json::to_value(&vm).unwrap();
            assert_eq!(document[field].to_string(), *expected, "{path}");
            set(&mut vm, path, None).unwrap();
            assert_eq!(vm, Vm::default(), "{path}");
        }
    }

    #[test]
    fn every_collected_property_has_its_test() {
        let elsewhere = [
            "parent",
            "parentVApp",
            "config.hardware.device",
            "config.extraConfig",
            "snapshot",
            "network",
            "guest.net",
            "guest.disk",
        ];
        for property in Vm::PROPERTIES {
            let tested = SCALARS.iter().any(|(path, ..)| *path == property.path) || elsewhere.contains(&property.path);
            assert!(tested, "{}", property.path);
        }
    }

    #[test]
    fn a_vm_lies_in_its_folder_or_vapp_in_whatever_order_they_come() {
        let (folder, vapp) = ("<val type=\"Folder\">group-v3</val>", "<val type=\"VirtualApp\">resgroup-v9</val>");
        let mut vm = Vm::default();
        set(&mut vm, "parent", Some(folder)).unwrap();
        set(&mut vm, "parentVApp", None).unwrap();
        assert_eq!(vm.parent, Ref::new("Folder", "group-v3"));
        set(&mut vm, "parentVApp", Some(vapp)).unwrap();
        set(&mut vm, "parent", None).unwrap();
        assert_eq!(vm.parent, Ref::new("VirtualApp", "resgroup-v9"));
    }

    #[test]
    fn a_snapshot_is_seen_even_when_none_is_current() {
        let mut vm = Vm::default();
        let root =
            r#"<rootSnapshotList><snapshot type="VirtualMachineSnapshot">snapshot-1</snapshot></rootSnapshotList>"#;
        set(&mut vm, "snapshot", Some(&format!("<val>{root}</val>"))).unwrap();
        assert_eq!(vm.snapshot.id, "snapshot-1");
        let current = r#"<currentSnapshot type="VirtualMachineSnapshot">snapshot-2</currentSnapshot>"#;
        set(&mut vm, "snapshot", Some(&format!("<val>{current}{root}</val>"))).unwrap();
        assert_eq!(vm.snapshot, Ref::new("VirtualMachineSnapshot", "snapshot-2"));
        set(&mut vm, "snapshot", None).unwrap();
        assert!(vm.snapshot.is_none());
    }

    #[test]
    fn extra_options_are_read_in_any_case_and_forgotten_when_they_go() {
        let mut vm = Vm::default();
        let options = r#"<val x:type="ArrayOfOptionValue">
            <OptionValue><key>disk.enableUUID</key><value x:type="xsd:string">TRUE</value></OptionValue>
            <OptionValue><key>numa.nodeAffinity</key><value>0, 1</value></OptionValue></val>"#;
        set(&mut vm, "config.extraConfig", Some(options)).unwrap();
        assert!(vm.disk_enable_uuid);
        assert_eq!(vm.numa_node_affinity, ["0", "1"]);
        set(&mut vm, "config.extraConfig", Some("<val x:type=\"ArrayOfOptionValue\"/>")).unwrap();
        assert_eq!(vm, Vm::default());
    }

    #[test]
    fn networks_are_in_the_order_of_their_ids() {
        let mut vm = Vm::default();
        let list = r#"<val x:type="ArrayOfManagedObjectReference"><ManagedObjectReference type="Network">network-9</ManagedObjectReference>
            <ManagedObjectReference type="DistributedVirtualPortgroup">dvportgroup-1</ManagedObjectReference></val>"#;
        set(&mut vm, "network", Some(list)).unwrap();
        assert_eq!(
            vm.networks.iter().map(|network| network.id.as_str()).collect::<Vec<_>>(),
            ["dvportgroup-1", "network-9"]
        );
    }

    #[test]
    fn a_value_that_does_not_fit_leaves_its_field_as_it_was() {
        let mut vm = Vm { memory_mb: 512, ..Vm::default() };
        assert!(set(&mut vm, "config.hardware.memoryMB", Some("<val>lots</val>")).is_err());
        assert_eq!(vm.memory_mb, 512);
    }
}
