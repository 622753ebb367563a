use contract::job::DiskTarget;

use super::*;
use crate::state::{Backing, DatastoreState};

fn vm() -> VmState {
    let backing = Backing {
        kind: FLAT.to_owned(),
        file: "[ds1] web/web.vmdk".to_owned(),
        datastore: Some("datastore-1".to_owned()),
        ..Backing::default()
    };
    let datastore = DatastoreState { name: "ds1".to_owned(), kind: "VMFS".to_owned(), accessible: true };
    let disk = DiskState { key: 2000, label: "Hard disk 1".to_owned(), capacity: 1 << 30, backing, datastore };
    VmState {
        name: "web".to_owned(),
        power: Power::Off,
        connection: "connected".to_owned(),
        snapshot: false,
        version: "1".to_owned(),
        disks: vec![disk],
    }
}

fn disk() -> DiskJob {
    DiskJob {
        key: 2000,
        name: "disk-2000".to_owned(),
        source: DiskSource::VsphereDatastore {
            file: "[ds1] web/web.vmdk".to_owned(),
            datacenter: "emea/DC0".to_owned(),
            datastore: "ds1".to_owned(),
        },
        capacity: 1 << 30,
        target: DiskTarget::LocalFile { path: "/images/web-0.img".to_owned() },
        base_change_id: None,
    }
}

#[test]
fn a_plain_flat_file_of_a_vm_at_rest_is_read() {
    for kind in ["VMFS", "NFS", "NFS41"] {
        let mut vm = vm();
        vm.disks[0].datastore.kind = kind.to_owned();
        let descriptor = "[ds1] web/web.vmdk".to_owned();
        let route = Route::DatastoreFile { datacenter: "emea/DC0".to_owned(), descriptor };
        assert_eq!(check(&vm, &disk()), Ok(route));
    }
}

#[test]
fn every_condition_of_the_design_is_checked_by_itself() {
    type Spoil = fn(&mut VmState);
    let cases: [(Spoil, Reason); 14] = [
        (|vm| vm.power = Power::On, Reason::SourcePoweredOn),
        (|vm| vm.power = Power::Suspended, Reason::SourcePoweredOn),
        (|vm| vm.power = Power::Unknown, Reason::AccessDenied),
        (|vm| vm.connection = "disconnected".to_owned(), Reason::SourceUnreachable),
        (|vm| vm.connection.clear(), Reason::SourceUnreachable),
        (|vm| vm.snapshot = true, Reason::SnapshotPresent),
        (|vm| vm.disks.clear(), Reason::SourceChanged),
        (|vm| vm.disks[0].backing.parent = true, Reason::UnsupportedBacking),
        (|vm| vm.disks[0].backing.kind = "VirtualDiskSeSparseBackingInfo".to_owned(), Reason::UnsupportedBacking),
        (|vm| vm.disks[0].backing.file = "[ds1] web/web-000001.vmdk".to_owned(), Reason::SourceChanged),
        (|vm| vm.disks[0].capacity += 512, Reason::SourceChanged),
        (|vm| vm.disks[0].datastore.kind = "vsan".to_owned(), Reason::UnsupportedDatastore),
        (|vm| vm.disks[0].datastore.accessible = false, Reason::SourceUnreachable),
        (|vm| vm.disks[0].datastore.name = "ds2".to_owned(), Reason::SourceChanged),
    ];
    for (index, (spoil, reason)) in cases.into_iter().enumerate() {
        let mut vm = vm();
        spoil(&mut vm);
        let refusal = check(&vm, &disk()).unwrap_err();
        assert_eq!(refusal.reason, reason, "case {index}: {refusal}");
    }
}

#[test]
fn a_refusal_names_vm_disk_and_route_and_what_to_do() {
    let refusal = check(&VmState { snapshot: true, ..vm() }, &disk()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "VM web, disk-2000 (Hard disk 1), route datastore file over HTTPS: the VM has a snapshot, so its flat file is \
         stale; delete all its snapshots and try again"
    );
}

#[test]
fn a_change_between_first_and_last_read_is_found() {
    let before = vm();
    assert_eq!(unchanged(&before, &before, &disk()), Ok(()));
    let on = VmState { power: Power::On, ..vm() };
    assert_eq!(unchanged(&before, &on, &disk()).unwrap_err().reason, Reason::SourcePoweredOn);
    let reconfigured = VmState { version: "2".to_owned(), ..vm() };
    assert_eq!(unchanged(&before, &reconfigured, &disk()).unwrap_err().reason, Reason::SourceChanged);
    let mut written = vm();
    written.disks[0].backing.content = "beef".to_owned();
    assert_eq!(unchanged(&before, &written, &disk()).unwrap_err().reason, Reason::SourceChanged);
}
