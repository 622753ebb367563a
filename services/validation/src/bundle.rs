//! A bundle: all rules that judge together, compiled, with one version that is the hash of their content. A bundle
//! is whole or not at all: one file with a problem refuses it, and every problem is told.

mod embedded;
mod folder;
mod header;
mod problem;
mod rule;
mod version;

use std::collections::BTreeMap;
use std::path::Path;

use crate::engine::sandbox::Sandbox;

pub use header::{Header, Provider, RuleCategory};
pub use problem::{BundleError, Problem};
pub use rule::Rule;

/// Compiled rules and their version.
#[derive(Debug)]
pub struct Bundle {
    version: String,
    rules: Vec<Rule>,
    sandbox: Sandbox,
}

impl Bundle {
    /// The rules that are part of the binary.
    pub fn built_in() -> Result<Self, BundleError> {
        Self::compile(embedded::files())
    }

    /// The rules in a folder: `vsphere/*.rhai` and `ovirt/*.rhai`. Other files are left alone, but a rule in
    /// another place is a problem, for it would never be asked.
    pub fn from_dir(folder: &Path) -> Result<Self, BundleError> {
        Self::compile(folder::read(folder)?)
    }

    /// Compiles files given by their path in the bundle, such as `vsphere/vmware.drs.enabled.rhai`.
    pub fn compile(files: BTreeMap<String, String>) -> Result<Self, BundleError> {
        if files.is_empty() {
            return Err(BundleError::Empty);
        }
        let sandbox = Sandbox::new();
        let version = version::of(&files);
        let mut rules = Vec::with_capacity(files.len());
        let mut problems = Vec::new();
        for (file, text) in files {
            match Rule::compile(&sandbox, &file, &text) {
                Ok(rule) => rules.push(rule),
                Err(problem) => problems.push(problem),
            }
        }
        problems.extend(twice(&rules));
        if problems.is_empty() { Ok(Self { version, rules, sandbox }) } else { Err(BundleError::Rules { problems }) }
    }

    /// SHA-256 over the sorted paths and bytes of the rule files, in hex.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// All rules, sorted by file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn rules_of(&self, provider: Provider) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.header().provider == provider)
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }
}

/// Ids that two files claim.
fn twice(rules: &[Rule]) -> Vec<Problem> {
    let mut first = BTreeMap::new();
    let mut problems = Vec::new();
    for rule in rules {
        if let Some(other) = first.insert(&rule.header().id, rule.file()) {
            problems.push(Problem::new(rule.file(), format!("{other} has the same id; give one of them another")));
        }
    }
    problems
}
