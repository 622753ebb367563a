//! Publishing a job into the work queue, which holds one message per subject. The server itself refuses a second
//! one; what that refusal means depends on which attempt is there (design §6).

use std::cmp::Ordering;
use std::time::Duration;

use contract::message::{Message, message_id};

use crate::connect::Bus;
use crate::publish::{PublishError, Published};

/// An older attempt is being taken away (acked or cancelled) when a newer one is published; it gets four seconds.
const ROUNDS: usize = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// The job is in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobPublished {
    /// By this publish.
    Stored {
        /// At this sequence.
        sequence: u64,
    },
    /// By an earlier publish of the same attempt; it waits or is being worked on.
    AlreadyThere {
        /// At this sequence.
        sequence: u64,
    },
}

impl Bus {
    /// Publishes a job, whose identity must end in `/<attempt>`. An older attempt in the queue is waited for
    /// four seconds, then [`PublishError::Occupied`]. Idempotent by migration, VM and attempt.
    pub async fn publish_job<J: Message>(&self, job: &J) -> Result<JobPublished, PublishError> {
        let id = message_id(job).ok_or(PublishError::NoIdentity { kind: J::TYPE })?;
        let subject = job.subject().map_err(|source| PublishError::Subject { kind: J::TYPE, source })?;
        let at = || subject.to_string();
        let mut occupied_by = None;
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let duplicate = match self.publish(job).await {
                Ok(Published::Stored { sequence }) => return Ok(JobPublished::Stored { sequence }),
                Ok(Published::Duplicate) => true,
                Err(PublishError::Refused { .. }) => false,
                Err(other) => return Err(other),
            };
            let last = self.last_id(subject.as_str()).await;
            let last = last.map_err(|source| PublishError::Waiting { subject: at(), source })?;
            let (sequence, waiting) = last.unzip();
            match judge(duplicate, waiting.as_deref(), &id) {
                Verdict::AlreadyThere => return Ok(JobPublished::AlreadyThere { sequence: sequence.unwrap_or(0) }),
                Verdict::Superseded => {
                    return Err(PublishError::Superseded { subject: at(), waiting: waiting.unwrap_or_default() });
                }
                Verdict::Spent => return Err(PublishError::AttemptSpent { subject: at(), id }),
                Verdict::Again => occupied_by = waiting,
            }
        }
        Err(match occupied_by {
            Some(waiting) => PublishError::Occupied { subject: at(), waiting },
            None => PublishError::Refused { subject: at() },
        })
    }
}

/// What it means that a job was not stored.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    AlreadyThere,
    Superseded,
    Spent,
    Again,
}

/// `duplicate`: the server dropped it for its id, not for what waits.
fn judge(duplicate: bool, waiting: Option<&str>, ours: &str) -> Verdict {
    match waiting.and_then(|waiting| compare(waiting, ours)) {
        Some(Ordering::Equal) => Verdict::AlreadyThere,
        Some(Ordering::Greater) => Verdict::Superseded,
        // Its id was used and it is not there: it was taken.
        _ if duplicate => Verdict::Spent,
        _ => Verdict::Again,
    }
}

/// How the attempt that waits compares with ours; `None` if it is no attempt of the same job.
fn compare(waiting: &str, ours: &str) -> Option<Ordering> {
    let split = |id: &str| -> Option<(String, u64)> {
        let (job, attempt) = id.rsplit_once('/')?;
        Some((job.to_owned(), attempt.parse().ok()?))
    };
    let (waiting, ours) = (split(waiting)?, split(ours)?);
    (waiting.0 == ours.0).then(|| waiting.1.cmp(&ours.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_compared_as_numbers_and_only_within_one_job() {
        let id = |attempt: &str| format!("copy.requested.v1/m/vm-1/{attempt}");
        assert_eq!(compare(&id("2"), &id("10")), Some(Ordering::Less));
        assert_eq!(compare(&id("2"), &id("2")), Some(Ordering::Equal));
        assert_eq!(compare(&id("3"), &id("2")), Some(Ordering::Greater));
        assert_eq!(compare("copy.requested.v1/other/vm-1/1", &id("2")), None);
        assert_eq!(compare("no attempt", &id("2")), None);
    }

    #[test]
    fn what_was_not_stored_is_there_superseded_spent_or_tried_again() {
        let ours = "copy.requested.v1/m/vm-1/2";
        let other = |attempt: u32| format!("copy.requested.v1/m/vm-1/{attempt}");
        for duplicate in [false, true] {
            assert_eq!(judge(duplicate, Some(ours), ours), Verdict::AlreadyThere);
            assert_eq!(judge(duplicate, Some(&other(3)), ours), Verdict::Superseded);
        }
        assert_eq!(judge(false, Some(&other(1)), ours), Verdict::Again);
        assert_eq!(judge(false, None, ours), Verdict::Again);
        assert_eq!(judge(true, Some(&other(1)), ours), Verdict::Spent);
        assert_eq!(judge(true, None, ours), Verdict::Spent);
    }
}
