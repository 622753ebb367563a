//! The way back after a failure or a cancel. The order is safety: the worker lets go of the target, the target's
//! VM goes away, and only then the source may run again. A failure keeps the volumes for a retry; a cancel does not.

use forklift_api::Phase;
use forklift_api::virtual_machine_import::longshore::{EffectKind, EntryState};

use super::ledger::set_entry;
use super::{Action, Power, Seen, Walk, time};

impl Walk<'_> {
    pub(super) fn unwind(&mut self, seen: &Seen) {
        if self.is_open(EffectKind::CopyDisks) {
            return self.let_go(seen);
        }
        if self.is_open(EffectKind::CreateVm) {
            return self.actions.push(Action::RemoveVm);
        }
        if self.is_open(EffectKind::ShutdownSource) && !self.restore_power(seen) {
            return;
        }
        if self.status.canceled && self.is_open(EffectKind::CreateVolumes) {
            return self.actions.push(Action::RemoveVolumes);
        }
        self.complete();
    }

    fn let_go(&mut self, seen: &Seen) {
        if seen.copy_end.is_some() || seen.copy_is_gone {
            set_entry(&mut self.status, EffectKind::CopyDisks, EntryState::Undone, self.now);
            self.touch();
        } else {
            self.wait(
                "WaitingForWorkerToStop",
                "the transfer worker was told to stop and still holds the target".into(),
            );
            self.actions.push(Action::RevokeCopy);
        }
    }

    /// Whether the way back may go on. A shutdown can't be withdrawn: while the guest still runs, its entry stays
    /// open, the VM counts as ended, and a guest that goes down late is powered on again, unless a later migration of the
    /// VM has begun with it: then powering it on could bring up the source of a VM that has moved.
    fn restore_power(&mut self, seen: &Seen) -> bool {
        if seen.superseded {
            set_entry(&mut self.status, EffectKind::ShutdownSource, EntryState::Undone, self.now);
            return true;
        }
        match &seen.power {
            Some(Ok(Power::Off)) if self.status.source_was_on == Some(true) => {
                self.actions.push(Action::PowerOnSource);
                false
            }
            Some(Ok(Power::On)) if !self.stood_still(self.deadlines.late_shutdown) => true,
            Some(Ok(_)) => {
                set_entry(&mut self.status, EffectKind::ShutdownSource, EntryState::Undone, self.now);
                true
            }
            // There is nothing left to power on, or no way left to do it: the Provider was deleted, and one made anew
            // is another.
            Some(Err(problem))
                if problem.reason == "VMNotFound"
                    || (problem.reason == "SourceProviderNotValid" && self.stood_still(self.deadlines.prepare)) =>
            {
                set_entry(&mut self.status, EffectKind::ShutdownSource, EntryState::Undone, self.now);
                true
            }
            Some(Err(problem)) => {
                self.wait(&problem.reason, problem.message.clone());
                false
            }
            None => false,
        }
    }

    fn complete(&mut self) {
        if self.status.phase != Phase::Completed {
            self.status.completed = Some(time(self.now));
            self.enter(Phase::Completed);
        }
        self.status.wait = None;
    }

    fn is_open(&self, effect: EffectKind) -> bool {
        matches!(self.status.entry(effect), Some(EntryState::Intended | EntryState::Done))
    }
}
