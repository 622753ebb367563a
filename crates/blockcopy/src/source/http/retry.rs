//! How often a failed read is tried again, and when.

use std::time::Duration;

/// Doubling pauses between a bounded number of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, at least one.
    pub attempts: u32,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// No pause is longer.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    /// Eight attempts over about half a minute: longer than a vCenter's service takes to fail over a request,
    /// short enough to report while somebody watches.
    fn default() -> Self {
        Self { attempts: 8, first: Duration::from_millis(250), longest: Duration::from_secs(8) }
    }
}

impl RetryPolicy {
    /// The pause after failure number `failures` (from 1); `None`: give up.
    pub fn pause(&self, failures: u32) -> Option<Duration> {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        (failures < self.attempts).then_some(doubled.min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(5));
        let policy = RetryPolicy { attempts: 5, first, longest };
        let pauses: Vec<_> = (1..).map_while(|failures| policy.pause(failures)).map(|pause| pause.as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 5]);
        assert_eq!(RetryPolicy { attempts: u32::MAX, first, longest }.pause(4000), Some(longest));
    }
}
