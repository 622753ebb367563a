//! What one rule may use: operations and time. Rhai counts operations too, but begins again in every closure that a
//! native function calls, and it knows no clock; a native function counts as one operation however long it takes.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Operations of one evaluation, closures included.
pub(super) const OPERATIONS: u64 = 100_000;

/// Time of one evaluation, by the wall clock first; see [`Deadline::passed`].
const TIME: Duration = Duration::from_millis(20);

/// Operations between two looks at the clock.
const STRIDE: u64 = 64;

thread_local! {
    static CURRENT: Cell<Option<Budget>> = const { Cell::new(None) };
}

/// What the rule that runs on this thread has left.
#[derive(Clone, Copy, Debug)]
struct Budget {
    operations: u64,
    deadline: Deadline,
}

#[derive(Clone, Copy, Debug)]
enum Deadline {
    /// By the wall clock.
    Wall(Instant),
    /// By this thread's own CPU time.
    Cpu(Duration),
}

/// Ends the budget when dropped.
pub(crate) struct Running(());

/// Begins the budget of one rule on this thread.
pub(crate) fn start() -> Running {
    CURRENT.set(Some(Budget { operations: 0, deadline: Deadline::Wall(Instant::now() + TIME) }));
    Running(())
}

impl Drop for Running {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// Called for every operation: why the rule on this thread has to stop, if it has to.
pub(crate) fn spend() -> Option<String> {
    let mut budget = CURRENT.get()?;
    budget.operations += 1;
    let stop = if budget.operations > OPERATIONS {
        Some(format!("too many operations: a rule has {OPERATIONS}"))
    } else if budget.operations.is_multiple_of(STRIDE) && budget.deadline.passed() {
        Some(format!("out of time: a rule has {} ms", TIME.as_millis()))
    } else {
        None
    };
    CURRENT.set(Some(budget));
    stop
}

impl Deadline {
    /// Threads that judge VMs run at low priority: on a loaded machine 20 ms pass while a rule just waits for a
    /// core, and its verdict would depend on the load. So who is late by the wall clock gets the same time once
    /// more, counted in its own CPU time, which needs a system call and is not asked before.
    fn passed(&mut self) -> bool {
        match *self {
            Self::Wall(end) if Instant::now() < end => false,
            Self::Wall(_) => {
                *self = Self::Cpu(cpu_time() + TIME);
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

    /// Uses the CPU until the deadline has passed, or `limit` of CPU time is used.
    fn passes(deadline: &mut Deadline, limit: Duration) -> bool {
        let end = cpu_time() + limit;
        while cpu_time() < end {
            if deadline.passed() {
                return true;
            }
        }
        false
    }

    #[test]
    fn who_works_too_long_is_out_of_time() {
        let mut deadline = Deadline::Wall(Instant::now() + TIME);
        assert!(!deadline.passed());
        assert!(passes(&mut deadline, TIME * 3));
    }

    #[test]
    fn who_only_waited_for_a_core_gets_the_time_in_cpu_time() {
        let mut deadline = Deadline::Wall(Instant::now() + TIME);
        std::thread::sleep(TIME * 2);
        assert!(!deadline.passed() && !passes(&mut deadline, TIME / 2));
        assert!(passes(&mut deadline, TIME));
    }

    #[test]
    fn operations_are_counted_per_rule_and_not_without_one() {
        assert!((0..OPERATIONS * 2).all(|_| spend().is_none()));
        for _ in 0..2 {
            let _running = start();
            // The time is none of this test's business.
            let far = Deadline::Wall(Instant::now() + Duration::from_secs(3600));
            CURRENT.set(Some(Budget { operations: 0, deadline: far }));
            assert!((0..OPERATIONS).all(|_| spend().is_none()));
            assert!(spend().unwrap().contains("too many operations"));
        }
    }
}
