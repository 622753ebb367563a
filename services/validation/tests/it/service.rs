//! The service on a real nats-server: from a VM on the bus to its assessment, over restarts, new rules, failing
//! rules and messages that come twice.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use bus::server::{NatsServer, ServerOptions};
use bus::{Bus, ConnectOptions, Published, Stored};
use contract::assessment::VmAssessed;
use contract::concern::Category;
use contract::inventory::{VmChanged, VmRemoved};
use contract::revision::Revision;
use contract::subject;
use contract::vsphere::{Device, Vm, Workload};
use runtime::{Kind, Process, Shutdown};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;
use validation::{Bundle, Options, RULE_FAILED, Validation};

use super::rule;

/// Nothing here takes longer, unless it hangs.
const SOON: Duration = Duration::from_secs(30);

const PROVIDER: &str = "provider-1";

struct Rig {
    folder: TempDir,
    server: NatsServer,
    bus: Bus,
}

/// A validation service in a process of its own, as far as the bus can tell.
struct Running {
    process: Process,
    bus: Bus,
}

impl Rig {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = ServerOptions { binary: binary(), store_dir: folder.path().join("nats"), port: None };
        let server = NatsServer::start(options).await.unwrap();
        let bus = Bus::connect(&ConnectOptions::new(server.url(), "test")).await.unwrap();
        Self { folder, server, bus }
    }

    /// Writes a rules folder and gives the options that use it.
    fn rules(&self, name: &str, rules: &[(&str, &str)]) -> Options {
        let folder = self.folder.path().join(name);
        for (id, body) in rules {
            let (file, text) = rule(id, body);
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Options { rules_dir: Some(folder), ..Options::default() }
    }

    async fn validation(&self, options: Options) -> Running {
        let shutdown = Shutdown::new();
        let connect =
            ConnectOptions { shutdown: shutdown.token(), ..ConnectOptions::new(self.server.url(), "validation") };
        let bus = Bus::connect(&connect).await.unwrap();
        let process = Process::new(shutdown);
        let validation = Validation::open(options, bus.clone(), process.clone()).unwrap();
        process.tasks.spawn("validation", Kind::Service, validation.run());
        Running { process, bus }
    }

    /// The assessment of a VM, once it is as wanted.
    async fn assessment(&self, vm: &str, wanted: impl Fn(&VmAssessed) -> bool) -> Stored<VmAssessed> {
        let subject = subject::assessment(&PROVIDER.into(), &vm.into()).unwrap();
        let wait = async {
            loop {
                match self.bus.last::<VmAssessed>(&subject).await.unwrap() {
                    Some(stored) if wanted(&stored.message) => return stored,
                    _ => sleep(Duration::from_millis(50)).await,
                }
            }
        };
        timeout(SOON, wait).await.unwrap_or_else(|_| panic!("no such assessment of {vm}"))
    }

    async fn change(&self, vm: &str, n: u64, devices: &[&str]) {
        let devices = devices.iter().map(|kind| Device { kind: (*kind).to_owned(), ..Device::default() });
        let vm = Vm { id: vm.to_owned(), name: vm.to_owned(), devices: devices.collect(), ..Vm::default() };
        let object = Workload::new(vm, None);
        let changed = VmChanged { provider: PROVIDER.into(), revision: revision(n), object };
        assert!(matches!(self.bus.publish(&changed).await.unwrap(), Published::Stored { .. }));
    }

    /// Makes the server deliver everything again, as after a lost acknowledgement.
    async fn forget_what_was_delivered(&self) {
        let deleted = self.bus.jetstream().delete_consumer_from_stream("validation", "INVENTORY").await;
        assert!(deleted.unwrap().success);
    }

    async fn end(self) {
        self.bus.close().await;
        self.server.stop().await.unwrap();
    }
}

impl Running {
    async fn ready(&self) {
        let ready = async {
            while !self.process.health.readiness().ready {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, ready).await.unwrap();
    }

    /// Waits until so many VMs were judged.
    async fn judged(&self, vms: u64) {
        let judged = async {
            while self.metric("assessments_total") < vms {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, judged).await.unwrap();
    }

    fn metric(&self, name: &str) -> u64 {
        let text = self.process.metrics.encode().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("longshore_validation_{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// Lets it finish what is under way; gives the number of retries it counted.
    async fn stop(self) -> u64 {
        self.process.shutdown.trigger();
        self.process.tasks.join().await.unwrap();
        self.bus.close().await;
        self.metric("retries_total")
    }
}

/// The server that `cargo xtask` installs, unless another is named.
fn binary() -> Option<PathBuf> {
    if std::env::var_os("LONGSHORE_NATS_SERVER").is_some() {
        return None;
    }
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("longshore/venv/bin/nats-server")).filter(|path| Path::is_file(path))
}

fn revision(n: u64) -> Revision {
    Revision { epoch: 1, n }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_vm_is_assessed_and_a_removed_one_gets_a_tombstone() {
    let rig = Rig::start().await;
    rig.change("vm-1", 1, &["VirtualPCIPassthrough"]).await;
    let validation = rig.validation(Options::default()).await;
    let stored = rig.assessment("vm-1", |assessed| assessed.vm_revision == revision(1)).await;
    let assessed = stored.message;
    assert_eq!(assessed.rules_revision, Bundle::built_in().unwrap().version());
    assert_eq!(assessed.concerns.len(), 1);
    assert_eq!(assessed.concerns[0].id, "vmware.passthrough_device.detected");
    assert_eq!(assessed.concerns[0].category, Category::Critical);

    validation.ready().await;
    rig.change("vm-1", 2, &[]).await;
    let stored = rig.assessment("vm-1", |assessed| assessed.vm_revision == revision(2)).await;
    assert_eq!(stored.message.concerns, []);

    let removed = VmRemoved { provider: PROVIDER.into(), id: "vm-1".into(), revision: revision(3) };
    assert!(matches!(rig.bus.publish(&removed).await.unwrap(), Published::Stored { .. }));
    let stored = rig.assessment("vm-1", |assessed| assessed.removed).await;
    assert_eq!(stored.message.vm_revision, revision(3));
    let stream = rig.bus.jetstream().get_stream("ASSESSMENTS").await.unwrap();
    let raw = stream.get_raw_message(stored.sequence).await.unwrap();
    assert_eq!(raw.headers.get("Nats-TTL").map(|ttl| ttl.as_str().to_owned()), Some("86400".to_owned()));
    assert_eq!(validation.metric("rule_failures_total"), 0);
    assert!(validation.metric("assessment_seconds_count") >= 2);
    validation.stop().await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_vms_that_change_quickly_all_end_with_the_assessment_of_their_last_revision() {
    let rig = Rig::start().await;
    let validation = rig.validation(Options::default()).await;
    for n in 1..=4 {
        for vm in 0..40 {
            let devices: &[&str] = if (vm + n) % 2 == 0 { &["VirtualPCIPassthrough"] } else { &[] };
            rig.change(&format!("vm-{vm}"), n, devices).await;
        }
    }
    for vm in 0..40 {
        let stored = rig.assessment(&format!("vm-{vm}"), |assessed| assessed.vm_revision == revision(4)).await;
        assert_eq!(stored.message.concerns.len(), usize::from(vm % 2 == 0), "vm-{vm}");
    }
    validation.stop().await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_rule_is_a_concern_and_a_count_and_the_other_rules_stand() {
    let rig = Rig::start().await;
    let options = rig.rules("rules", &[("bad", "fn check(vm) {\n  loop { }\n}"), ("good", "fn check(vm) { true }")]);
    rig.change("vm-1", 1, &[]).await;
    let validation = rig.validation(options).await;
    let assessed = rig.assessment("vm-1", |_| true).await.message;
    let ids: Vec<_> = assessed.concerns.iter().map(|concern| (concern.id.as_str(), concern.category)).collect();
    assert_eq!(ids, [("good", Category::Warning), (RULE_FAILED, Category::Error)]);
    assert!(assessed.concerns[1].label.starts_with("bad failed at vsphere/bad.rhai:6:"), "{:?}", assessed.concerns);
    assert!(validation.metric("rule_failures_total") >= 1);
    validation.stop().await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_a_second_delivery_change_nothing() {
    let rig = Rig::start().await;
    rig.change("vm-1", 1, &[]).await;
    let validation = rig.validation(Options::default()).await;
    // Once by the catch-up, once by the durable that the first start makes.
    validation.judged(2).await;
    validation.stop().await;
    let before = rig.assessment("vm-1", |_| true).await;

    let validation = rig.validation(Options::default()).await;
    validation.ready().await;
    rig.change("vm-2", 1, &[]).await;
    rig.assessment("vm-2", |_| true).await;
    assert_eq!(validation.metric("assessments_total"), 1, "what was up to date was judged again");
    validation.stop().await;

    rig.forget_what_was_delivered().await;
    let validation = rig.validation(Options::default()).await;
    validation.judged(2).await;
    assert_eq!(validation.stop().await, 0, "a second delivery failed");
    assert_eq!(rig.assessment("vm-1", |_| true).await.sequence, before.sequence);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rules_judge_every_vm_again_without_a_change_of_the_vms() {
    let rig = Rig::start().await;
    for vm in ["vm-1", "vm-2"] {
        rig.change(vm, 1, &[]).await;
    }
    let validation = rig.validation(Options::default()).await;
    for vm in ["vm-1", "vm-2"] {
        assert_eq!(rig.assessment(vm, |_| true).await.message.concerns, []);
    }
    validation.ready().await;
    validation.stop().await;

    let validation =
        rig.validation(rig.rules("rules", &[("new", "fn check(vm) { vm.name.starts_with(\"vm\") }")])).await;
    for vm in ["vm-1", "vm-2"] {
        let assessed = rig.assessment(vm, |assessed| !assessed.concerns.is_empty()).await.message;
        assert_eq!(assessed.concerns[0].id, "new");
        assert_ne!(assessed.rules_revision, Bundle::built_in().unwrap().version());
    }
    validation.stop().await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assessment_dropped_as_a_duplicate_is_not_taken_for_one_that_stands() {
    let rig = Rig::start().await;
    rig.change("vm-1", 1, &[]).await;
    let validation = rig.validation(Options::default()).await;
    let assessed = rig.assessment("vm-1", |_| true).await.message;
    validation.ready().await;
    validation.stop().await;
    // Other rules judged meanwhile; ours are back within the time that the bus remembers their message.
    let foreign = VmAssessed { rules_revision: "other rules".to_owned(), ..assessed };
    assert!(matches!(rig.bus.publish(&foreign).await.unwrap(), Published::Stored { .. }));

    let validation = rig.validation(Options::default()).await;
    validation.ready().await;
    assert_eq!(validation.metric("retries_total"), 1);
    assert_eq!(rig.assessment("vm-1", |_| true).await.message.rules_revision, "other rules");
    validation.stop().await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_active_rules_are_listed_and_a_broken_folder_is_refused() {
    let rig = Rig::start().await;
    let process = Process::new(Shutdown::new());
    let validation = Validation::open(Options::default(), rig.bus.clone(), process.clone()).unwrap();
    let request = Request::get("/v1/rules").body(Body::empty()).unwrap();
    let response = validation.router().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["version"], Bundle::built_in().unwrap().version());
    let rules = body["rules"].as_array().unwrap();
    let disk = rules.iter().find(|rule| rule["id"] == "vmware.disk.capacity.invalid").unwrap();
    assert_eq!(disk["category"], "Critical");
    assert_eq!(disk["label"], "Disk '{file}' has an invalid capacity of {capacity} bytes");
    assert_eq!(disk["file"], "vsphere/vmware.disk.capacity.invalid.rhai");

    let broken = rig.rules("broken", &[("r", "fn check(vm) { vm. }")]);
    let error = Validation::open(broken, rig.bus.clone(), Process::new(Shutdown::new())).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("vsphere/r.rhai:6:"), "{cause}");
    rig.end().await;
}
