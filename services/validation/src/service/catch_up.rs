//! At start: every VM whose last assessment is not of its revision and the active rules is judged. This compares
//! what is there and remembers nothing, so it is right after a new bundle, after going back to an old one, after
//! the assessments were lost, and after a crash in the middle of itself.

use std::collections::HashMap;

use bus::{Bus, Follow, topology};
use contract::assessment::VmAssessed;
use contract::inventory::VmEvent;
use contract::subject::PREFIX;

use super::AT_ONCE;
use super::judge::{Judge, Verdict};
use super::running::{Key, Running, key};

/// Judges what is out of date. Gives the number of VMs that could not be judged and are worth another try; `None`
/// at shutdown.
pub(super) async fn run(bus: &Bus, judge: &Judge) -> Option<usize> {
    let verdicts = verdicts(bus).await?;
    let rules = judge.bundle.version().to_owned();
    let mut follower = bus.follow::<VmEvent>(topology::INVENTORY, format!("{PREFIX}.inventory.vm.>"));
    let mut running = Running::new(AT_ONCE);
    let (mut seen, mut stale) = (0_u64, 0_u64);
    loop {
        match follower.next().await? {
            Follow::Item { message, .. } => {
                seen += 1;
                let key = key(&message);
                if verdicts.get(&key) != Some(&Verdict::wanted(&message, &rules)) {
                    stale += 1;
                    running.start(key, one(judge.clone(), message)).await;
                }
            }
            // What was judged so far is not wrong, and the stream is read again from its start.
            Follow::Restarted => {}
            Follow::CaughtUp => break,
        }
    }
    let left = running.finish().await.into_iter().filter(|judged| !judged).count();
    tracing::info!(vms = seen, judged = stale, left, rules, "validation.caught_up");
    Some(left)
}

/// Whether the VM needs no other try.
async fn one(judge: Judge, event: VmEvent) -> bool {
    match judge.judge(&event, None).await {
        Ok(()) => true,
        Err(error) => {
            let (provider, vm) = key(&event);
            judge.metrics.retries.inc();
            tracing::warn!(%provider, %vm, error = &error as &dyn std::error::Error, "vm.not_assessed");
            error.is_permanent()
        }
    }
}

/// What the last assessment of every VM is of.
async fn verdicts(bus: &Bus) -> Option<HashMap<Key, Verdict>> {
    let mut follower = bus.follow::<VmAssessed>(topology::ASSESSMENTS, format!("{PREFIX}.validation.vm.>"));
    let mut verdicts = HashMap::new();
    loop {
        match follower.next().await? {
            Follow::Item { message, .. } => {
                let verdict = Verdict::of(&message);
                verdicts.insert((message.provider, message.vm), verdict);
            }
            Follow::Restarted => verdicts.clear(),
            Follow::CaughtUp => return Some(verdicts),
        }
    }
}
