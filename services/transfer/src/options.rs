//! What can be set about the transfer service. Sizes that have to fit together are made to fit here.

use std::time::Duration;

use blockcopy::RetryPolicy;
use serde::{Deserialize, Serialize};

/// Bytes of memory for data in flight are at most `jobs × disks × reads × request_mib` MiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// VMs copied at once.
    pub jobs: usize,
    /// Disks of one VM copied at once.
    pub disks: usize,
    /// Reads of one disk in flight.
    pub reads: usize,
    /// Requests to the source in flight, over all disks of one VM.
    pub requests: usize,
    /// MiB of one request.
    pub request_mib: u64,
    /// Threads for TLS and HTTP of all copies; 0: one a core.
    pub threads: usize,
    /// A source that sends nothing for this many seconds has stalled; the read is tried again.
    pub stall_seconds: u64,
    /// How often a read that may succeed later (a reset, a stall, 5xx) is tried; pauses grow from 250 ms to 8 s.
    pub read_attempts: u32,
    /// How long a locked target is waited for: a former worker that lost its lease needs some seconds to let go.
    pub lock_seconds: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: 2,
            disks: 4,
            reads: 4,
            requests: 8,
            request_mib: 4,
            threads: 0,
            stall_seconds: 30,
            read_attempts: 8,
            lock_seconds: 30,
        }
    }
}

impl Options {
    /// Threads to start.
    pub(crate) fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            threads => threads,
        }
    }

    /// Threads that may wait for disks or hash: as many as there can be reads to serve.
    pub(crate) fn blocking_threads(&self) -> usize {
        self.jobs.saturating_mul(self.disks).saturating_mul(self.reads).clamp(4, 32)
    }

    pub(crate) fn retry(&self) -> RetryPolicy {
        RetryPolicy { attempts: self.read_attempts.max(1), ..RetryPolicy::default() }
    }

    pub(crate) fn stall(&self) -> Duration {
        Duration::from_secs(self.stall_seconds.max(1))
    }

    pub(crate) fn lock_patience(&self) -> Duration {
        Duration::from_secs(self.lock_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_option_is_refused_and_an_absent_one_has_its_default() {
        let options: Options = serde_json::from_str(r#"{"jobs": 7}"#).unwrap();
        assert_eq!(options, Options { jobs: 7, ..Options::default() });
        assert!(serde_json::from_str::<Options>(r#"{"job": 7}"#).is_err());
    }
}
