//! Tests of validation from the outside: the built-in rules by their own data, recorded answers of Forklift's
//! policies, hostile rules, and the service on a real nats-server.

// A helper of tests is no product code either, though clippy's exception covers only `#[test]` functions.
#![allow(clippy::unwrap_used, clippy::panic)]

mod cases;
mod hostile;
mod language;
mod rule_data;
mod service;
mod speed;

use std::collections::BTreeMap;
use std::path::PathBuf;

use validation::{Bundle, BundleError};

/// The repository's `rules` folder.
fn rules_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../rules")
}

/// The text of a rule with this id and body.
fn rule(id: &str, body: &str) -> (String, String) {
    let head = format!(
        "//! id: {id}\n//! provider: vsphere\n//! category: Warning\n//! label: \"It is {id}\"\n//! assessment: Test.\n"
    );
    (format!("vsphere/{id}.rhai"), format!("{head}{body}\n"))
}

/// A bundle of rules with these ids and bodies.
fn bundle(rules: &[(&str, &str)]) -> Result<Bundle, BundleError> {
    Bundle::compile(rules.iter().map(|(id, body)| rule(id, body)).collect::<BTreeMap<_, _>>())
}
