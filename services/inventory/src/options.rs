//! What an operator can set for the inventory service.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of the inventory service, section `[inventory]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Data directory of the process; the database lies in its subfolder `inventory`.
    pub data: PathBuf,
    /// Milliseconds before the first new attempt at an unreachable provider or bus.
    pub first_retry_ms: u64,
    /// Milliseconds that a wait between attempts grows to.
    pub longest_retry_ms: u64,
    /// Objects that a vCenter puts into one answer: more is faster, less takes less memory.
    pub page_objects: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: PathBuf::from("longshore-data"),
            first_retry_ms: 1_000,
            longest_retry_ms: 60_000,
            page_objects: 500,
        }
    }
}

impl Options {
    /// How long to wait between attempts.
    pub(crate) fn retry(&self) -> Retry {
        Retry {
            first: Duration::from_millis(self.first_retry_ms.max(1)),
            longest: Duration::from_millis(self.longest_retry_ms.max(self.first_retry_ms).max(1)),
        }
    }
}

/// Waits that double from `first` to `longest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    first: Duration,
    longest: Duration,
}

impl Retry {
    /// The wait after `failures` failures in a row, the first being 1. `jitter`, from 0 to 1, takes up to a quarter
    /// off, so that collectors which lost the same server don't come back at the same instant.
    pub(crate) fn after(self, failures: u32, jitter: f64) -> Duration {
        let full = self.first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(self.longest);
        full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 4.0)
    }

    /// The same with the clock's fraction of a second as jitter.
    pub(crate) fn wait(self, failures: u32) -> Duration {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        self.after(failures, f64::from(now.subsec_micros() % 1_000) / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_up_to_the_longest_and_jitter_only_shortens_it() {
        let retry = Options { first_retry_ms: 100, longest_retry_ms: 1_000, ..Options::default() }.retry();
        let waits: Vec<_> = [1, 2, 3, 4, 5, 99].map(|failures| retry.after(failures, 0.0).as_millis()).into();
        assert_eq!(waits, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(retry.after(99, 1.0).as_millis(), 750);
        assert!((75..=100).contains(&retry.wait(1).as_millis()));
    }
}
