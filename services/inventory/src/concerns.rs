//! The last assessment of each VM, followed from the bus and kept in memory for readers of the inventory. A VM's
//! concerns belong to the revision that was judged; whoever shows them says which.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bus::{Bus, Follow};
use contract::assessment::VmAssessed;
use contract::id::{ProviderUid, VmId};

const STREAM: &str = "ASSESSMENTS";
const FILTER: &str = "longshore.v1.validation.vm.>";

type Assessments = HashMap<(ProviderUid, VmId), Arc<VmAssessed>>;

/// All assessments. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Concerns {
    last: Arc<RwLock<Assessments>>,
}

impl Concerns {
    /// The last assessment of a VM.
    pub fn of(&self, provider: &ProviderUid, vm: &str) -> Option<Arc<VmAssessed>> {
        let key = (provider.clone(), VmId::from(vm));
        self.last.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    /// Takes in what the bus says.
    pub(crate) fn apply(&self, news: Follow<VmAssessed>) {
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        match news {
            Follow::Item { message, .. } if message.removed => {
                last.remove(&(message.provider, message.vm));
            }
            Follow::Item { message, .. } => {
                last.insert((message.provider.clone(), message.vm.clone()), Arc::new(message));
            }
            Follow::Restarted => last.clear(),
            Follow::CaughtUp => {}
        }
    }

    /// Follows the bus until the process stops.
    pub(crate) async fn follow(&self, bus: &Bus) {
        let mut follower = bus.follow::<VmAssessed>(STREAM, FILTER);
        while let Some(news) = follower.next().await {
            self.apply(news);
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::revision::Revision;

    use super::*;

    fn assessed(vm: &str, n: u64, removed: bool) -> Follow<VmAssessed> {
        let message = VmAssessed {
            provider: "p-1".into(),
            vm: vm.into(),
            vm_revision: Revision { epoch: 1, n },
            rules_revision: "abc".to_owned(),
            concerns: vec![],
            removed,
        };
        Follow::Item { subject: String::new(), message, sequence: n }
    }

    #[test]
    fn the_last_assessment_counts_until_the_vm_is_removed() {
        let concerns = Concerns::default();
        let n = |vm| concerns.of(&"p-1".into(), vm).map(|last| last.vm_revision.n);
        concerns.apply(assessed("vm-1", 1, false));
        concerns.apply(assessed("vm-1", 2, false));
        assert_eq!((n("vm-1"), n("vm-2")), (Some(2), None));
        concerns.apply(assessed("vm-1", 3, true));
        assert_eq!(n("vm-1"), None);
    }

    #[test]
    fn a_new_stream_makes_all_old_assessments_void() {
        let concerns = Concerns::default();
        concerns.apply(assessed("vm-1", 1, false));
        concerns.apply(Follow::Restarted);
        assert!(concerns.of(&"p-1".into(), "vm-1").is_none());
    }
}
