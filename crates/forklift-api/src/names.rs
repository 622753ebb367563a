//! The words of a migration's course: phases (what the machinery does), step names (what a person sees) and how a
//! step stands. All are Forklift's; a word of another writer is kept as `Other`.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident: $first:ident, $($variant:ident),* $(,)?) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        #[allow(missing_docs)]
        pub enum $name {
            #[default]
            $first,
            $($variant,)*
            /// A word that is not in Forklift's list.
            Other(String),
        }

        impl $name {
            /// The word as it stands in a resource.
            pub fn as_str(&self) -> &str {
                match self {
                    Self::$first => stringify!($first),
                    $(Self::$variant => stringify!($variant),)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    stringify!($first) => Self::$first,
                    $(stringify!($variant) => Self::$variant,)*
                    _ => Self::Other(text),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The phases of Forklift's cold, warm and conversion-only itineraries, in their order.
    Phase: Started,
    PreHook,
    // warm: up to the first copy
    CreateInitialSnapshot, WaitForInitialSnapshot, StoreInitialSnapshotDeltas, PreflightInspection,
    // cold, and warm at its cutover
    StorePowerState, PowerOffSource, WaitForPowerOff,
    CreateDataVolumes, CopyDisks, AllocateDisks,
    // warm: the loop of precopies
    CopyingPaused, RemovePreviousSnapshot, WaitForPreviousSnapshotRemoval, CreateSnapshot, WaitForSnapshot,
    StoreSnapshotDeltas, AddCheckpoint, RemovePenultimateSnapshot, WaitForPenultimateSnapshotRemoval,
    CreateFinalSnapshot, WaitForFinalSnapshot, AddFinalCheckpoint, Finalize, RemoveFinalSnapshot,
    WaitForFinalSnapshotRemoval,
    // conversion and the end
    CreateGuestConversionPod, ConvertGuest, CopyDisksVirtV2V, ConvertOpenstackSnapshot,
    CreateVM, WaitForGuestReboots, PostHook, Completed,
}

words! {
    /// The visible steps of `pipeline[].name`.
    StepName: Initialize,
    PreHook, DiskAllocation, DiskTransfer, DiskTransferV2v, PreflightInspection, ImageConversion, Cutover,
    ConvertOpenstackSnapshot, VirtualMachineCreation, WaitForGuestReboots, PostHook,
    WaitForFinalSnapshotConsolidation, Unknown,
}

words! {
    /// How a step or task stands.
    StepPhase: Pending, Running, Completed,
}

words! {
    /// The source VM's power state before we touched it (`restorePowerState`).
    PowerState: Unknown, On, Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_written_as_it_was_read() {
        for word in ["CreateVM", "CopyDisksVirtV2V", "EnsurePreference"] {
            let phase: Phase = serde_json::from_value(word.into()).unwrap();
            assert_eq!(serde_json::to_value(&phase).unwrap(), word);
        }
        assert_eq!(Phase::from("CreateVM"), Phase::CreateVM);
        assert_eq!(Phase::from("EnsurePreference"), Phase::Other("EnsurePreference".into()));
    }
}
