//! The bus: NATS JetStream as Longshore uses it. One topology in one table, publishing whose refusals and
//! duplicates are seen, durable consumers with a guard per message, followers of last values, leases, dead
//! letters, and a nats-server as a child for one machine. No code here deletes a stream.

mod backoff;
mod connect;
mod consume;
mod deadletter;
mod delivery;
mod envelope;
mod follow;
mod job;
mod lease;
mod metrics;
mod publish;
mod read;
mod rules;
pub mod server;
pub mod topology;
mod version;
mod withdraw;

pub use connect::{Bus, ConnectError, ConnectOptions};
/// One escaped part of a subject or key.
pub use contract::subject::Token;

pub use consume::{ConsumeError, Consumer, Durable};
pub use deadletter::{DeadLetterError, Poison};
pub use delivery::{Delivery, SettleError};
pub use follow::{Follow, Follower};
pub use job::JobPublished;
pub use lease::{Holder, Lease, LeaseError, Leases};
pub use metrics::Counters;
pub use publish::{MAX_BODY, PublishError, PublishOptions, Published, TOMBSTONE_TTL};
pub use read::{ReadError, Stored};
pub use rules::ActivateError;
pub use version::Version;
pub use withdraw::WithdrawError;

/// What a client or the server said about a failure.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;
