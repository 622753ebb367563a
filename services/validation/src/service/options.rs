//! What an operator may set.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Settings of the validation service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A folder of rules that replaces the built-in ones: `vsphere/*.rhai` and `ovirt/*.rhai`.
    pub rules_dir: Option<PathBuf>,
    /// Threads that evaluate rules, apart from those that serve the bus and HTTP.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { rules_dir: None, threads: 2 }
    }
}
