//! Every stream and every key-value bucket, in one table. Start-up brings the server to it ([`ensure`]); what
//! can't be changed without losing data or meaning stops the start instead. Nothing here deletes a stream.

mod difference;
mod ensure;

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

pub use difference::Difference;
pub use ensure::{Error, ensure};

/// Last value of every inventory object, and how each provider's collection stands.
pub const INVENTORY: &str = "INVENTORY";
/// Last assessment of every VM.
pub const ASSESSMENTS: &str = "ASSESSMENTS";
/// Work for the transfer service; the server refuses a second job per subject.
pub const JOBS: &str = "JOBS";
/// Progress and outcome of every transfer.
pub const TRANSFERS: &str = "TRANSFERS";
/// History of plans and migrations.
pub const PLANS: &str = "PLANS";
/// What the server says about poison messages.
pub const ADVISORIES: &str = "ADVISORIES";
/// Copies of messages that could not be handled, with cause.
pub const DEADLETTERS: &str = "DEADLETTERS";

/// Bucket of leases.
pub const LEASES: &str = "leases";
/// Bucket of copy checkpoints.
pub const CHECKPOINTS: &str = "checkpoints";
/// Bucket that names the active bundle of rules.
pub const RULES: &str = "rules";
/// Bucket of limits on concurrency and bandwidth.
pub const LIMITS: &str = "limits";
/// Bucket of resources, on one machine.
pub const RESOURCES: &str = "resources";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the server remembers message ids.
const DUPLICATES: Duration = Duration::from_secs(120);
const FOR_EVER: Duration = Duration::ZERO;

/// How a stream keeps its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// The newest per subject; a tombstone may have a time to live.
    Last { max_age: Duration, tombstones: bool },
    /// Everything, for a time.
    History { max_age: Duration },
    /// Until it is acknowledged, one per subject, refusing a second.
    Work,
}

/// One line of the table.
struct Stream {
    name: &'static str,
    subjects: &'static [&'static str],
    keep: Keep,
}

const STREAMS: &[Stream] = &[
    Stream {
        name: INVENTORY,
        subjects: &["longshore.v1.inventory.>"],
        keep: Keep::Last { max_age: FOR_EVER, tombstones: true },
    },
    Stream {
        name: ASSESSMENTS,
        subjects: &["longshore.v1.validation.>"],
        keep: Keep::Last { max_age: FOR_EVER, tombstones: true },
    },
    Stream { name: JOBS, subjects: &["longshore.v1.job.>"], keep: Keep::Work },
    Stream {
        name: TRANSFERS,
        subjects: &["longshore.v1.transfer.>"],
        keep: Keep::Last { max_age: Duration::from_secs(7 * DAY.as_secs()), tombstones: false },
    },
    Stream {
        name: PLANS,
        subjects: &["longshore.v1.plan.>", "longshore.v1.migration.>"],
        keep: Keep::History { max_age: Duration::from_secs(30 * DAY.as_secs()) },
    },
    Stream {
        name: ADVISORIES,
        subjects: &["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>"],
        keep: Keep::History { max_age: Duration::from_secs(7 * DAY.as_secs()) },
    },
    Stream {
        name: DEADLETTERS,
        subjects: &["longshore.v1.deadletter.>"],
        keep: Keep::History { max_age: Duration::from_secs(30 * DAY.as_secs()) },
    },
];

/// Buckets with the number of values kept per key.
const BUCKETS: &[(&str, i64)] = &[(LEASES, 1), (CHECKPOINTS, 1), (RULES, 5), (LIMITS, 5), (RESOURCES, 1)];

/// What the server must have, streams first.
fn wanted(replicas: usize) -> Vec<Config> {
    let streams = STREAMS.iter().map(|stream| stream_config(stream, replicas));
    streams.chain(BUCKETS.iter().map(|(name, history)| bucket_config(name, *history, replicas))).collect()
}

fn stream_config(stream: &Stream, replicas: usize) -> Config {
    let base = Config {
        name: stream.name.to_owned(),
        subjects: stream.subjects.iter().map(|&subject| subject.to_owned()).collect(),
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        num_replicas: replicas,
        duplicate_window: DUPLICATES,
        allow_direct: true,
        ..Config::default()
    };
    match stream.keep {
        Keep::Last { max_age, tombstones } => {
            Config { max_messages_per_subject: 1, max_age, allow_message_ttl: tombstones, ..base }
        }
        Keep::History { max_age } => Config { max_age, ..base },
        Keep::Work => Config {
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            discard_new_per_subject: true,
            max_messages_per_subject: 1,
            ..base
        },
    }
}

/// A bucket is a stream in the form that NATS clients agree on (ADR-8), with per-message time to live.
fn bucket_config(name: &str, history: i64, replicas: usize) -> Config {
    Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_messages_per_subject: history,
        num_replicas: replicas,
        duplicate_window: DUPLICATES,
        allow_direct: true,
        allow_rollup: true,
        deny_delete: true,
        allow_message_ttl: true,
        ..Config::default()
    }
}

/// The stream of ours that takes a subject.
pub(crate) fn stream_of(subject: &str) -> Option<&'static str> {
    let takes =
        |stream: &&Stream| stream.subjects.iter().any(|pattern| subject.starts_with(pattern.trim_end_matches('>')));
    STREAMS.iter().find(takes).map(|stream| stream.name)
}

/// Whether a stream's messages go away by acknowledgement.
pub(crate) fn is_work_queue(stream: &str) -> bool {
    STREAMS.iter().any(|known| known.name == stream && known.keep == Keep::Work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_belongs_to_one_stream_at_most() {
        for (n, a) in wanted(1).iter().enumerate() {
            for b in wanted(1).iter().skip(n + 1) {
                for one in &a.subjects {
                    for other in &b.subjects {
                        let (one, other) = (one.trim_end_matches('>'), other.trim_end_matches('>'));
                        assert!(!one.starts_with(other) && !other.starts_with(one), "{one} {other}");
                    }
                }
            }
        }
    }

    #[test]
    fn subjects_of_the_contract_have_their_stream() {
        let provider = "p".into();
        let of = |subject: contract::subject::Subject| stream_of(subject.as_str());
        assert_eq!(of(contract::subject::inventory("vm", &provider, "vm-1").unwrap()), Some(INVENTORY));
        assert_eq!(of(contract::subject::provider_state(&provider).unwrap()), Some(INVENTORY));
        assert_eq!(of(contract::subject::assessment(&provider, &"vm-1".into()).unwrap()), Some(ASSESSMENTS));
        assert_eq!(of(contract::subject::job("copy", &"m".into(), &"vm".into()).unwrap()), Some(JOBS));
        assert_eq!(of(contract::subject::transfer_progress(&"m".into(), &"v".into(), "d").unwrap()), Some(TRANSFERS));
        assert_eq!(of(contract::subject::plan_progress(&"p".into()).unwrap()), Some(PLANS));
        assert_eq!(of(contract::subject::migration_finished(&"m".into()).unwrap()), Some(PLANS));
        assert_eq!(stream_of("longshore.v2.job.x"), None);
        assert!(is_work_queue(JOBS) && !is_work_queue(INVENTORY));
    }
}
