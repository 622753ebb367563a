//! The VirtualMachine (kubevirt.io/v1) that takes the source's place. It keeps what identifies a machine (BIOS
//! UUID, serial, MAC addresses, firmware, CPU topology, disk order) and must satisfy KubeVirt's admission rules.

use contract::vsphere::{Nic, Vm};
use serde_json::{Value, json};

/// How the guest sees disks and network cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    /// KubeVirt disk bus.
    pub disk_bus: &'static str,
    /// KubeVirt interface model.
    pub nic_model: &'static str,
}

/// What a guest without virtio drivers can drive (Forklift's `useCompatibilityMode`).
pub const COMPATIBLE: Devices = Devices { disk_bus: "sata", nic_model: "e1000e" };

/// Where a network card is plugged in on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NicTarget {
    /// The pod network, behind masquerade.
    Pod,
    /// A network attachment definition, bridged.
    Multus {
        /// `namespace/name`.
        network_name: String,
    },
    /// The card is left out.
    Ignored,
}

/// Everything the manifest is made of.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The VM at the source.
    pub vm: &'a Vm,
    /// Name on the target.
    pub name: &'a str,
    /// Namespace on the target.
    pub namespace: &'a str,
    /// Persistent volume claims in the order of the source's disks.
    pub claims: &'a [String],
    /// One per card of the source, in its order.
    pub nics: &'a [NicTarget],
    /// Bus and model.
    pub devices: Devices,
    /// Runs when the target starts it (`Always`), or stays off (`Halted`).
    pub running: bool,
    /// Labels besides `app`.
    pub labels: &'a [(String, String)],
}

/// The manifest as JSON.
pub fn build(input: &Input<'_>) -> Value {
    let vm = input.vm;
    let labels: serde_json::Map<String, Value> =
        input.labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let (interfaces, networks) = network(input);
    let mut domain = json!({
        "cpu": cpu(vm),
        "memory": { "guest": format!("{}Mi", vm.memory_mb.max(1)) },
        "machine": { "type": "q35" },
        "firmware": firmware(vm),
        "clock": { "utc": {} },
        "devices": {
            "disks": disks(input),
            "interfaces": interfaces,
            "inputs": [{ "name": "tablet", "type": "tablet", "bus": "usb" }],
        },
    });
    if vm.firmware == "efi" && vm.secure_boot {
        domain["features"] = json!({ "smm": { "enabled": true } });
    }
    if vm.tpm_enabled {
        domain["devices"]["tpm"] = json!({ "persistent": true });
    }
    json!({
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {
            "name": input.name,
            "namespace": input.namespace,
            "labels": labels,
            "annotations": { "openshift.io/display-name": vm.name, "original-ID": vm.id },
        },
        "spec": {
            "runStrategy": if input.running { "Always" } else { "Halted" },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "domain": domain, "networks": networks, "volumes": volumes(input) },
            },
        },
    })
}

fn cpu(vm: &Vm) -> Value {
    let count = vm.cpu_count.max(1);
    // vCenter allows a count that is no multiple of coresPerSocket; one socket then keeps the number of CPUs.
    let cores = if vm.cores_per_socket > 0 && count % vm.cores_per_socket == 0 { vm.cores_per_socket } else { count };
    json!({ "sockets": count / cores, "cores": cores, "threads": 1 })
}

fn firmware(vm: &Vm) -> Value {
    let bootloader = if vm.firmware == "efi" {
        json!({ "efi": { "secureBoot": vm.secure_boot, "persistent": true } })
    } else {
        json!({ "bios": {} })
    };
    let mut firmware = json!({ "bootloader": bootloader });
    if !vm.uuid.is_empty() {
        firmware["uuid"] = json!(vm.uuid);
        firmware["serial"] = json!(serial(&vm.uuid));
    }
    firmware
}

/// The system serial number a guest saw on ESXi: `VMware-` and the BIOS UUID's bytes, dash in the middle.
fn serial(uuid: &str) -> String {
    let hex: Vec<char> = uuid.chars().filter(char::is_ascii_hexdigit).collect();
    let bytes: Vec<String> = hex.chunks(2).map(|pair| pair.iter().collect()).collect();
    match bytes.split_at_checked(8) {
        Some((first, second)) => format!("VMware-{}-{}", first.join(" "), second.join(" ")),
        None => format!("VMware-{}", bytes.join(" ")),
    }
}

fn disks(input: &Input<'_>) -> Vec<Value> {
    let disk = |index: usize, source: &contract::vsphere::Disk| {
        let mut disk = json!({ "name": volume_name(index), "disk": { "bus": input.devices.disk_bus } });
        if index == 0 {
            disk["bootOrder"] = json!(1);
        }
        if usable_serial(&source.serial) {
            disk["serial"] = json!(source.serial);
        }
        disk
    };
    input.vm.disks.iter().take(input.claims.len()).enumerate().map(|(index, source)| disk(index, source)).collect()
}

/// KubeVirt's admission: `[A-Za-z0-9_.+-]`, and libvirt cuts a SATA serial at 20 characters.
fn usable_serial(serial: &str) -> bool {
    (1..=20).contains(&serial.len()) && serial.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-".contains(c))
}

fn volumes(input: &Input<'_>) -> Vec<Value> {
    let volume = |(index, claim): (usize, &String)| json!({ "name": volume_name(index), "persistentVolumeClaim": { "claimName": claim } });
    input.claims.iter().enumerate().map(volume).collect()
}

fn volume_name(index: usize) -> String {
    format!("vol-{index}")
}

fn network(input: &Input<'_>) -> (Vec<Value>, Vec<Value>) {
    let plugged = input.vm.nics.iter().zip(input.nics).filter(|(_, target)| **target != NicTarget::Ignored);
    plugged.enumerate().map(|(index, (nic, target))| card(index, nic, target, input.devices)).unzip()
}

fn card(index: usize, nic: &Nic, target: &NicTarget, devices: Devices) -> (Value, Value) {
    let name = format!("net-{index}");
    let mut interface = json!({ "name": name, "model": devices.nic_model });
    if !nic.mac.is_empty() {
        interface["macAddress"] = json!(nic.mac);
    }
    match target {
        NicTarget::Multus { network_name } => {
            interface["bridge"] = json!({});
            (interface, json!({ "name": name, "multus": { "networkName": network_name } }))
        }
        NicTarget::Pod | NicTarget::Ignored => {
            interface["masquerade"] = json!({});
            (interface, json!({ "name": name, "pod": {} }))
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::vsphere::Disk;

    use super::*;

    fn vm() -> Vm {
        Vm {
            id: "vm-7".into(),
            name: "Web 1".into(),
            uuid: "423a8f5e-0102-0304-0506-0708090a0b0c".into(),
            firmware: "efi".into(),
            secure_boot: true,
            tpm_enabled: true,
            cpu_count: 4,
            cores_per_socket: 2,
            memory_mb: 2048,
            disks: vec![
                Disk { key: 2000, serial: "ab c".into(), ..Disk::default() },
                Disk { key: 2001, ..Disk::default() },
            ],
            nics: vec![
                Nic { mac: "00:50:56:00:00:01".into(), ..Nic::default() },
                Nic { mac: "00:50:56:00:00:02".into(), ..Nic::default() },
                Nic { mac: "00:50:56:00:00:03".into(), ..Nic::default() },
            ],
            ..Vm::default()
        }
    }

    fn manifest(vm: &Vm) -> Value {
        build(&Input {
            vm,
            name: "web-1",
            namespace: "shop",
            claims: &["a".to_owned(), "b".to_owned()],
            nics: &[NicTarget::Pod, NicTarget::Ignored, NicTarget::Multus { network_name: "shop/lan".into() }],
            devices: COMPATIBLE,
            running: true,
            labels: &[],
        })
    }

    #[test]
    fn what_identifies_a_machine_is_kept() {
        let manifest = manifest(&vm());
        let domain = &manifest["spec"]["template"]["spec"]["domain"];
        assert_eq!(domain["firmware"]["uuid"], "423a8f5e-0102-0304-0506-0708090a0b0c");
        assert_eq!(domain["firmware"]["serial"], "VMware-42 3a 8f 5e 01 02 03 04-05 06 07 08 09 0a 0b 0c");
        assert_eq!(domain["cpu"], json!({ "sockets": 2, "cores": 2, "threads": 1 }));
        assert_eq!(domain["memory"]["guest"], "2048Mi");
        assert_eq!(domain["devices"]["interfaces"][1]["macAddress"], "00:50:56:00:00:03");
    }

    #[test]
    fn secure_boot_turns_smm_on_as_admission_demands() {
        let manifest = manifest(&vm());
        let domain = &manifest["spec"]["template"]["spec"]["domain"];
        assert_eq!(domain["firmware"]["bootloader"]["efi"]["secureBoot"], true);
        assert_eq!(domain["features"]["smm"]["enabled"], true);
        let plain = super::tests::manifest(&Vm { firmware: "bios".into(), ..vm() });
        assert_eq!(plain["spec"]["template"]["spec"]["domain"]["firmware"]["bootloader"], json!({ "bios": {} }));
    }

    #[test]
    fn every_volume_has_its_disk_and_every_interface_its_network() {
        let manifest = manifest(&vm());
        let spec = &manifest["spec"]["template"]["spec"];
        let names = |list: &Value| list.as_array().unwrap().iter().map(|x| x["name"].clone()).collect::<Vec<_>>();
        assert_eq!(names(&spec["volumes"]), names(&spec["domain"]["devices"]["disks"]));
        assert_eq!(names(&spec["networks"]), names(&spec["domain"]["devices"]["interfaces"]));
        assert_eq!(spec["networks"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_serial_that_admission_refuses_is_left_out() {
        let manifest = manifest(&vm());
        assert!(manifest["spec"]["template"]["spec"]["domain"]["devices"]["disks"][0].get("serial").is_none());
    }

    #[test]
    fn an_odd_number_of_cores_keeps_the_number_of_cpus() {
        let odd = Vm { cpu_count: 3, cores_per_socket: 2, ..vm() };
        assert_eq!(cpu(&odd), json!({ "sockets": 1, "cores": 3, "threads": 1 }));
    }
}
