//! Progress messages: at most one a second and disk, and only when something moved.

use std::time::Duration;

use bus::Bus;
use contract::job::CopyRequested;
use contract::transfer::TransferProgressed;

use crate::board::JobEntry;
use runtime::chain;

/// Time between two messages about one disk.
const EVERY: Duration = Duration::from_secs(1);

/// Publishes what moved, until it is dropped.
pub(crate) async fn report(bus: &Bus, job: &CopyRequested, entry: &JobEntry) {
    let mut told = Told::default();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        tell(bus, job, entry, &mut told).await;
    }
}

/// Publishes the last state, which may lie less than a second after the one before.
pub(crate) async fn finish(bus: &Bus, job: &CopyRequested, entry: &JobEntry) {
    tell(bus, job, entry, &mut Told::default()).await;
}

/// What was last said of each disk.
#[derive(Debug, Default)]
struct Told(Vec<u64>);

impl Told {
    /// The disks that moved since they were last asked for, with their bytes.
    fn moved(&mut self, done: impl IntoIterator<Item = u64>) -> Vec<(usize, u64)> {
        let mut moved = Vec::new();
        for (index, done) in done.into_iter().enumerate() {
            match self.0.get_mut(index) {
                Some(told) if *told == done => {}
                Some(told) => {
                    *told = done;
                    moved.push((index, done));
                }
                None => {
                    self.0.push(done);
                    moved.push((index, done));
                }
            }
        }
        moved
    }
}

async fn tell(bus: &Bus, job: &CopyRequested, entry: &JobEntry, told: &mut Told) {
    for (index, done_bytes) in told.moved(entry.disks.iter().map(crate::board::DiskEntry::done)) {
        let Some(disk) = entry.disks.get(index) else { continue };
        let message = TransferProgressed {
            migration: job.migration.clone(),
            vm: job.vm.clone(),
            attempt: job.attempt,
            disk: disk.name.clone(),
            done_bytes,
            total_bytes: disk.total,
        };
        if let Err(error) = bus.publish(&message).await {
            // The next one says more anyway.
            tracing::debug!(disk = disk.name, error = %chain(&error), "progress.not_published");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_told_of_once_and_then_only_when_it_moved() {
        let mut told = Told::default();
        assert_eq!(told.moved([0, 5]), [(0, 0), (1, 5)]);
        assert_eq!(told.moved([0, 6]), [(1, 6)]);
        assert_eq!(told.moved([0, 6]), []);
    }
}
