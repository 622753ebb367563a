//! The QEMU command that runs a VirtualMachine manifest's disks on this machine, derived from the manifest alone,
//! so that what is tried here is what the manifest says. Nothing runs it but a person or a test.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// Ports of the AHCI controller that a q35 machine has from the start.
const AHCI_PORTS: usize = 6;

/// Everything the accelerator offers but one feature, whose register nested KVM refuses to set: QEMU 7.2 then aborts.
const CPU: &str = "max,-arch-capabilities";

/// Where Debian and Fedora put OVMF's code image (`ovmf` package).
const OVMF_CODE: &str = "/usr/share/OVMF/OVMF_CODE.fd";

/// The command as words; `disks` gives the raw file of each claim. A claim without a file is an error that names it.
pub fn command(manifest: &Value, disks: &BTreeMap<String, PathBuf>) -> Result<Vec<String>, MissingDisk> {
    let spec = &manifest["spec"]["template"]["spec"];
    let domain = &spec["domain"];
    let mut words: Vec<String> = ["qemu-system-x86_64", "-M", "q35,accel=kvm:tcg", "-cpu", CPU].map(Into::into).into();
    let mut arg = |name: &str, value: String| words.extend([name.to_owned(), value]);
    arg("-name", text(&manifest["metadata"]["name"]).to_owned());
    let cpu = |field: &str| domain["cpu"][field].as_u64().unwrap_or(1);
    arg("-smp", format!("sockets={},cores={},threads={}", cpu("sockets"), cpu("cores"), cpu("threads")));
    arg("-m", text(&domain["memory"]["guest"]).trim_end_matches('i').to_owned());
    if let Some(uuid) = domain["firmware"]["uuid"].as_str() {
        arg("-uuid", uuid.to_owned());
    }
    if let Some(serial) = domain["firmware"]["serial"].as_str() {
        arg("-smbios", format!("type=1,serial={}", escape(serial)));
    }
    if domain["firmware"]["bootloader"].get("efi").is_some() {
        arg("-bios", OVMF_CODE.to_owned());
    }
    for (index, disk) in list(&domain["devices"]["disks"]).enumerate() {
        let file = file_of(disk, spec, disks)?;
        let id = text(&disk["name"]);
        if index >= AHCI_PORTS && index % AHCI_PORTS == 0 {
            arg("-device", format!("ahci,id=ahci{}", index / AHCI_PORTS));
        }
        arg("-drive", format!("if=none,id={id},format=raw,discard=unmap,file={}", escape(&file.to_string_lossy())));
        arg("-device", disk_device(disk, id, index));
    }
    for interface in list(&domain["devices"]["interfaces"]) {
        let id = text(&interface["name"]);
        arg("-netdev", format!("user,id={id}"));
        let mac = interface["macAddress"].as_str().map(|mac| format!(",mac={mac}")).unwrap_or_default();
        arg("-device", format!("{},netdev={id}{mac}", nic_device(text(&interface["model"]))));
    }
    if list(&domain["devices"]["interfaces"]).next().is_none() {
        arg("-nic", "none".to_owned());
    }
    Ok(words)
}

/// The command as a person pastes it into a shell.
pub fn shell(words: &[String]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// A claim of the manifest that no file is known for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the volume claim `{0}` has no disk file on this machine")]
pub struct MissingDisk(pub String);

fn file_of<'a>(disk: &Value, spec: &Value, disks: &'a BTreeMap<String, PathBuf>) -> Result<&'a PathBuf, MissingDisk> {
    let volume = list(&spec["volumes"]).find(|volume| volume["name"] == disk["name"]);
    let claim = volume.and_then(|volume| volume["persistentVolumeClaim"]["claimName"].as_str()).unwrap_or_default();
    disks.get(claim).ok_or_else(|| MissingDisk(claim.to_owned()))
}

fn disk_device(disk: &Value, id: &str, index: usize) -> String {
    let boot = disk["bootOrder"].as_u64().map(|order| format!(",bootindex={order}")).unwrap_or_default();
    let serial = disk["serial"].as_str().map(|serial| format!(",serial={serial}")).unwrap_or_default();
    let device = match text(&disk["disk"]["bus"]) {
        "virtio" => "virtio-blk-pci".to_owned(),
        "scsi" => "scsi-hd".to_owned(),
        // The first controller's buses are `ide.N`; those we add are `ahciM.N`.
        _ if index < AHCI_PORTS => format!("ide-hd,bus=ide.{index}"),
        _ => format!("ide-hd,bus=ahci{}.{}", index / AHCI_PORTS, index % AHCI_PORTS),
    };
    format!("{device},drive={id}{boot}{serial}")
}

fn nic_device(model: &str) -> &str {
    if model == "virtio" { "virtio-net-pci" } else { model }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// QEMU's own escape of a comma inside an option's value.
fn escape(value: &str) -> String {
    value.replace(',', ",,")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(disks: usize, bus: &str) -> Value {
        let volume =
            |n: usize| json!({ "name": format!("vol-{n}"), "persistentVolumeClaim": { "claimName": format!("c{n}") } });
        let disk = |n: usize| json!({ "name": format!("vol-{n}"), "disk": { "bus": bus } });
        json!({ "metadata": { "name": "web" }, "spec": { "template": { "spec": {
            "domain": {
                "cpu": { "sockets": 1, "cores": 2, "threads": 1 },
                "memory": { "guest": "2048Mi" },
                "firmware": { "uuid": "u", "serial": "VMware-42 3a", "bootloader": { "bios": {} } },
                "devices": {
                    "disks": (0..disks).map(disk).collect::<Vec<_>>(),
                    "interfaces": [{ "name": "net-0", "model": "e1000e", "macAddress": "00:50:56:00:00:01" }],
                },
            },
            "volumes": (0..disks).map(volume).collect::<Vec<_>>(),
        } } } })
    }

    fn files(disks: usize) -> BTreeMap<String, PathBuf> {
        (0..disks).map(|n| (format!("c{n}"), PathBuf::from(format!("/disks/a,b {n}.img")))).collect()
    }

    #[test]
    fn the_command_has_what_the_manifest_says() {
        let words = command(&manifest(1, "sata"), &files(1)).unwrap();
        let line = shell(&words);
        assert!(line.contains("-smp sockets=1,cores=2,threads=1 -m 2048M -uuid u"), "{line}");
        assert!(line.contains("'if=none,id=vol-0,format=raw,discard=unmap,file=/disks/a,,b 0.img'"), "{line}");
        assert!(line.contains("-device e1000e,netdev=net-0,mac=00:50:56:00:00:01"), "{line}");
        assert!(line.contains("'type=1,serial=VMware-42 3a'"), "{line}");
    }

    #[test]
    fn a_seventh_sata_disk_gets_a_second_controller() {
        let words = command(&manifest(7, "sata"), &files(7)).unwrap();
        assert!(words.contains(&"ahci,id=ahci1".to_owned()));
        assert!(words.iter().any(|word| word.starts_with("ide-hd,bus=ahci1.0,drive=vol-6")));
    }

    #[test]
    fn a_claim_without_a_file_is_named() {
        assert_eq!(command(&manifest(2, "sata"), &files(1)), Err(MissingDisk("c1".into())));
    }
}
