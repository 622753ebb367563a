//! The sandboxed Rhai engine: what a rule may use, how it sees a VM, and how its failure is told. It knows nothing
//! of bundles, headers and concerns.

mod budget;
pub(crate) mod closures;
pub(crate) mod document;
pub(crate) mod failure;
mod lists;
pub(crate) mod sandbox;
mod strings;
mod tokens;
mod words;
