//! What must hold in every world, decided from the vCenter's journal and what the test did. Pure. The safety rules
//! are those of ARCHITECTURE.md: nothing changes before a Migration exists, never both on, never stale bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

/// One line of the journal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// From 1, without gaps.
    pub seq: i64,
    /// When it began.
    pub time: Timestamp,
    /// `change`, `data`, `power` or `session`.
    pub kind: String,
    /// Who; `control` is the test.
    pub user: String,
    /// Method of a change, HTTP method of a read.
    pub method: String,
    /// Managed object of a change.
    pub object: String,
    /// Name of the VM it is about.
    pub vm: String,
    /// Power state after a change of it.
    pub to: String,
    /// File of a read, `[datastore] folder/file`.
    pub file: String,
    /// HTTP status of a read.
    pub status: u16,
    /// Bytes sent by a read.
    pub bytes: u64,
}

impl Event {
    /// Somebody who logged in did it, and neither the scenario nor the test.
    pub fn is_ours(&self) -> bool {
        self.user != "control"
    }

    /// A read of a disk's bytes, not of its descriptor.
    pub fn is_flat_read(&self) -> bool {
        self.kind == "data" && self.file.ends_with("-flat.vmdk")
    }
}

/// What the test did and saw.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// VMs by name, with the time just before a Migration of them was applied.
    pub migrations: BTreeMap<String, Timestamp>,
    /// When a target ran: VM's name, from, until.
    pub targets_on: Vec<(String, Timestamp, Timestamp)>,
    /// VMs by name, with the time at which their migration was seen to have succeeded.
    pub succeeded: BTreeMap<String, Timestamp>,
}

/// All that Longshore may call at a source that is not looking.
const ALLOWED: [&str; 2] = ["ShutdownGuest", "PowerOnVM_Task"];

/// Everything that must not have happened; empty if all is well.
pub fn violations(events: &[Event], facts: &Facts) -> Vec<String> {
    let power = Power::of(events);
    let mut found = Vec::new();
    for event in events {
        found.extend(too_early(event, facts));
        found.extend(not_allowed(event));
        found.extend(read_while_on(event, &power));
        found.extend(on_again(event, events, facts));
    }
    for (vm, from, until) in &facts.targets_on {
        if power.was_on(vm, *from, *until) {
            found.push(format!("source {vm} was on while its target ran ({from} to {until})"));
        }
    }
    let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
    if !numbers.windows(2).all(|pair| pair[1] == pair[0] + 1) {
        found.push("the journal has gaps: something was not seen".to_owned());
    }
    found
}

/// The source of these VMs was touched by none of ours at all: neither changed nor read.
pub fn touches<'a>(events: &'a [Event], vm: &str) -> Vec<&'a Event> {
    let touch = |event: &&Event| event.is_ours() && event.vm == vm && (event.kind == "change" || event.kind == "data");
    events.iter().filter(touch).collect()
}

fn too_early(event: &Event, facts: &Facts) -> Option<String> {
    let touches = event.is_ours() && (event.kind == "change" || event.kind == "data");
    let allowed = facts.migrations.get(&event.vm).is_some_and(|since| *since <= event.time);
    (touches && !allowed).then(|| format!("before a Migration of it existed, or without any: {event:?}"))
}

fn not_allowed(event: &Event) -> Option<String> {
    let bad = event.is_ours() && event.kind == "change" && !ALLOWED.contains(&event.method.as_str());
    bad.then(|| format!("a call that Longshore has no need of: {event:?}"))
}

fn read_while_on(event: &Event, power: &Power<'_>) -> Option<String> {
    let bad = event.is_ours() && event.is_flat_read() && power.at(&event.vm, event.time) != Some("poweredOff");
    bad.then(|| format!("a disk was read while its VM was not off: {event:?}"))
}

/// A source is powered on by us only to take back our own shutdown, and never after success.
fn on_again(event: &Event, events: &[Event], facts: &Facts) -> Option<String> {
    if event.kind != "power" || event.to != "poweredOn" || !event.is_ours() {
        return None;
    }
    let shut_down = |other: &Event| other.seq < event.seq && other.vm == event.vm && other.method == "ShutdownGuest";
    if !events.iter().any(shut_down) {
        return Some(format!("a VM that Longshore had not shut down was powered on: {event:?}"));
    }
    let succeeded = facts.succeeded.get(&event.vm).is_some_and(|at| *at <= event.time);
    succeeded.then(|| format!("a source was powered on after its migration had succeeded: {event:?}"))
}

/// The power timeline of each VM.
pub struct Power<'a> {
    changes: BTreeMap<&'a str, Vec<(Timestamp, &'a str)>>,
}

impl<'a> Power<'a> {
    /// Reads it from a journal.
    pub fn of(events: &'a [Event]) -> Self {
        let mut changes: BTreeMap<&str, Vec<(Timestamp, &str)>> = BTreeMap::new();
        for event in events.iter().filter(|event| event.kind == "power") {
            changes.entry(event.vm.as_str()).or_default().push((event.time, event.to.as_str()));
        }
        Self { changes }
    }

    /// State at one moment; none before the first one known.
    pub fn at(&self, vm: &str, time: Timestamp) -> Option<&'a str> {
        self.changes.get(vm)?.iter().rev().find(|(since, _)| *since <= time).map(|(_, state)| *state)
    }

    fn was_on(&self, vm: &str, from: Timestamp, until: Timestamp) -> bool {
        let within = |(since, state): &(Timestamp, &str)| *state == "poweredOn" && (from..=until).contains(since);
        self.at(vm, from) != Some("poweredOff") || self.changes.get(vm).is_some_and(|all| all.iter().any(within))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn event(second: i64, kind: &str) -> Event {
        let user = "administrator".to_owned();
        Event { seq: second, time: at(second), kind: kind.into(), vm: "web".into(), user, ..Event::default() }
    }

    fn change(second: i64, method: &str) -> Event {
        Event { method: method.into(), ..event(second, "change") }
    }

    fn power(second: i64, to: &str) -> Event {
        Event { to: to.into(), ..event(second, "power") }
    }

    fn read(second: i64) -> Event {
        Event { file: "[vmfs-1] web/web-flat.vmdk".into(), ..event(second, "data") }
    }

    /// A migration as it should be: on, applied, shut down, off, read.
    fn good() -> (Vec<Event>, Facts) {
        let start = Event { user: "control".into(), ..power(1, "poweredOn") };
        let events = vec![start, event(2, "session"), change(3, "ShutdownGuest"), power(4, "poweredOff"), read(5)];
        (events, Facts { migrations: [("web".to_owned(), at(2))].into(), ..Facts::default() })
    }

    #[test]
    fn a_good_migration_violates_nothing() {
        let (events, mut facts) = good();
        facts.targets_on.push(("web".into(), at(6), at(8)));
        assert_eq!(violations(&events, &facts), Vec::<String>::new());
    }

    #[test]
    fn a_touch_before_the_migration_or_of_another_vm_is_seen() {
        let (events, facts) = good();
        assert_eq!(violations(&events, &Facts::default()).len(), 2);
        let late = Facts { migrations: [("web".to_owned(), at(4))].into(), ..facts.clone() };
        assert!(violations(&events, &late)[0].contains("before a Migration"));
        let mut other = events.clone();
        other[2].vm = "db".into();
        assert!(violations(&other, &facts)[0].contains("before a Migration"));
        assert_eq!(touches(&events, "web").len(), 2);
        assert_eq!(touches(&events, "db").len(), 0);
    }

    #[test]
    fn a_read_of_a_running_vms_disk_is_seen() {
        let (mut events, facts) = good();
        events.swap(3, 4);
        (events[3].time, events[3].seq, events[4].time, events[4].seq) = (at(4), 4, at(5), 5);
        assert!(violations(&events, &facts)[0].contains("while its VM was not off"));
        events[3].file = "[vmfs-1] web/web.vmdk".into();
        assert_eq!(violations(&events, &facts), Vec::<String>::new());
    }

    #[test]
    fn a_hard_power_off_is_seen() {
        let (mut events, facts) = good();
        events[2].method = "PowerOffVM_Task".into();
        assert!(violations(&events, &facts)[0].contains("no need of"));
    }

    #[test]
    fn a_source_that_is_on_with_its_target_is_seen() {
        let (mut events, mut facts) = good();
        facts.targets_on.push(("web".into(), at(6), at(8)));
        events.push(Event { user: "control".into(), ..power(6, "poweredOn") });
        assert!(violations(&events, &facts)[0].contains("while its target ran"));
        facts.targets_on[0] = ("web".into(), at(3), at(3));
        assert!(violations(&events, &facts)[0].contains("while its target ran"));
    }

    #[test]
    fn only_our_own_shutdown_is_taken_back_and_never_after_success() {
        let (mut events, mut facts) = good();
        events.push(power(6, "poweredOn"));
        assert_eq!(violations(&events, &facts), Vec::<String>::new());
        facts.succeeded.insert("web".into(), at(5));
        assert!(violations(&events, &facts)[0].contains("after its migration had succeeded"));
        events[2].method = "PowerOnVM_Task".into();
        assert!(violations(&events, &facts)[0].contains("had not shut down"));
    }

    #[test]
    fn a_gap_in_the_journal_is_seen() {
        let (mut events, facts) = good();
        events.remove(1);
        assert!(violations(&events, &facts)[0].contains("gaps"));
    }
}
