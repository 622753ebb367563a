//! The revision of an inventory object: which life of the inventory store, and which change in that life.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `(epoch, n)`, ordered. Each opening of the store after loss, restore or unclean repair makes a new epoch,
/// so that a revision is never given twice to different contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// The life of the store: seconds since 1970 at which it was made.
    pub epoch: u64,
    /// Counts the changes of one object within the epoch, from 1.
    pub n: u64,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.n)
    }
}
