//! One VM: evaluate the rules on a thread for CPU work, publish the assessment, make sure that it is the one that
//! stands. Idempotent by VM, revision and version of the rules.

use std::sync::Arc;
use std::time::Instant;

use bus::{Bus, PublishError, PublishOptions, Published, ReadError, TOMBSTONE_TTL};
use contract::assessment::VmAssessed;
use contract::inventory::{VmChanged, VmEvent, VmRemoved};
use contract::message::Message;
use contract::subject::TokenError;
use runtime::cpu::{Pool, PoolClosed};

use super::metrics::Metrics;
use crate::assess::{RULE_FAILED, assess};
use crate::bundle::{Bundle, Provider};

/// Judges VMs. Clones share everything.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    pub bus: Bus,
    pub bundle: Arc<Bundle>,
    pub pool: Pool,
    pub metrics: Metrics,
}

/// Why the VM's last assessment is not of this state and these rules.
#[derive(Debug, thiserror::Error)]
pub(super) enum JudgeError {
    /// The workload is no JSON.
    #[error("the workload can't be written as JSON")]
    Workload(#[source] serde_json::Error),
    /// No thread did the work.
    #[error("the rules were not evaluated")]
    Evaluate(#[source] PoolClosed),
    /// The assessment is not in the stream.
    #[error("the assessment was not published")]
    Publish(#[source] PublishError),
    /// A duplicate, and what stands can't be read.
    #[error("the assessment was published before, and whether it still stands can't be read")]
    Read(#[source] ReadError),
    /// The subject can't be made.
    #[error("the VM has no subject")]
    Subject(#[source] TokenError),
    /// The bus dropped the assessment as a duplicate, but another one took its place since: rules that were
    /// changed there and back within the two minutes that the bus remembers. Right again when those are over.
    #[error("the bus remembers this assessment but another one stands; it will be published again")]
    Overtaken,
}

impl JudgeError {
    /// Whether trying again can't help.
    pub fn is_permanent(&self) -> bool {
        matches!(
            self,
            Self::Workload(_)
                | Self::Subject(_)
                | Self::Publish(PublishError::TooLarge { .. } | PublishError::Subject { .. })
        )
    }
}

impl Judge {
    /// Makes the VM's last assessment one of this event and the active rules.
    pub async fn judge(&self, event: &VmEvent, traceparent: Option<&str>) -> Result<(), JudgeError> {
        let assessed = match event {
            VmEvent::Changed(changed) => self.assess(changed).await?,
            VmEvent::Removed(removed) => self.tombstone(removed),
        };
        let options = PublishOptions {
            ttl: assessed.removed.then_some(TOMBSTONE_TTL),
            traceparent: traceparent.map(str::to_owned),
        };
        let published = self.bus.publish_with(&assessed, &options).await.map_err(JudgeError::Publish)?;
        tracing::debug!(
            provider = %assessed.provider, vm = %assessed.vm, revision = %assessed.vm_revision,
            concerns = assessed.concerns.len(), removed = assessed.removed, ?published, "vm.assessed"
        );
        match published {
            Published::Stored { .. } => Ok(()),
            Published::Duplicate => self.confirm(&assessed).await,
        }
    }

    async fn assess(&self, changed: &VmChanged) -> Result<VmAssessed, JudgeError> {
        let workload = serde_json::to_value(&changed.object).map_err(JudgeError::Workload)?;
        let bundle = Arc::clone(&self.bundle);
        let seconds = self.metrics.seconds.clone();
        let evaluate = move || {
            let start = Instant::now();
            let concerns = assess(&bundle, Provider::Vsphere, &workload);
            seconds.observe(start.elapsed().as_secs_f64());
            concerns
        };
        let concerns = self.pool.run(evaluate).await.map_err(JudgeError::Evaluate)?;
        let failures = concerns.iter().filter(|concern| concern.id == RULE_FAILED).count();
        self.metrics.assessments.inc();
        self.metrics.rule_failures.inc_by(failures as u64);
        Ok(VmAssessed {
            provider: changed.provider.clone(),
            vm: changed.object.vm.id.as_str().into(),
            vm_revision: changed.revision,
            rules_revision: self.bundle.version().to_owned(),
            concerns,
            removed: false,
        })
    }

    fn tombstone(&self, removed: &VmRemoved) -> VmAssessed {
        VmAssessed {
            provider: removed.provider.clone(),
            vm: removed.id.clone(),
            vm_revision: removed.revision,
            rules_revision: self.bundle.version().to_owned(),
            concerns: Vec::new(),
            removed: true,
        }
    }

    /// A duplicate is not success: only what stands on the subject is.
    async fn confirm(&self, assessed: &VmAssessed) -> Result<(), JudgeError> {
        let subject = assessed.subject().map_err(JudgeError::Subject)?;
        let stored = self.bus.last::<VmAssessed>(&subject).await.map_err(JudgeError::Read)?;
        let stands = match stored.map(|stored| stored.message) {
            Some(last) => last.vm_revision > assessed.vm_revision || Verdict::of(&last) == Verdict::of(assessed),
            None => assessed.removed,
        };
        if stands { Ok(()) } else { Err(JudgeError::Overtaken) }
    }
}

/// What tells whether an assessment is the wanted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    revision: contract::revision::Revision,
    rules: String,
    removed: bool,
}

impl Verdict {
    /// Of an assessment.
    pub fn of(assessed: &VmAssessed) -> Self {
        Self { revision: assessed.vm_revision, rules: assessed.rules_revision.clone(), removed: assessed.removed }
    }

    /// What the last assessment after `event` has to be, under rules of this version.
    pub fn wanted(event: &VmEvent, rules: &str) -> Self {
        let (revision, removed) = match event {
            VmEvent::Changed(changed) => (changed.revision, false),
            VmEvent::Removed(removed) => (removed.revision, true),
        };
        Self { revision, rules: rules.to_owned(), removed }
    }
}
