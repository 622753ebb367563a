//! Tables of the inventory.

use serde_json::json;

use super::*;
use crate::args::Output;

fn args(kind: InventoryKind, name: Option<&str>, output: Output) -> InventoryArgs {
    InventoryArgs {
        kind,
        name: name.map(ToOwned::to_owned),
        provider: "vc".to_owned(),
        namespace: "default".to_owned(),
        output,
    }
}

fn vms() -> Vec<Value> {
    let concern =
        |category: &str, label: &str| json!({ "category": category, "label": label, "assessment": "Because." });
    vec![
        json!({
            "id": "vm-1", "name": "web", "powerState": "poweredOn", "host": "host-1", "guestName": "Debian", "revision": 1, "revisionValidated": 1,
            "disks": [{ "capacity": 10_737_418_240_i64 }, { "capacity": 1_610_612_736 }],
            "concerns": [concern("Warning", "USB"), concern("Critical", "Snapshot"), concern("Warning", "HA")],
        }),
        json!({ "id": "vm-2", "name": "db", "powerState": "poweredOff", "host": "host-9", "disks": [], "concerns": [],
                "revision": 3, "revisionValidated": 2 }),
        json!({ "id": "vm-3", "name": "db", "powerState": "suspended", "host": "", "disks": [], "concerns": [],
                "revision": 3, "revisionValidated": 0 }),
    ]
}

fn hosts() -> Names {
    [("host-1".to_owned(), "esx1.example".to_owned())].into()
}

#[test]
fn vms_show_power_host_disks_and_concerns_by_category() {
    let text = render(&args(InventoryKind::Vms, None, Output::Table), &vms(), &hosts()).unwrap();
    let expected = "\
NAME   ID     POWER       HOST           DISKS         CONCERNS
web    vm-1   on          esx1.example   2, 11.5 GiB   1 Critical, 2 Warning
db     vm-2   off         host-9         0             none (changed, being assessed again)
db     vm-3   suspended                  0             not assessed yet
";
    assert_eq!(text, expected);
}

#[test]
fn wide_names_the_concerns_the_worst_first() {
    let text = render(&args(InventoryKind::Vms, None, Output::Wide), &vms()[..1], &hosts()).unwrap();
    let expected = "\
NAME   ID     POWER   HOST           DISKS         GUEST    CONCERNS                WHICH
web    vm-1   on      esx1.example   2, 11.5 GiB   Debian   1 Critical, 2 Warning   Snapshot; USB; HA
";
    assert_eq!(text, expected);
}

#[test]
fn one_vm_is_shown_with_the_explanation_of_each_concern() {
    let text = render(&args(InventoryKind::Vms, Some("web"), Output::Table), &vms()[..1], &hosts()).unwrap();
    assert!(
        text.ends_with("\n\nCritical: Snapshot\n  Because.\n\nWarning: USB\n  Because.\n\nWarning: HA\n  Because.\n")
    );
}

#[test]
fn a_name_that_two_have_is_not_guessed_at() {
    let args = args(InventoryKind::Vms, None, Output::Table);
    let error = named(vms(), "db", &args).unwrap_err().to_string();
    assert_eq!(error, "provider vc has 2 vms named `db`; name one by its id: vm-2, vm-3");
    assert_eq!(named(vms(), "vm-3", &args).unwrap()["powerState"], "suspended");
    let error = named(vms(), "nobody", &args).unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(ClientError::NotFound(_))), "{error}");
}

#[test]
fn datastores_show_sizes() {
    let datastore = json!({ "id": "ds-1", "name": "nfs", "type": "NFS", "capacity": 1_u64 << 41, "free": 1536, "maintenance": "normal" });
    let text = render(&args(InventoryKind::Datastores, None, Output::Table), &[datastore], &Names::new()).unwrap();
    assert_eq!(
        text,
        "NAME   ID     TYPE   CAPACITY   FREE      MAINTENANCE\nnfs    ds-1   NFS    2 TiB      1.5 KiB   normal\n"
    );
}

#[test]
fn bytes_are_never_rounded_up() {
    for (count, text) in
        [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), ((1 << 30) - 1, "1023.9 MiB"), (3 << 29, "1.5 GiB")]
    {
        assert_eq!(rows::bytes(count), text);
    }
}

#[test]
fn an_inventory_that_is_not_the_present_state_says_why() {
    let synced = json!({ "synced": true, "collection": { "phase": "synced" } });
    assert_eq!(incomplete(&synced, "vc"), None);
    let refused =
        json!({ "synced": false, "collection": { "phase": "credentialsRefused", "message": "wrong password" } });
    assert_eq!(
        incomplete(&refused, "vc").unwrap(),
        "warning: what is shown of provider vc may be old or incomplete (credentialsRefused: wrong password)"
    );
    assert!(incomplete(&json!({ "synced": true, "collection": null }), "vc").unwrap().ends_with("(not begun)"));
}
