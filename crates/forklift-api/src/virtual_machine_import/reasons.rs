//! Condition types of a VirtualMachineImport and the reasons that the vm-import-operator gives for them.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident { $($variant:ident),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(missing_docs)]
        pub enum $name { $($variant),* }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => stringify!($variant)),* })
            }
        }
    )*};
}

reasons! {
    /// The condition types.
    ConditionType { Valid, MappingRulesVerified, Processing, Succeeded }
    /// Reasons of Valid.
    Valid {
        ValidationCompleted, SecretNotFound, ResourceMappingNotFound, UninitializedProvider, UnreachableProvider,
        SourceVMNotFound, IncompleteMappingRules, ValidationReportedWarnings, InvalidTargetVMName,
        DuplicateTargetVMName,
    }
    /// Reasons of MappingRulesVerified.
    MappingRulesVerified {
        MappingRulesVerificationCompleted, MappingRulesVerificationFailed, MappingRulesVerificationReportedWarnings,
    }
    /// Reasons of Processing.
    Processing {
        Pending, VMTemplateMatching, CreatingTargetVM, CopyingDisks, CopyingStage, CopyingPaused, ConvertingGuest,
        ProcessingCompleted, ProcessingFailed,
    }
    /// Reasons of Succeeded.
    Succeeded {
        VirtualMachineReady, VirtualMachineRunning, ValidationFailed, VMTemplateMatchingFailed, VMCreationFailed,
        DataVolumeCreationFailed, GuestConversionFailed, WarmImportFailed, VMNotFound,
    }
}
