//! The invariant watcher of a world: reads the vCenter's journal all the time, remembers what the test did, and fails
//! the test at its end if an invariant was broken at any moment.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use super::invariants::{Event, Facts, Power, touches, violations};
use super::vcenter::{Control, SourceVm};

/// A running watcher.
pub struct Watcher {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    control: Control,
}

#[derive(Default)]
struct Seen {
    events: Vec<Event>,
    /// VMs by the descriptors of their disks: the journal names the VM of a flat file only.
    descriptors: BTreeMap<String, String>,
    facts: Facts,
}

impl Watcher {
    /// Begins to look on.
    pub fn start(control: &Control) -> Self {
        let of = |vm: SourceVm| vm.disks.into_iter().map(move |disk| (disk.file, vm.name.clone()));
        let descriptors = control.vms().into_iter().flat_map(of).collect();
        let seen = Arc::new(Mutex::new(Seen { descriptors, ..Seen::default() }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped, peer) = (seen.clone(), stop.clone(), control.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                look(&shared, &peer);
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        Self { seen, stop, thread: Some(thread), control: control.clone() }
    }

    /// To be called just before a Migration of these VMs is applied.
    pub fn migration_of(&self, vms: &[&str]) {
        let now = Timestamp::now();
        for vm in vms {
            self.seen().facts.migrations.entry((*vm).to_owned()).or_insert(now);
        }
    }

    /// The migration of this VM was seen to have succeeded.
    pub fn succeeded(&self, vm: &str) {
        self.seen().facts.succeeded.insert(vm.to_owned(), Timestamp::now());
    }

    /// The target of this VM ran from `since` until now.
    pub fn target_ran(&self, vm: &str, since: Timestamp) {
        self.seen().facts.targets_on.push((vm.to_owned(), since, Timestamp::now()));
    }

    /// Everything that happened until now.
    pub fn events(&self) -> Vec<Event> {
        look(&self.seen, &self.control);
        self.seen().events.clone()
    }

    /// Fails unless nobody but the test touched this VM at the source.
    pub fn assert_untouched(&self, vm: &str) {
        let events = self.events();
        let touched = touches(&events, vm);
        assert!(touched.is_empty(), "the source {vm} was touched: {touched:#?}");
    }

    /// Fails unless this VM's power state is the one it had when a Migration of it was applied.
    pub fn assert_power_restored(&self, vm: &str) {
        let events = self.events();
        let before = self.seen().facts.migrations.get(vm).and_then(|applied| Power::of(&events).at(vm, *applied));
        let now = Power::of(&events).at(vm, Timestamp::now());
        assert!(before.is_some() && now == before, "the source {vm} was {before:?} and was left {now:?}");
    }

    /// Fails if an invariant is broken until now.
    pub fn assert_sound(&self) {
        let events = self.events();
        let broken = violations(&events, &self.seen().facts);
        assert!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Asking under the lock keeps the order of two askers.
fn look(seen: &Mutex<Seen>, control: &Control) {
    let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let last = seen.events.last().map_or(0, |event| event.seq);
    for mut event in control.events(last) {
        if event.kind == "data" && event.vm.is_empty() {
            event.vm = seen.descriptors.get(&event.file).cloned().unwrap_or_default();
        }
        seen.events.push(event);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It can only have failed with the vCenter, which the test itself has met by then.
            let _ = thread.join();
        }
    }
}
