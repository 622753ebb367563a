//! Leases: one holder, expiry, takeover, late renewal, revocation.

use std::time::Duration;

use bus::LeaseError;

use crate::rig::{Rig, soon};

const TTL: Duration = Duration::from_secs(2);

#[tokio::test]
async fn only_one_of_two_gets_a_lease() {
    let rig = Rig::start().await;
    let (one, two) = (rig.bus().await.leases(), rig.bus().await.leases());
    let (a, b) = futures::future::join(one.acquire("controller", TTL), two.acquire("controller", TTL)).await;
    let held: Vec<_> = [a.unwrap(), b.unwrap()].into_iter().flatten().collect();
    assert_eq!(held.len(), 1);
    assert_eq!(two.holder("controller").await.unwrap().as_ref(), Some(held[0].holder()));
    assert!(two.acquire("controller", TTL).await.unwrap().is_none());
    assert!(two.acquire("another", TTL).await.unwrap().is_some());
}

#[tokio::test]
async fn a_released_lease_is_free_at_once_and_listed_no_more() {
    let (_rig, bus) = Rig::with_bus().await;
    let leases = bus.leases();
    assert_eq!(soon(leases.list("")).await.unwrap(), [""; 0]);
    let lease = leases.acquire("job.copy.vm-1", TTL).await.unwrap().unwrap();
    let _other = leases.acquire("job.copy.vm-2", TTL).await.unwrap().unwrap();
    let _apart = leases.acquire("controller", TTL).await.unwrap().unwrap();
    assert_eq!(leases.list("job.").await.unwrap(), ["job.copy.vm-1", "job.copy.vm-2"]);
    lease.release().await.unwrap();
    assert_eq!(leases.list("job.").await.unwrap(), ["job.copy.vm-2"]);
    assert_eq!(leases.holder("job.copy.vm-1").await.unwrap(), None);
    assert!(leases.acquire("job.copy.vm-1", TTL).await.unwrap().is_some());
}

#[tokio::test]
async fn an_expired_lease_can_be_taken_and_its_late_renewal_is_refused() {
    let (_rig, bus) = Rig::with_bus().await;
    let leases = bus.leases();
    let mut old = leases.acquire("controller", TTL).await.unwrap().unwrap();
    assert!(!old.lost() && old.remaining() <= TTL);
    let new = soon(async {
        loop {
            if let Some(lease) = leases.acquire("controller", TTL).await.unwrap() {
                return lease;
            }
            // As long as nobody else has it, it may still be ours; never the other way round.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(old.lost(), "taken over while the old holder still believed in it");
    assert!(matches!(old.renew().await, Err(LeaseError::Lost(_))));
    assert_eq!(leases.holder("controller").await.unwrap().as_ref(), Some(new.holder()));
    // The old holder's release must not touch the new one's.
    old.release().await.unwrap();
    assert_eq!(leases.holder("controller").await.unwrap().as_ref(), Some(new.holder()));
}

#[tokio::test]
async fn a_renewed_lease_outlives_its_time() {
    let (_rig, bus) = Rig::with_bus().await;
    let leases = bus.leases();
    let mut lease = leases.acquire("controller", TTL).await.unwrap().unwrap();
    let watch = async {
        for _ in 0..25 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(leases.acquire("controller", TTL).await.unwrap().is_none());
        }
    };
    tokio::select! {
        lost = lease.keep() => panic!("{lost}"),
        () = watch => {}
    }
    assert!(!lease.lost());
}

#[tokio::test]
async fn a_revoked_lease_is_lost_at_the_next_renewal() {
    let (_rig, bus) = Rig::with_bus().await;
    let leases = bus.leases();
    let mut lease = leases.acquire("job.copy.vm-1", TTL).await.unwrap().unwrap();
    leases.revoke("job.copy.vm-1").await.unwrap();
    assert_eq!(leases.holder("job.copy.vm-1").await.unwrap(), None);
    let reason = soon(lease.keep()).await;
    assert!(matches!(reason, LeaseError::Lost(_)), "{reason}");
    assert!(lease.lost());
    leases.revoke("job.copy.vm-1").await.unwrap();
}

#[tokio::test]
async fn a_holder_cut_off_from_the_server_knows_it_in_time() {
    let (rig, bus) = Rig::with_bus().await;
    let mut lease = bus.leases().acquire("controller", TTL).await.unwrap().unwrap();
    let acquired = std::time::Instant::now();
    rig.server.stop().await.unwrap();
    assert!(matches!(soon(lease.keep()).await, LeaseError::Lost(_)));
    assert!(acquired.elapsed() < TTL + Duration::from_millis(500), "{:?}", acquired.elapsed());
}

#[tokio::test]
async fn a_renewal_whose_answer_was_lost_is_not_a_loss() {
    let (_rig, bus) = Rig::with_bus().await;
    let leases = bus.leases();
    let mut lease = leases.acquire("controller", TTL).await.unwrap().unwrap();
    // What such a renewal leaves: our own value under a revision that we haven't seen.
    let value = serde_json::to_vec(lease.holder()).unwrap();
    let store = bus.jetstream().get_key_value("leases").await.unwrap();
    store.put("controller", value.into()).await.unwrap();
    lease.renew().await.unwrap();
    assert!(!lease.lost());
}
