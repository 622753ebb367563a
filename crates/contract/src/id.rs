//! Identifiers as newtypes, so that a VM's id is never passed where a migration's is expected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier as it is written in resources and documents.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// UID of a Provider resource.
    ProviderUid
}
id! {
    /// Id of a VM at its provider: a managed object id such as `vm-62` on vSphere.
    VmId
}
id! {
    /// UID of a Plan resource.
    PlanUid
}
id! {
    /// UID of a Migration resource.
    MigrationUid
}
