//! The migration of one VM as a pure function: `step(state, event) -> (state, actions)`. The shell looks at the
//! world, calls this, writes the state down durably, and only then acts; so every action is preceded by its
//! ledger entry. It must never act, read a clock or know a server.

mod forward;
mod ledger;
#[cfg(test)]
mod tests;
mod unwind;

use forklift_api::virtual_machine_import::longshore::{
    DiskProof, EffectKind, EntryState, Failure, LongshoreStatus, PhaseStart, Wait,
};
use forklift_api::{Phase, Time};
use jiff::{SignedDuration, Timestamp};

use ledger::set_entry;

/// How long something may stand still. None of these is a limit on a whole phase that makes progress.
#[derive(Clone, Debug)]
pub struct Deadlines {
    /// From the shutdown request to power-off: the guest shows no progress in between.
    pub shutdown: SignedDuration,
    /// Between two signs of life of a copy job.
    pub copy_progress: SignedDuration,
    /// For what must be there before the source is touched: a worker, a reachable provider.
    pub prepare: SignedDuration,
    /// After a failed shutdown, how long a guest that goes down late is powered on again.
    pub late_shutdown: SignedDuration,
}

/// Whether the source runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It runs.
    On,
    /// It is off.
    Off,
    /// Its memory is on disk: it can't be copied and must not be resumed by us.
    Suspended,
}

/// Something that keeps a VM from going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable CamelCase reason.
    pub reason: String,
    /// For a person: object, cause, next action.
    pub message: String,
    /// It may be over by itself.
    pub passing: bool,
}

impl Problem {
    /// A problem that stays until somebody acts.
    pub fn lasting(reason: &str, message: impl Into<String>) -> Self {
        Self { reason: reason.to_owned(), message: message.into(), passing: false }
    }

    /// A problem that may be over by itself.
    pub fn passing(reason: &str, message: impl Into<String>) -> Self {
        Self { reason: reason.to_owned(), message: message.into(), passing: true }
    }
}

/// How the running copy attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CopyEnd {
    /// Every disk is proven; in the order of the job, with the disk's name.
    Succeeded(Vec<(String, DiskProof)>),
    /// It failed and has closed the target.
    Failed(Problem),
    /// It was revoked and has closed the target.
    Cancelled,
}

/// What the shell saw. A field is filled only when the phase needs it: see [`needs`].
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Granted, or what the VM queues for.
    pub turn: Option<Result<(), String>>,
    /// Whether everything that can fail before the source is touched is in order.
    pub preparation: Option<Result<(), Problem>>,
    /// The source's power state, read from the provider now.
    pub power: Option<Result<Power, Problem>>,
    /// A later migration of the same VM has begun with the source: this one's shutdown is no longer its to take back.
    pub superseded: bool,
    /// How the attempt of this state ended.
    pub copy_end: Option<CopyEnd>,
    /// The copy job is neither waiting nor held by a worker.
    pub copy_is_gone: bool,
    /// Disk name and bytes done, of the attempt of this state.
    pub done_bytes: Vec<(String, i64)>,
    /// Somebody wants the migration of this VM to end, or deleted it.
    pub cancel: bool,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The shell looked.
    Look(Box<Seen>),
    /// An action ended well.
    Done(Action),
    /// An action could not be done: it can't succeed, or something passing stands in its way.
    Failed(Action, Problem),
}

/// What the shell is to do. Each can be repeated: a second time finds it done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Make the volumes. Key: owner mark beside each volume.
    CreateVolumes,
    /// Ask the guest to shut down. Key: power state.
    ShutdownSource,
    /// Publish the copy job of the state's attempt. Key: job and attempt.
    PublishCopy,
    /// Make the VirtualMachine. Key: its name and owner mark.
    CreateVm,
    /// Take the copy job back: its worker closes the target.
    RevokeCopy,
    /// Delete the VirtualMachine.
    RemoveVm,
    /// Power the source on. Key: power state.
    PowerOnSource,
    /// Remove the volumes that are still this import's own.
    RemoveVolumes,
}

impl Action {
    /// The ledger entry that an action fulfils or takes back.
    pub fn effect(self) -> EffectKind {
        match self {
            Self::CreateVolumes | Self::RemoveVolumes => EffectKind::CreateVolumes,
            Self::ShutdownSource | Self::PowerOnSource => EffectKind::ShutdownSource,
            Self::PublishCopy | Self::RevokeCopy => EffectKind::CopyDisks,
            Self::CreateVm | Self::RemoveVm => EffectKind::CreateVm,
        }
    }
}

/// The new state, to be written down before `actions` are done in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The state.
    pub status: LongshoreStatus,
    /// What to do next.
    pub actions: Vec<Action>,
}

/// What [`Seen`] must tell for a state to go on; the shell reads no more than this from the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// `turn`
    pub turn: bool,
    /// `preparation`
    pub preparation: bool,
    /// `power`
    pub power: bool,
    /// `copy_end`, `copy_is_gone` and `done_bytes`
    pub copy: bool,
}

/// See [`Needs`].
pub fn needs(status: &LongshoreStatus, cancel: bool) -> Needs {
    let open = |effect| matches!(status.entry(effect), Some(EntryState::Intended | EntryState::Done));
    if cancel || status.failure.is_some() || status.canceled {
        let copy = open(EffectKind::CopyDisks);
        return Needs { copy, power: !copy && open(EffectKind::ShutdownSource), ..Needs::default() };
    }
    match &status.phase {
        Phase::Started => Needs { turn: true, ..Needs::default() },
        Phase::CreateDataVolumes => {
            Needs { preparation: status.entry(EffectKind::CreateVolumes).is_none(), ..Needs::default() }
        }
        Phase::StorePowerState | Phase::WaitForPowerOff | Phase::CreateVM => Needs { power: true, ..Needs::default() },
        Phase::CopyDisks => Needs { copy: true, ..Needs::default() },
        _ => Needs::default(),
    }
}

/// The migration of one VM, one step further.
pub fn step(status: &LongshoreStatus, event: &Event, now: Timestamp, deadlines: &Deadlines) -> Step {
    let mut walk = Walk { status: status.clone(), actions: Vec::new(), now, deadlines };
    match event {
        Event::Look(seen) => walk.look(seen),
        Event::Done(action) => walk.done(*action),
        Event::Failed(action, problem) => walk.failed(*action, problem),
    }
    Step { status: walk.status, actions: walk.actions }
}

/// The state on its way through one step.
struct Walk<'a> {
    status: LongshoreStatus,
    actions: Vec<Action>,
    now: Timestamp,
    deadlines: &'a Deadlines,
}

impl Walk<'_> {
    fn look(&mut self, seen: &Seen) {
        if self.status.succeeded() {
            return;
        }
        if seen.cancel {
            self.status.canceled = true;
        }
        if self.status.failure.is_some() || self.status.canceled {
            self.unwind(seen);
        } else {
            self.forward(seen);
        }
    }

    fn done(&mut self, action: Action) {
        let state = match action {
            Action::CreateVolumes | Action::ShutdownSource | Action::PublishCopy | Action::CreateVm => EntryState::Done,
            Action::RemoveVm | Action::PowerOnSource | Action::RemoveVolumes => EntryState::Undone,
            // The entry closes when the worker has let go of the target, which only a look can tell.
            Action::RevokeCopy => return,
        };
        set_entry(&mut self.status, action.effect(), state, self.now);
        self.touch();
    }

    fn failed(&mut self, action: Action, problem: &Problem) {
        match action {
            Action::CreateVolumes | Action::ShutdownSource | Action::PublishCopy | Action::CreateVm => {
                self.problem(problem, self.deadlines.prepare);
            }
            // An undo is tried until it succeeds; what stands in its way is told.
            _ => self.wait(&problem.reason, problem.message.clone()),
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.status.phases.push(PhaseStart { phase: phase.clone(), at: time(self.now) });
        self.status.phase = phase;
        self.touch();
    }

    fn touch(&mut self) {
        self.status.progressed = Some(time(self.now));
        self.status.wait = None;
    }

    fn wait(&mut self, reason: &str, message: String) {
        let since = match &self.status.wait {
            Some(wait) if wait.reason == reason => wait.since.clone(),
            _ => time(self.now),
        };
        self.status.wait = Some(Wait { reason: reason.to_owned(), message, since });
    }

    fn fail(&mut self, reason: &str, message: String) {
        if self.status.failure.is_none() {
            self.status.failure =
                Some(Failure { phase: self.status.phase.clone(), reason: reason.to_owned(), message });
        }
        self.touch();
    }

    /// Nothing moved for longer than `limit`.
    fn stood_still(&self, limit: SignedDuration) -> bool {
        self.status.progressed.as_ref().is_some_and(|last| self.now.duration_since(last.0) > limit)
    }
}

fn time(now: Timestamp) -> Time {
    Time(now)
}
