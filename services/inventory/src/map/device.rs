//! The device list of a VM taken apart: disks, network cards and all others, each by device key. A type that this
//! version doesn't know is kept among the others under its own name.

use std::collections::BTreeMap;

use contract::vsphere::{Device, Disk, Nic, Ref, Vm};
use vsphere::Value;

use super::read::{inner, inner_number, to_ref};

/// Puts `config.hardware.device` into a VM.
pub(super) fn set(vm: &mut Vm, value: Option<&Value>) {
    let mut devices = value.map(|value| value.list("")).unwrap_or_default();
    devices.sort_by_key(|device| key(device));
    let buses: BTreeMap<i32, &str> = devices.iter().map(|device| (key(device), bus(kind(device)))).collect();
    vm.disks.clear();
    vm.nics.clear();
    vm.devices.clear();
    for device in devices {
        if kind(device) == "VirtualDisk" {
            vm.disks.push(disk(device, &buses));
        } else if is_network_card(device) {
            let order = i32::try_from(vm.nics.len()).unwrap_or(i32::MAX);
            vm.nics.push(nic(device, order));
        } else {
            vm.devices.push(other(device));
        }
    }
    vm.tpm_enabled = vm.devices.iter().any(|device| device.kind == "VirtualTPM");
}

fn kind(device: &Value) -> &str {
    device.type_name().unwrap_or_default()
}

fn key(device: &Value) -> i32 {
    inner_number(device, "key")
}

/// What a controller's disks are on; a controller this version doesn't know gives its type's name.
fn bus(controller: &str) -> &str {
    match controller {
        "ParaVirtualSCSIController"
        | "VirtualLsiLogicController"
        | "VirtualLsiLogicSASController"
        | "VirtualBusLogicController"
        | "VirtualSCSIController" => "scsi",
        "VirtualAHCIController" | "VirtualSATAController" => "sata",
        "VirtualIDEController" => "ide",
        "VirtualNVMEController" => "nvme",
        other => other,
    }
}

/// Every network card has a MAC address, whatever its model.
fn is_network_card(device: &Value) -> bool {
    device.get("macAddress").is_some()
}

fn disk(device: &Value, buses: &BTreeMap<i32, &str>) -> Disk {
    let controller_key = inner_number(device, "controllerKey");
    let text = |path| inner(device, path);
    let backing = device.get("backing").and_then(Value::type_name).unwrap_or_default();
    let bytes = device.integer("capacityInBytes");
    let file = device.text("backing.fileName").or_else(|| device.text("backing.descriptorFileName"));
    Disk {
        key: key(device),
        unit_number: inner_number(device, "unitNumber"),
        controller_key,
        file: file.unwrap_or_default().to_owned(),
        parent: text("backing.parent.fileName"),
        datastore: device.get("backing.datastore").and_then(to_ref).unwrap_or_default(),
        capacity: bytes.unwrap_or_else(|| inner_number::<i64>(device, "capacityInKB").saturating_mul(1024)),
        shared: false,
        rdm: backing.starts_with("VirtualDiskRawDisk"),
        physical_mode: device.text("backing.compatibilityMode") == Some("physicalMode"),
        bus: buses.get(&controller_key).copied().unwrap_or_default().to_owned(),
        mode: text("backing.diskMode"),
        serial: text("backing.uuid"),
        change_tracking_enabled: device.text("backing.changeId").is_some_and(|id| !id.is_empty()),
        backing: backing.to_owned(),
    }
}

fn nic(device: &Value, order: i32) -> Nic {
    Nic {
        network: network(device),
        mac: inner(device, "macAddress").to_lowercase(),
        order,
        device_key: key(device),
        start_connected: device.boolean("connectable.startConnected").unwrap_or(false),
    }
}

/// A distributed port group is known by its key, which is also its id; an opaque network by its own id.
fn network(device: &Value) -> Ref {
    if let Some(network) = device.get("backing.network").and_then(to_ref) {
        return network;
    }
    if let Some(group) = device.text("backing.port.portgroupKey") {
        return Ref::new("DistributedVirtualPortgroup", group);
    }
    device.text("backing.opaqueNetworkId").map(|id| Ref::new("OpaqueNetwork", id)).unwrap_or_default()
}

fn other(device: &Value) -> Device {
    Device {
        kind: kind(device).to_owned(),
        key: key(device),
        pci_slot_number: inner_number(device, "slotInfo.pciSlotNumber"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::sample;

    const DEVICES: &str = r#"<val x:type="ArrayOfVirtualDevice">
        <VirtualDevice x:type="VirtualVmxnet3"><key>4001</key><slotInfo x:type="VirtualDevicePciBusSlotInfo">
          <pciSlotNumber>192</pciSlotNumber></slotInfo><connectable><startConnected>true</startConnected></connectable>
          <backing x:type="VirtualEthernetCardDistributedVirtualPortBackingInfo"><port><switchUuid>50</switchUuid>
          <portgroupKey>dvportgroup-11</portgroupKey></port></backing><macAddress>00:50:56:AA:BB:02</macAddress></VirtualDevice>
        <VirtualDevice x:type="VirtualE1000"><key>4000</key><backing x:type="VirtualEthernetCardNetworkBackingInfo">
          <network type="Network">network-7</network></backing><macAddress>00:50:56:aa:bb:01</macAddress></VirtualDevice>
        <VirtualDevice x:type="FancyNewCard"><key>4002</key><backing><opaqueNetworkId>nsx-1</opaqueNetworkId></backing>
          <macAddress>00:50:56:aa:bb:03</macAddress></VirtualDevice>
        <VirtualDevice x:type="ParaVirtualSCSIController"><key>1000</key></VirtualDevice>
        <VirtualDevice x:type="VirtualAHCIController"><key>15000</key></VirtualDevice>
        <VirtualDevice x:type="VirtualIDEController"><key>200</key></VirtualDevice>
        <VirtualDevice x:type="VirtualNVMEController"><key>31000</key></VirtualDevice>
        <VirtualDevice x:type="QuantumController"><key>90000</key></VirtualDevice>
        <VirtualDevice x:type="VirtualUSBController"><key>7000</key><slotInfo><pciSlotNumber>34</pciSlotNumber></slotInfo></VirtualDevice>
        <VirtualDevice x:type="VirtualTPM"><key>11000</key></VirtualDevice>
        <VirtualDevice x:type="VirtualDisk"><key>2001</key><controllerKey>15000</controllerKey><unitNumber>1</unitNumber>
          <capacityInKB>2048</capacityInKB><backing x:type="VirtualDiskRawDiskMappingVer1BackingInfo">
          <fileName>[ds2] a/b_1.vmdk</fileName><compatibilityMode>physicalMode</compatibilityMode>
          <diskMode>independent_persistent</diskMode></backing></VirtualDevice>
        <VirtualDevice x:type="VirtualDisk"><key>2000</key><controllerKey>1000</controllerKey><unitNumber>0</unitNumber>
          <capacityInBytes>1073741825</capacityInBytes><capacityInKB>1048576</capacityInKB>
          <backing x:type="VirtualDiskFlatVer2BackingInfo"><fileName>[ds1] a/b-000001.vmdk</fileName>
          <datastore type="Datastore">datastore-59</datastore><diskMode>persistent</diskMode><uuid>6000C29-1</uuid>
          <changeId>52 de/1</changeId><parent x:type="VirtualDiskFlatVer2BackingInfo"><fileName>[ds1] a/b.vmdk</fileName></parent>
          </backing></VirtualDevice>
        <VirtualDevice x:type="VirtualDisk"><key>3000</key><controllerKey>90000</controllerKey></VirtualDevice></val>"#;

    fn vm() -> Vm {
        let mut vm = Vm::default();
        set(&mut vm, Some(&sample::value(DEVICES)));
        vm
    }

    #[test]
    fn a_disk_has_its_file_chain_datastore_and_bus() {
        let expected = Disk {
            key: 2000,
            unit_number: 0,
            controller_key: 1000,
            file: "[ds1] a/b-000001.vmdk".to_owned(),
            parent: "[ds1] a/b.vmdk".to_owned(),
            datastore: Ref::new("Datastore", "datastore-59"),
            capacity: 1_073_741_825,
            shared: false,
            rdm: false,
            physical_mode: false,
            bus: "scsi".to_owned(),
            mode: "persistent".to_owned(),
            serial: "6000C29-1".to_owned(),
            change_tracking_enabled: true,
            backing: "VirtualDiskFlatVer2BackingInfo".to_owned(),
        };
        assert_eq!(vm().disks[0], expected);
    }

    #[test]
    fn a_raw_device_and_a_disk_of_which_little_is_known_are_disks() {
        let disks = vm().disks;
        assert_eq!((disks[1].rdm, disks[1].physical_mode, disks[1].capacity), (true, true, 2 * 1024 * 1024));
        assert_eq!((disks[1].bus.as_str(), disks[2].bus.as_str()), ("sata", "QuantumController"));
        assert_eq!((disks[2].key, disks[2].capacity, disks[2].datastore.is_none()), (3000, 0, true));
    }

    #[test]
    fn controllers_give_the_bus() {
        for (controller, expected) in [
            ("VirtualBusLogicController", "scsi"),
            ("VirtualLsiLogicSASController", "scsi"),
            ("VirtualIDEController", "ide"),
            ("VirtualNVMEController", "nvme"),
            ("VirtualAHCIController", "sata"),
        ] {
            assert_eq!(bus(controller), expected);
        }
    }

    #[test]
    fn network_cards_are_ordered_by_device_key_whatever_their_model() {
        let shown: Vec<_> =
            vm().nics.into_iter().map(|n| (n.order, n.device_key, n.network.id, n.start_connected)).collect();
        let expected = [(0, 4000, "network-7", false), (1, 4001, "dvportgroup-11", true), (2, 4002, "nsx-1", false)];
        assert_eq!(shown, expected.map(|(order, key, id, connected)| (order, key, id.to_owned(), connected)));
        assert_eq!(vm().nics[1].mac, "00:50:56:aa:bb:02");
    }

    #[test]
    fn all_other_devices_are_kept_by_their_type() {
        let vm = vm();
        let kinds: Vec<_> = vm.devices.iter().map(|device| device.kind.as_str()).collect();
        assert_eq!(kinds.len(), 7);
        assert!(kinds.contains(&"QuantumController") && vm.tpm_enabled);
        let usb = vm.devices.iter().find(|device| device.kind == "VirtualUSBController").unwrap();
        assert_eq!((usb.key, usb.pci_slot_number), (7000, 34));
    }

    #[test]
    fn no_devices_empty_the_lists() {
        let mut vm = vm();
        set(&mut vm, None);
        assert!(vm.disks.is_empty() && vm.nics.is_empty() && vm.devices.is_empty() && !vm.tpm_enabled);
    }
}
