//! `vm.assessed.v1`: the concerns of one VM at one revision under one bundle of rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::concern::Concern;
use crate::id::{ProviderUid, VmId};
use crate::message::Message;
use crate::revision::Revision;
use crate::subject::{self, Subject, TokenError};

/// The verdict of the rules on one VM. A removed VM gets one without a name and with `removed: true`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VmAssessed {
    /// The provider the VM belongs to.
    pub provider: ProviderUid,
    /// The VM.
    pub vm: VmId,
    /// The revision of the VM that was judged.
    pub vm_revision: Revision,
    /// Content hash of the rules that judged it.
    pub rules_revision: String,
    /// Sorted by id, then label.
    pub concerns: Vec<Concern>,
    /// The VM is gone; the message stays as a tombstone until its time to live ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

impl Message for VmAssessed {
    const TYPE: &'static str = "vm.assessed.v1";

    fn subject(&self) -> Result<Subject, TokenError> {
        subject::assessment(&self.provider, &self.vm)
    }

    fn identity(&self) -> Option<String> {
        let removed = if self.removed { "/removed" } else { "" };
        Some(format!("{}/{}/{}/{}{removed}", self.provider, self.vm, self.vm_revision, self.rules_revision))
    }
}
