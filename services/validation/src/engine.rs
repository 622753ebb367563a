//! The sandboxed Rhai engine: what a rule may use, how it sees a VM, and how its failure is told. It knows nothing
//! of bundles, headers and concerns.

pub(crate) mod deadline;
pub(crate) mod document;
pub(crate) mod failure;
mod lists;
pub(crate) mod sandbox;
mod words;
