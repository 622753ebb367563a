//! The time one rule may take. Rhai counts operations but knows no clock, and a native function counts as one
//! operation however long it takes.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What a rule may take, by the wall clock first; see [`Deadline::passed`].
const BUDGET: Duration = Duration::from_millis(20);

/// Operations between two looks at the clock.
const STRIDE: u64 = 64;

thread_local! {
    static CURRENT: Cell<Option<Deadline>> = const { Cell::new(None) };
}

/// The deadline of the rule that runs on this thread.
#[derive(Clone, Copy, Debug)]
enum Deadline {
    /// By the wall clock.
    Wall(Instant),
    /// By this thread's own CPU time.
    Cpu(Duration),
}

/// Ends the deadline when dropped.
pub(crate) struct Running(());

/// Begins the budget of one rule on this thread.
pub(crate) fn start() -> Running {
    CURRENT.set(Some(Deadline::Wall(Instant::now() + BUDGET)));
    Running(())
}

impl Drop for Running {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// Whether the rule on this thread has used its time up; called with the count of its operations.
pub(crate) fn passed(operations: u64) -> bool {
    operations.is_multiple_of(STRIDE) && CURRENT.get().is_some_and(Deadline::passed)
}

impl Deadline {
    /// Threads that judge VMs run at low priority: on a loaded machine 20 ms pass while a rule just waits for a
    /// core, and its verdict would depend on the load. So who is late by the wall clock gets the same budget
    /// once more, counted in its own CPU time, which needs a system call and is not asked before.
    fn passed(self) -> bool {
        match self {
            Self::Wall(end) if Instant::now() < end => false,
            Self::Wall(_) => {
                CURRENT.set(Some(Self::Cpu(cpu_time() + BUDGET)));
                false
            }
            Self::Cpu(end) => cpu_time() >= end,
        }
    }
}

/// CPU time that this thread has used.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses the CPU, looking at the deadline as an evaluation does, until it has passed or `limit` CPU time is used.
    fn work(limit: Duration) -> bool {
        let end = cpu_time() + limit;
        while cpu_time() < end {
            if passed(STRIDE) {
                return true;
            }
        }
        false
    }

    #[test]
    fn who_works_too_long_is_out_of_time() {
        let _running = start();
        assert!(!passed(STRIDE));
        assert!(work(BUDGET * 3));
    }

    #[test]
    fn who_only_waited_for_a_core_gets_the_budget_in_cpu_time() {
        let _running = start();
        std::thread::sleep(BUDGET * 2);
        assert!(!passed(STRIDE) && !work(BUDGET / 2));
        assert!(work(BUDGET));
    }

    #[test]
    fn the_clock_is_not_asked_at_every_operation_and_never_without_a_rule() {
        std::thread::spawn(|| assert!(!work(BUDGET * 3))).join().unwrap();
        let _running = start();
        CURRENT.set(Some(Deadline::Cpu(Duration::ZERO)));
        assert!(!passed(STRIDE + 1) && passed(STRIDE));
    }
}
