//! What is at the vCenter is in the inventory and on the bus, and stays so.

use bus::Published;
use contract::assessment::VmAssessed;
use contract::concern::{Category, Concern};
use contract::inventory::{Collection, InventoryEvent, VmChanged, VmEvent, VmRemoved};
use contract::subject;
use serde_json::json;

use crate::rig::{Rig, SOON, Vcenter};

#[tokio::test]
async fn a_full_set_is_served_and_told() {
    let (rig, vcenter) = (Rig::start().await, Vcenter::start().await);
    let provider = rig.good_provider(&vcenter).await;
    let running = rig.inventory().await;
    let state = rig.synced(&provider).await;
    assert_eq!((state.vm_count, state.fingerprint.as_deref()), (4, Some(vcenter.fingerprint.as_str())));

    let web = running.named(&provider, "vms", "web").await.unwrap();
    assert_eq!(web["path"], "/Europe/DC 1/vm/prod/web");
    assert_eq!(
        (&web["cpuCount"], &web["powerState"], &web["hostName"]),
        (&json!(2), &json!("poweredOn"), &json!("web"))
    );
    assert_eq!(web["disks"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&web["disks"][0]["bus"], &web["disks"][0]["backing"]),
        (&json!("scsi"), &json!("VirtualDiskFlatVer2BackingInfo"))
    );
    assert_eq!(web["guestDisks"][0]["freeSpace"], json!(6_u64 << 30));
    let nfs = running.named(&provider, "datastores", "nfs 1").await.unwrap();
    assert_eq!((&nfs["type"], &web["disks"][1]["datastore"]["id"]), (&json!("NFS"), &nfs["id"]));
    let backend = running.named(&provider, "networks", "Backend").await.unwrap();
    assert_eq!((&backend["variant"], &web["nics"][0]["network"]["id"]), (&json!("DvPortGroup"), &backend["id"]));
    assert_eq!(web["nics"][0]["mac"], "00:50:56:00:00:01");
    let old = running.named(&provider, "vms", "old").await.unwrap();
    assert_ne!((&old["snapshot"]["id"], &old["disks"][0]["parent"]), (&json!(""), &json!("")));
    let far = running.named(&provider, "vms", "far").await.unwrap();
    assert_eq!((&far["firmware"], &far["tpmEnabled"]), (&json!("efi"), &json!(true)));
    let passthrough = |device: &serde_json::Value| device["kind"] == "VirtualPCIPassthrough";
    assert!(far["devices"].as_array().unwrap().iter().any(passthrough));
    let alone = running.named(&provider, "hosts", "alone").await.unwrap();
    assert_eq!((&alone["cluster"], &alone["path"]), (&json!(""), &json!("/Europe/DC 1/host/alone/alone")));
    assert_eq!(running.named(&provider, "clusters", "Production").await.unwrap()["drsEnabled"], true);
    assert_eq!(running.named(&provider, "datacenters", "DC 1").await.unwrap()["path"], "/Europe/DC 1");
    assert!(running.named(&provider, "folders", "prod").await.is_some());

    rig.rest().await;
    let message = changed(&rig, &provider, web["id"].as_str().unwrap()).await.unwrap();
    let host = message.object.host.unwrap();
    assert_eq!((host.name.as_str(), host.cluster.unwrap().drs_enabled), ("esx1", true));
    assert_eq!(message.revision.n, web["revision"].as_u64().unwrap());
    running.stop().await;
}

#[tokio::test]
async fn a_change_an_addition_and_a_removal_are_followed() {
    let (rig, vcenter) = (Rig::start().await, Vcenter::start().await);
    let provider = rig.good_provider(&vcenter).await;
    let running = rig.inventory().await;
    rig.synced(&provider).await;
    let before = running.named(&provider, "vms", "db").await.unwrap();
    let id = before["id"].as_str().unwrap();

    vcenter.patch("db", json!({"cpus": 6, "changeTracking": true})).await;
    let after = running.until(&provider, "db", |vm| vm.is_some_and(|vm| vm["cpuCount"] == 6)).await;
    assert!(after["revision"].as_u64() > before["revision"].as_u64());
    until_told(&rig, &provider, id, |event| matches!(event, VmEvent::Changed(c) if c.object.vm.cpu_count == 6)).await;

    vcenter.patch("db", json!({"changeTracking": false})).await;
    running.until(&provider, "db", |vm| vm.is_some_and(|vm| vm["changeTrackingEnabled"] == false)).await;

    let new = json!({"name": "new", "folder": "prod/deep", "disks": [{"datastore": "vmfs-1", "size": "1MiB"}]});
    vcenter.control(reqwest::Method::POST, "/vms", Some(new)).await;
    let added = running.until(&provider, "new", |vm| vm.is_some_and(|vm| vm["disks"][0]["file"] != json!(null))).await;
    assert_eq!(added["path"], "/Europe/DC 1/vm/prod/deep/new");
    rig.until(&provider, |state| state.vm_count == 5).await;

    vcenter.delete("db").await;
    running.until(&provider, "db", |vm| vm.is_none()).await;
    until_told(&rig, &provider, id, |event| matches!(event, VmEvent::Removed(VmRemoved { .. }))).await;
    rig.until(&provider, |state| state.vm_count == 4 && state.collection == Collection::Synced).await;
    running.stop().await;
}

#[tokio::test]
async fn concerns_that_the_bus_tells_are_shown_with_their_vm() {
    let (rig, vcenter) = (Rig::start().await, Vcenter::start().await);
    let provider = rig.good_provider(&vcenter).await;
    let running = rig.inventory().await;
    rig.synced(&provider).await;
    rig.rest().await;
    let web = running.named(&provider, "vms", "web").await.unwrap();
    assert_eq!((&web["concerns"], &web["revisionValidated"]), (&json!([]), &json!(0)));
    let id = web["id"].as_str().unwrap();
    let revision = changed(&rig, &provider, id).await.unwrap().revision;
    let concern = Concern {
        id: "vmware.x".to_owned(),
        category: Category::Warning,
        label: "X".to_owned(),
        assessment: "Look at X.".to_owned(),
    };
    let assessed = VmAssessed {
        provider: provider.clone(),
        vm: id.into(),
        vm_revision: revision,
        rules_revision: "abc".to_owned(),
        concerns: vec![concern],
        removed: false,
    };
    assert!(matches!(rig.bus.publish(&assessed).await.unwrap(), Published::Stored { .. }));
    let web = running.until(&provider, "web", |vm| vm.is_some_and(|vm| vm["concerns"][0]["id"] == "vmware.x")).await;
    assert_eq!(web["revisionValidated"], web["revision"]);
    running.stop().await;
}

#[tokio::test]
async fn a_removed_provider_takes_its_objects_with_it() {
    let (rig, vcenter) = (Rig::start().await, Vcenter::start().await);
    let provider = rig.good_provider(&vcenter).await;
    let running = rig.inventory().await;
    rig.synced(&provider).await;
    let id = running.named(&provider, "vms", "web").await.unwrap()["id"].as_str().unwrap().to_owned();
    rig.delete_provider().await;
    until_told(&rig, &provider, &id, |event| matches!(event, VmEvent::Removed(_))).await;
    let subject = subject::provider_state(&provider).unwrap();
    tokio::time::timeout(SOON, async {
        while !matches!(rig.bus.last::<InventoryEvent>(&subject).await, Ok(Some(last)) if matches!(last.message, InventoryEvent::Removed(_))) {
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(running.get(&format!("/providers/vsphere/{provider}/vms")).await.0, 404);
    let sessions = vcenter.control(reqwest::Method::GET, "/sessions", None).await;
    assert_eq!(sessions.as_array().map(Vec::len), Some(0), "a session was left open");
    running.stop().await;
}

#[tokio::test]
async fn what_changed_while_the_bus_was_away_is_told_afterwards() {
    let (mut rig, vcenter) = (Rig::start().await, Vcenter::start().await);
    let provider = rig.good_provider(&vcenter).await;
    let running = rig.inventory().await;
    rig.synced(&provider).await;
    rig.rest().await;
    let id = running.named(&provider, "vms", "db").await.unwrap()["id"].as_str().unwrap().to_owned();
    let pid = rustix::process::Pid::from_raw(rig.server.pid().try_into().unwrap()).unwrap();
    let signal = |signal| rustix::process::kill_process(pid, signal).unwrap();
    signal(rustix::process::Signal::STOP);
    for cpus in 2..8 {
        vcenter.patch("db", json!({"cpus": cpus})).await;
    }
    running.until(&provider, "db", |vm| vm.is_some_and(|vm| vm["cpuCount"] == 7)).await;
    signal(rustix::process::Signal::CONT);
    rig.server.restart().await.unwrap();
    until_told(&rig, &provider, &id, |event| matches!(event, VmEvent::Changed(c) if c.object.vm.cpu_count == 7)).await;
    running.stop().await;
}

pub async fn changed(rig: &Rig, provider: &contract::id::ProviderUid, vm: &str) -> Option<VmChanged> {
    let subject = subject::inventory("vm", provider, vm).unwrap();
    rig.bus.last::<VmChanged>(&subject).await.unwrap().map(|stored| stored.message)
}

/// Waits until the last message about a VM fits.
async fn until_told(rig: &Rig, provider: &contract::id::ProviderUid, vm: &str, fits: impl Fn(&VmEvent) -> bool) {
    let subject = subject::inventory("vm", provider, vm).unwrap();
    let told = async {
        loop {
            if let Ok(Some(last)) = rig.bus.last::<VmEvent>(&subject).await
                && fits(&last.message)
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
    };
    tokio::time::timeout(SOON, told).await.expect("it was not told");
}
