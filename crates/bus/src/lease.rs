//! Leases: who may work on something, for a time. Taken and renewed by compare-and-set in the bucket `leases`;
//! the server drops one that is not renewed (per-message time to live). A lease keeps two workers from wasting
//! work, it is not a fence: the fence is the target itself (design §6). A server whose clock is set forward drops
//! one early; its holder then sees at the next renewal that it is lost.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_TTL};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::kv::{Operation, Store};
use futures::TryStreamExt;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::Cause;
use crate::connect::Bus;
use crate::topology;

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The service, as in [`crate::ConnectOptions::name`].
    pub name: String,
    /// Its process id.
    pub pid: u32,
    /// Unique per acquired lease.
    pub token: uuid::Uuid,
}

/// Why a lease operation failed.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Not a key of the bucket.
    #[error("`{0}` can't name a lease: use letters, digits and any of -/_=.")]
    Key(String),
    /// Somebody else has it, it ran out, or it was revoked. Stop what it allowed, now.
    #[error("the lease {0} is lost")]
    Lost(String),
    /// The server didn't answer; a held lease stays valid until it runs out.
    #[error("the lease {key} can't be reached")]
    Unavailable {
        /// Which.
        key: String,
        /// What the client said.
        #[source]
        source: Cause,
    },
}

/// The bucket of leases.
#[derive(Clone, Debug)]
pub struct Leases {
    bus: Bus,
}

impl Leases {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus }
    }

    /// Takes a lease that nobody holds; `None` if somebody does. `ttl` is rounded up to whole seconds.
    pub async fn acquire(&self, key: &str, ttl: Duration) -> Result<Option<Lease>, LeaseError> {
        check(key)?;
        let entry = self.store(key).await?.entry(key).await.map_err(|error| unavailable(key, error))?;
        let revision = match entry {
            Some(entry) if entry.operation == Operation::Put => return Ok(None),
            Some(released) => released.revision,
            None => 0,
        };
        let holder = Holder { name: self.bus.name().to_owned(), pid: std::process::id(), token: uuid::Uuid::new_v4() };
        let ttl = Duration::from_secs(ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0)).max(Duration::from_secs(1));
        let mut lease = Lease {
            leases: self.clone(),
            key: key.to_owned(),
            ttl,
            holder,
            revision,
            until: Duration::ZERO,
            lost: false,
        };
        match lease.write().await {
            Ok(()) => Ok(Some(lease)),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(None),
            Err(error) => Err(unavailable(key, error)),
        }
    }

    /// Who holds a lease now.
    pub async fn holder(&self, key: &str) -> Result<Option<Holder>, LeaseError> {
        check(key)?;
        let value = self.store(key).await?.get(key).await.map_err(|error| unavailable(key, error))?;
        value.map(|value| serde_json::from_slice(&value).map_err(|error| unavailable(key, error))).transpose()
    }

    /// The keys that are held and begin with `prefix`.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, LeaseError> {
        let keys = self.store(prefix).await?.keys().await.map_err(|error| unavailable(prefix, error))?;
        let mut keys: Vec<String> = keys
            .try_filter(|key| std::future::ready(key.starts_with(prefix)))
            .try_collect()
            .await
            .map_err(|error| unavailable(prefix, error))?;
        keys.sort();
        Ok(keys)
    }

    /// Takes a lease away from whoever holds it; its next renewal finds it lost. Idempotent.
    pub async fn revoke(&self, key: &str) -> Result<(), LeaseError> {
        check(key)?;
        let store = self.store(key).await?;
        let marker = Duration::from_secs(60);
        store.purge_with_ttl(key, marker).await.map_err(|error| unavailable(key, error))
    }

    async fn store(&self, key: &str) -> Result<Store, LeaseError> {
        let store = self.bus.jetstream().get_key_value(topology::LEASES).await;
        store.map_err(|error| unavailable(key, error))
    }
}

/// A held lease. Dropping it without [`Lease::release`] lets it run out.
#[derive(Debug)]
#[must_use = "a lease that is not renewed runs out"]
pub struct Lease {
    leases: Leases,
    key: String,
    ttl: Duration,
    holder: Holder,
    revision: u64,
    /// By the clock that also counts while the machine sleeps.
    until: Duration,
    lost: bool,
}

impl Lease {
    /// What is leased.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How we appear to others.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// It ran out by our own clock, or a renewal found it gone. Never becomes false again.
    pub fn lost(&self) -> bool {
        self.lost || now() >= self.until
    }

    /// How long it is still ours without a renewal. Counted from before the last renewal was sent, so it ends
    /// before the server lets anybody else have it.
    pub fn remaining(&self) -> Duration {
        if self.lost { Duration::ZERO } else { self.until.saturating_sub(now()) }
    }

    /// Prolongs it by its time to live. A renewal that comes late is refused here, without asking the server.
    pub async fn renew(&mut self) -> Result<(), LeaseError> {
        if self.lost() {
            self.lost = true;
            return Err(LeaseError::Lost(self.key.clone()));
        }
        match self.write().await {
            Ok(()) if !self.lost() => Ok(()),
            Ok(()) => {
                self.lost = true;
                Err(LeaseError::Lost(self.key.clone()))
            }
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => self.recover().await,
            Err(error) => Err(unavailable(&self.key, error)),
        }
    }

    /// Renews it three times per time to live; returns only once it is lost, with the reason.
    pub async fn keep(&mut self) -> LeaseError {
        loop {
            tokio::time::sleep((self.ttl / 3).min(self.remaining())).await;
            let renewed = tokio::time::timeout(self.remaining(), self.renew()).await;
            match renewed {
                Ok(Err(LeaseError::Unavailable { key, source })) => {
                    tracing::warn!(key, error = &*source, "lease.renewal_failed");
                }
                Ok(Err(lost)) => return lost,
                Ok(Ok(())) | Err(_) => {}
            }
            if self.lost() {
                self.lost = true;
                return LeaseError::Lost(self.key.clone());
            }
        }
    }

    /// Gives it up at once, unless it is somebody else's by now.
    pub async fn release(mut self) -> Result<(), LeaseError> {
        self.lost = true;
        let store = self.leases.store(&self.key).await?;
        let marker = Duration::from_secs(1);
        match store.purge_expect_revision_with_ttl(&self.key, self.revision, marker).await {
            Ok(()) => Ok(()),
            Err(error) => match self.leases.holder(&self.key).await? {
                Some(holder) if holder.token == self.holder.token => Err(unavailable(&self.key, error)),
                _ => Ok(()),
            },
        }
    }

    /// A renewal whose answer got lost leaves a revision that we didn't see: if the entry is ours, renew that.
    async fn recover(&mut self) -> Result<(), LeaseError> {
        let key = self.key.clone();
        let entry = self.leases.store(&key).await?.entry(&key).await.map_err(|error| unavailable(&key, error))?;
        let ours = entry.filter(|entry| entry.operation == Operation::Put).filter(|entry| {
            serde_json::from_slice(&entry.value).is_ok_and(|holder: Holder| holder.token == self.holder.token)
        });
        if let (Some(entry), false) = (ours, self.lost()) {
            self.revision = entry.revision;
            match self.write().await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() != PublishErrorKind::WrongLastSequence => {
                    return Err(unavailable(&key, error));
                }
                Err(_) => {}
            }
        }
        self.lost = true;
        Err(LeaseError::Lost(key))
    }

    async fn write(&mut self) -> Result<(), PublishError> {
        let before = now();
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, self.revision.to_string());
        headers.insert(NATS_MESSAGE_TTL, self.ttl.as_secs().to_string());
        let value = serde_json::json!(self.holder).to_string();
        let subject = format!("$KV.{}.{}", topology::LEASES, self.key);
        let sent = self.leases.bus.jetstream().publish_with_headers(subject, headers, value.into()).await?;
        self.revision = sent.await?.sequence;
        self.until = before + self.ttl;
        Ok(())
    }
}

fn unavailable(key: &str, source: impl Into<Cause>) -> LeaseError {
    LeaseError::Unavailable { key: key.to_owned(), source: source.into() }
}

/// Time since boot, with the time asleep.
fn now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn check(key: &str) -> Result<(), LeaseError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-/_=.".contains(&byte);
    let empty_part = key.split('.').any(str::is_empty);
    if empty_part || !key.bytes().all(fits) { Err(LeaseError::Key(key.to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_would_break_a_subject_is_refused() {
        for good in ["controller", "job.copy.7f.vm-1", "a/b=2E_c"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "a..b", ".a", "a.", "a b", "a.*", ">"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
