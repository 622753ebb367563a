//! When to try again. The time is fixed at the failure, so that a waiter that is dropped and polled anew (a branch
//! of a `select!`) doesn't begin its wait again.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// Counts a failure; says how many there were in a row.
    pub fn failed(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.until = Some(Instant::now() + pause(self.failures));
        self.failures
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Returns once it is time.
    pub async fn wait(&self) {
        if let Some(until) = self.until {
            tokio::time::sleep_until(until).await;
        }
    }
}

/// 100 ms doubling to 5 s.
fn pause(failures: u32) -> Duration {
    Duration::from_millis(100 << failures.saturating_sub(1).min(6)).min(Duration::from_secs(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_and_is_bounded() {
        let pauses: Vec<_> = [1, 2, 3, 6, 7, 1000].map(|failures| pause(failures).as_millis()).into();
        assert_eq!(pauses, [100, 200, 400, 3200, 5000, 5000]);
    }

    #[tokio::test]
    async fn a_wait_that_is_dropped_and_begun_again_still_ends() {
        let mut backoff = Backoff::default();
        backoff.failed();
        backoff.failed();
        let begun = Instant::now();
        while tokio::time::timeout(Duration::from_millis(50), backoff.wait()).await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(5));
        }
        assert!(begun.elapsed() >= Duration::from_millis(190));
        backoff.succeeded();
        backoff.wait().await;
    }
}
