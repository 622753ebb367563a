//! The state machine against a small model of the world, with crashes, failures and cancels at every point.

use forklift_api::virtual_machine_import::longshore::{DiskProof, DiskStatus};

use super::*;

const DEADLINES: Deadlines = Deadlines {
    shutdown: SignedDuration::from_secs(300),
    copy_progress: SignedDuration::from_secs(600),
    prepare: SignedDuration::from_secs(120),
    late_shutdown: SignedDuration::from_secs(1800),
};

/// What is outside: it only changes by actions, and by the guest.
#[derive(Clone, Debug)]
struct World {
    source: Power,
    /// Looks until an asked guest is off; `None`: it never goes down.
    shuts_down_after: Option<u32>,
    asked: bool,
    volumes: bool,
    /// Looks until the published copy ends; 0: it has ended.
    job: Option<u32>,
    vm: bool,
    copy_fails: bool,
    cancel: bool,
    seconds: i64,
    source_changes: u32,
}

impl World {
    fn new() -> Self {
        Self {
            source: Power::On,
            shuts_down_after: Some(2),
            asked: false,
            volumes: false,
            job: None,
            vm: false,
            copy_fails: false,
            cancel: false,
            seconds: 0,
            source_changes: 0,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + self.seconds).unwrap()
    }

    fn look(&mut self, status: &LongshoreStatus) -> Seen {
        self.seconds += 10;
        if self.asked && self.source == Power::On {
            match &mut self.shuts_down_after {
                Some(0) => self.source = Power::Off,
                Some(n) => *n -= 1,
                None => {}
            }
        }
        let needs = needs(status, self.cancel);
        let proof =
            DiskProof { read_bytes: 1, zero_bytes: 0, written_bytes: 1, root_hash: "h".into(), manifest: "m".into() };
        let copy_end = match (&mut self.job, self.copy_fails) {
            (Some(0), true) => Some(CopyEnd::Failed(Problem::lasting("TargetFull", "full"))),
            (Some(0), false) => Some(CopyEnd::Succeeded(vec![("disk-2000".into(), proof)])),
            (Some(left), _) => {
                *left -= 1;
                None
            }
            (None, _) => None,
        };
        Seen {
            turn: needs.turn.then_some(Ok(())),
            preparation: needs.preparation.then_some(Ok(())),
            power: needs.power.then_some(Ok(self.source)),
            copy_end: copy_end.filter(|_| needs.copy),
            copy_is_gone: self.job.is_none(),
            done_bytes: Vec::new(),
            superseded: false,
            cancel: self.cancel,
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::CreateVolumes => self.volumes = true,
            Action::RemoveVolumes => self.volumes = false,
            Action::ShutdownSource => {
                self.source_changes += u32::from(!self.asked);
                self.asked = true;
            }
            Action::PowerOnSource => {
                assert!(!self.vm, "source powered on while its target exists");
                self.source = Power::On;
                self.asked = false;
                self.source_changes += 1;
            }
            Action::PublishCopy => {
                assert_eq!(self.source, Power::Off, "copied from a running source");
                self.job.get_or_insert(3);
            }
            Action::RevokeCopy => self.job = None,
            Action::CreateVm => {
                assert_eq!(self.source, Power::Off, "target made while the source runs");
                self.vm = true;
            }
            Action::RemoveVm => self.vm = false,
        }
    }
}

fn fresh() -> LongshoreStatus {
    let disk = DiskStatus {
        key: 2000,
        name: "disk-2000".into(),
        file: "[ds] a/a.vmdk".into(),
        datastore_id: "datastore-1".into(),
        datastore: "ds".into(),
        datacenter: "DC".into(),
        capacity: 10,
        storage_class: "local".into(),
        claim: "a".into(),
        path: None,
        done_bytes: 0,
        proof: None,
    };
    LongshoreStatus { disks: vec![disk], ..LongshoreStatus::default() }
}

/// Runs until nothing changes; `fault(n, action)` may kill the controller before (`Some(None)`) an action, after it,
/// or fail it for good.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    DieBefore,
    DieAfter,
    Fail,
}

fn run(world: &mut World, mut fault: impl FnMut(u32, Action) -> Option<Fault>) -> LongshoreStatus {
    let mut status = fresh();
    let mut count = 0;
    for _ in 0..400 {
        let seen = world.look(&status);
        let before = status.clone();
        let next = step(&status, &Event::Look(Box::new(seen)), world.now(), &DEADLINES);
        status = next.status;
        for action in next.actions.iter().copied() {
            count += 1;
            match fault(count, action) {
                Some(Fault::DieBefore) => break,
                Some(Fault::DieAfter) => {
                    world.act(action);
                    break;
                }
                Some(Fault::Fail) => {
                    let event = Event::Failed(action, Problem::lasting("Broken", "broken"));
                    status = step(&status, &event, world.now(), &DEADLINES).status;
                }
                None => {
                    world.act(action);
                    status = step(&status, &Event::Done(action), world.now(), &DEADLINES).status;
                }
            }
        }
        let quiet = status == before && next.actions.is_empty();
        if quiet && status.phase == Phase::Completed && !(status.ledger_is_open() && status.canceled) {
            break;
        }
    }
    assert_eq!(status.phase, Phase::Completed, "{status:?} {world:?}");
    status
}

#[test]
fn a_running_vm_is_shut_down_copied_and_handed_over() {
    let mut world = World::new();
    let status = run(&mut world, |_, _| None);
    assert!(status.failure.is_none());
    assert!(world.vm && world.volumes && world.source == Power::Off);
    assert!(!status.ledger_is_open());
}

#[test]
fn a_vm_that_was_off_is_never_switched_on() {
    let mut world = World { source: Power::Off, copy_fails: true, ..World::new() };
    let status = run(&mut world, |_, _| None);
    assert_eq!(status.failure.unwrap().reason, "TargetFull");
    assert_eq!((world.source, world.source_changes), (Power::Off, 0));
}

#[test]
fn a_failed_copy_restores_the_source_and_keeps_the_volumes() {
    let mut world = World { copy_fails: true, ..World::new() };
    let status = run(&mut world, |_, _| None);
    assert_eq!(world.source, Power::On);
    assert!(world.volumes && !world.vm);
    assert!(status.ledger_is_open(), "the volumes are still ours to remove");
}

#[test]
fn a_guest_that_does_not_shut_down_fails_and_is_powered_on_if_it_goes_down_late() {
    let mut world = World { shuts_down_after: None, ..World::new() };
    let status = run(&mut world, |_, _| None);
    assert_eq!(status.failure.as_ref().unwrap().reason, "GuestDidNotShutDown");
    assert_eq!(status.entry(EffectKind::ShutdownSource), Some(EntryState::Done), "it can't be withdrawn");
    world.source = Power::Off;
    let late = step(&status, &Event::Look(Box::new(world.look(&status))), world.now(), &DEADLINES);
    assert_eq!(late.actions, [Action::PowerOnSource]);
}

#[test]
fn dying_around_any_action_still_ends_right() {
    for at in 1..=8 {
        for fault in [Fault::DieBefore, Fault::DieAfter] {
            let mut world = World::new();
            let status = run(&mut world, |n, _| (n == at).then_some(fault));
            assert!(status.failure.is_none(), "{at}");
            assert!(world.vm && world.source == Power::Off, "{at}");
        }
    }
}

#[test]
fn failing_at_any_effect_leaves_the_source_as_it_was() {
    for broken in [Action::CreateVolumes, Action::ShutdownSource, Action::PublishCopy, Action::CreateVm] {
        let mut world = World::new();
        let status = run(&mut world, |_, action| (action == broken).then_some(Fault::Fail));
        assert_eq!(status.failure.unwrap().reason, "Broken");
        assert_eq!(world.source, Power::On, "{broken:?}");
        assert!(!world.vm, "{broken:?}");
    }
}

#[test]
fn cancelling_at_any_point_leaves_nothing_and_restores_the_source() {
    for at in 0..30 {
        let mut world = World::new();
        let mut status = fresh();
        for round in 0..200 {
            world.cancel = round >= at && (status.canceled || status.phase != Phase::Completed);
            let seen = world.look(&status);
            let next = step(&status, &Event::Look(Box::new(seen)), world.now(), &DEADLINES);
            status = next.status;
            for action in next.actions {
                world.act(action);
                status = step(&status, &Event::Done(action), world.now(), &DEADLINES).status;
            }
        }
        if status.canceled {
            assert!(
                !world.vm && !world.volumes && world.job.unwrap_or(0) == 0 && world.source == Power::On,
                "{at} {world:?}"
            );
            assert!(!status.ledger_is_open(), "{at} {status:?}");
        } else {
            assert!(world.vm && world.source == Power::Off, "{at} {world:?}");
        }
    }
}

#[test]
fn a_source_switched_on_by_somebody_else_is_never_joined_by_its_target() {
    let mut world = World::new();
    let mut status = fresh();
    for _ in 0..100 {
        if status.phase == Phase::CreateVM && status.entry(EffectKind::CreateVm).is_none() {
            world.source = Power::On;
            world.asked = false;
        }
        let seen = world.look(&status);
        let next = step(&status, &Event::Look(Box::new(seen)), world.now(), &DEADLINES);
        status = next.status;
        for action in next.actions {
            world.act(action);
            status = step(&status, &Event::Done(action), world.now(), &DEADLINES).status;
        }
    }
    assert_eq!(status.failure.unwrap().reason, "SourcePoweredOn");
    assert!(!world.vm);
}

#[test]
fn what_stands_in_the_way_of_an_action_is_waited_for_and_no_longer_than_its_deadline() {
    let mut world = World::new();
    let mut status = fresh();
    while status.phase != Phase::PowerOffSource {
        let next = step(&status, &Event::Look(Box::new(world.look(&status))), world.now(), &DEADLINES);
        status = next.status;
        for action in next.actions {
            status = step(&status, &Event::Done(action), world.now(), &DEADLINES).status;
        }
    }
    let mut waited = 0;
    while status.failure.is_none() {
        let next = step(&status, &Event::Look(Box::new(world.look(&status))), world.now(), &DEADLINES);
        assert_eq!(next.actions, [Action::ShutdownSource]);
        let away = Event::Failed(Action::ShutdownSource, Problem::passing("SourceUnreachable", "away"));
        status = step(&next.status, &away, world.now(), &DEADLINES).status;
        waited += u32::from(status.wait.is_some());
        assert!(waited < 100, "it waits for ever");
    }
    assert!(waited > 2);
    assert_eq!(status.failure.unwrap().reason, "SourceUnreachable");
}

#[test]
fn a_shutdown_that_a_later_migration_took_over_is_not_taken_back() {
    let mut world = World { shuts_down_after: None, ..World::new() };
    let status = run(&mut world, |_, _| None);
    assert_eq!(status.failure.as_ref().unwrap().reason, "GuestDidNotShutDown");
    world.source = Power::Off;
    let seen = Seen { superseded: true, ..world.look(&status) };
    let next = step(&status, &Event::Look(Box::new(seen)), world.now(), &DEADLINES);
    assert!(next.actions.is_empty(), "the source of a VM that moved would run: {:?}", next.actions);
    assert_eq!(next.status.entry(EffectKind::ShutdownSource), Some(EntryState::Undone));
}

#[test]
fn a_source_that_is_gone_is_let_go_and_one_that_is_away_is_waited_for() {
    let mut world = World { shuts_down_after: None, ..World::new() };
    let status = run(&mut world, |_, _| None);
    for (problem, entry) in [
        (Problem::lasting("VMNotFound", "gone"), EntryState::Undone),
        (Problem::passing("SourceUnreachable", "away"), EntryState::Done),
    ] {
        let seen = Seen { power: Some(Err(problem)), ..Seen::default() };
        let next = step(&status, &Event::Look(Box::new(seen)), world.now(), &DEADLINES);
        assert_eq!(next.status.entry(EffectKind::ShutdownSource), Some(entry));
        assert!(next.actions.is_empty());
    }
}

#[test]
fn a_copy_may_be_silent_longer_while_the_worker_reads_the_whole_target() {
    let mut status = LongshoreStatus { phase: Phase::CopyDisks, progressed: Some(time(at(0))), ..fresh() };
    status.disks[0].capacity = 100 << 30;
    set_entry(&mut status, EffectKind::CopyDisks, EntryState::Done, at(0));
    let fails = |done: i64, seconds: i64| {
        let mut status = status.clone();
        status.disks[0].done_bytes = done;
        let next = step(&status, &Event::Look(Box::default()), at(seconds), &DEADLINES);
        next.status.failure.is_some()
    };
    assert!(!fails(100 << 30, 5_000) && !fails(0, 5_000), "proving 100 GiB takes a while");
    assert!(fails(100 << 30, 20_000) && fails(0, 20_000), "but not for ever");
    assert!(fails(1 << 30, 5_000), "in the middle of a copy silence is a stall");
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}
