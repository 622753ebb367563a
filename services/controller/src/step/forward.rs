//! The way to success. Everything that can fail comes before the source is touched; a guest shuts down only when
//! volumes exist and a worker is there.

use forklift_api::Phase;
use forklift_api::virtual_machine_import::longshore::{EffectKind, EntryState};

use super::ledger::{close, set_entry};
use super::{Action, CopyEnd, Power, Problem, Seen, Walk, time};

impl Walk<'_> {
    pub(super) fn forward(&mut self, seen: &Seen) {
        match &self.status.phase {
            Phase::Started => self.turn(seen),
            Phase::CreateDataVolumes => self.prepare(seen),
            Phase::StorePowerState => self.store_power(seen),
            Phase::PowerOffSource => self.effect(Action::ShutdownSource, Phase::WaitForPowerOff),
            Phase::WaitForPowerOff => self.await_power_off(seen),
            Phase::CopyDisks => self.copy(seen),
            Phase::CreateVM => self.create_vm(seen),
            _ => {}
        }
    }

    fn turn(&mut self, seen: &Seen) {
        match &seen.turn {
            Some(Ok(())) => {
                self.status.started = Some(time(self.now));
                self.enter(Phase::CreateDataVolumes);
            }
            Some(Err(queued)) => self.wait("Queued", queued.clone()),
            None => {}
        }
    }

    fn prepare(&mut self, seen: &Seen) {
        if self.status.entry(EffectKind::CreateVolumes).is_some() {
            return self.effect(Action::CreateVolumes, Phase::StorePowerState);
        }
        match &seen.preparation {
            Some(Ok(())) => self.effect(Action::CreateVolumes, Phase::StorePowerState),
            Some(Err(problem)) => self.problem(problem, self.deadlines.prepare),
            None => {}
        }
    }

    fn store_power(&mut self, seen: &Seen) {
        match &seen.power {
            Some(Ok(Power::On)) => {
                self.status.source_was_on = Some(true);
                self.enter(Phase::PowerOffSource);
            }
            Some(Ok(Power::Off)) => {
                self.status.source_was_on = Some(false);
                self.enter(Phase::CopyDisks);
            }
            Some(Ok(Power::Suspended)) => self.fail(
                "SourceSuspended",
                "the VM is suspended; resume it and shut it down, or discard its saved state, then migrate again"
                    .into(),
            ),
            Some(Err(problem)) => self.problem(problem, self.deadlines.prepare),
            None => {}
        }
    }

    fn await_power_off(&mut self, seen: &Seen) {
        match &seen.power {
            Some(Ok(Power::Off)) => self.enter(Phase::CopyDisks),
            Some(Ok(_)) if self.stood_still(self.deadlines.shutdown) => self.fail(
                "GuestDidNotShutDown",
                format!(
                    "the guest did not shut down within {} s; look at its console, then create a new Migration, which asks again (if it goes down within the next {} min without one, it is powered on again)",
                    self.deadlines.shutdown.as_secs(),
                    self.deadlines.late_shutdown.as_secs() / 60
                ),
            ),
            Some(Ok(_)) => self.wait("WaitingForGuestShutdown", "the guest was asked to shut down and still runs".into()),
            Some(Err(problem)) => self.problem(problem, self.deadlines.shutdown),
            None => {}
        }
    }

    fn copy(&mut self, seen: &Seen) {
        match self.status.entry(EffectKind::CopyDisks) {
            None => {
                self.status.attempt += 1;
                self.intend(Action::PublishCopy);
            }
            Some(EntryState::Intended) => self.actions.push(Action::PublishCopy),
            Some(_) => self.follow_copy(seen),
        }
    }

    fn follow_copy(&mut self, seen: &Seen) {
        match &seen.copy_end {
            Some(CopyEnd::Succeeded(proofs)) => {
                for (name, proof) in proofs {
                    if let Some(disk) = self.status.disks.iter_mut().find(|disk| disk.name == *name) {
                        disk.done_bytes = disk.capacity;
                        disk.proof = Some(proof.clone());
                    }
                }
                if self.status.disks.iter().any(|disk| disk.proof.is_none()) {
                    return self
                        .fail("CopyIncomplete", "the worker reported success without a proof of every disk".into());
                }
                set_entry(&mut self.status, EffectKind::CopyDisks, EntryState::Closed, self.now);
                self.enter(Phase::CreateVM);
            }
            Some(CopyEnd::Failed(problem)) => {
                set_entry(&mut self.status, EffectKind::CopyDisks, EntryState::Undone, self.now);
                self.fail(&problem.reason, problem.message.clone());
            }
            Some(CopyEnd::Cancelled) => {
                set_entry(&mut self.status, EffectKind::CopyDisks, EntryState::Undone, self.now);
                self.fail("CopyRevoked", "the copy was revoked; create a new Migration".into());
            }
            None => self.follow_progress(seen),
        }
    }

    fn follow_progress(&mut self, seen: &Seen) {
        let mut moved = false;
        for (name, done) in &seen.done_bytes {
            if let Some(disk) = self.status.disks.iter_mut().find(|disk| disk.name == *name) {
                moved |= *done != disk.done_bytes;
                disk.done_bytes = *done;
            }
        }
        if moved {
            self.touch();
        } else if self.stood_still(self.silence()) {
            self.fail(
                "CopyStalled",
                format!(
                    "no byte of any disk was copied for {} s; see the transfer service's log, then create a new Migration",
                    self.silence().as_secs()
                ),
            );
        } else if self.status.disks.iter().all(|disk| disk.done_bytes == 0) {
            self.wait("WaitingForWorker", "the copy job waits for a transfer worker".into());
        }
    }

    /// How long a copy may say nothing. Before its first and after its last byte a worker reads the whole target
    /// (what an earlier attempt left, and the proof), of which it tells nothing: 10 MiB a second are allowed for that.
    fn silence(&self) -> jiff::SignedDuration {
        let disks = &self.status.disks;
        let whole = disks.iter().all(|disk| disk.done_bytes == 0 || disk.done_bytes >= disk.capacity);
        let bytes: i64 = disks.iter().map(|disk| disk.capacity).sum();
        let reading = if whole { bytes / (10 << 20) } else { 0 };
        self.deadlines.copy_progress + jiff::SignedDuration::from_secs(reading)
    }

    /// The last look at the source before a second machine of this identity exists.
    fn create_vm(&mut self, seen: &Seen) {
        match &seen.power {
            Some(Ok(Power::Off)) if self.status.entry(EffectKind::CreateVm) == Some(EntryState::Done) => {
                close(&mut self.status, self.now);
                self.status.completed = Some(time(self.now));
                self.enter(Phase::Completed);
            }
            Some(Ok(Power::Off)) => self.intend(Action::CreateVm),
            Some(Ok(_)) => self.fail(
                "SourcePoweredOn",
                "the source was powered on by somebody else after its disks were copied; shut it down and create a new Migration".into(),
            ),
            Some(Err(problem)) => self.problem(problem, self.deadlines.prepare),
            None => {}
        }
    }

    /// Writes the intention down and acts; once it is done, the next phase begins.
    fn effect(&mut self, action: Action, next: Phase) {
        if self.status.entry(action.effect()) == Some(EntryState::Done) {
            self.enter(next);
        } else {
            self.intend(action);
        }
    }

    fn intend(&mut self, action: Action) {
        set_entry(&mut self.status, action.effect(), EntryState::Intended, self.now);
        self.actions.push(action);
    }

    pub(super) fn problem(&mut self, problem: &Problem, limit: jiff::SignedDuration) {
        if problem.passing && !self.stood_still(limit) {
            self.wait(&problem.reason, problem.message.clone());
        } else {
            self.fail(&problem.reason, problem.message.clone());
        }
    }
}
