//! Arrows between our crates, compared with cargo's own view of the workspace. An arrow that is not in the table is a
//! decision, and belongs into ARCHITECTURE.md first.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::cargo;

const SERVICES: [&str; 4] = ["inventory", "validation", "controller", "transfer"];
/// What may see all.
const TOP: [&str; 3] = ["longshore", "xtask", "integration"];

/// What a crate of ours may use of ours.
fn allowed(package: &str) -> Option<Vec<&'static str>> {
    let with = |more: &[&'static str]| Some([&["runtime", "bus", "contract", "trust"], more].concat());
    match package {
        "contract" | "forklift-api" | "trust" => Some(Vec::new()),
        "vsphere" | "ovirt" | "blockcopy" | "runtime" => Some(vec!["trust"]),
        "bus" => Some(vec!["contract", "trust", "runtime"]),
        "store" => Some(vec!["forklift-api", "bus", "trust"]),
        "validation" => with(&[]),
        "inventory" | "controller" => with(&["store", "forklift-api", "vsphere", "ovirt"]),
        "transfer" => with(&["store", "forklift-api", "vsphere", "ovirt", "blockcopy"]),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Workspace {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<String>,
}

/// Package to (package, whether only its tests use it).
type Arrows = BTreeMap<String, BTreeSet<(String, bool)>>;

fn arrows() -> Arrows {
    let text = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let workspace: Workspace = serde_json::from_str(&text).unwrap();
    let ours = |package: Package| {
        let within = package.dependencies.into_iter().filter(|dependency| dependency.path.is_some());
        (package.name, within.map(|used| (used.name, used.kind.as_deref() == Some("dev"))).collect())
    };
    workspace.packages.into_iter().map(ours).collect()
}

/// What breaks the rules, in words.
fn broken(arrows: &Arrows) -> Vec<String> {
    let mut broken = Vec::new();
    for (package, uses) in arrows {
        if TOP.contains(&package.as_str()) {
            continue;
        }
        let Some(allowed) = allowed(package) else {
            broken.push(format!("{package} is not in the table of arrows"));
            continue;
        };
        for (used, only_tests) in uses {
            let service = SERVICES.contains(&used.as_str());
            // Tests may use what they need to build a world, but a service never reaches into another.
            if service || TOP.contains(&used.as_str()) || !(*only_tests || allowed.contains(&used.as_str())) {
                broken.push(format!("{package} → {used}{}", if *only_tests { " (tests)" } else { "" }));
            }
        }
    }
    broken
}

#[test]
fn only_allowed_arrows_are_drawn() {
    let arrows = arrows();
    assert!(arrows.len() >= 15, "cargo shows only {:?}", arrows.keys());
    assert_eq!(broken(&arrows), Vec::<String>::new());
}

#[test]
fn an_arrow_too_many_is_seen() {
    let arrow = |from: &str, to: &str, tests: bool| (from.to_owned(), BTreeSet::from([(to.to_owned(), tests)]));
    let bad = [
        arrow("validation", "store", false),
        arrow("inventory", "controller", true),
        arrow("contract", "trust", false),
        arrow("somebody", "bus", false),
    ];
    for arrow in bad {
        assert_eq!(broken(&Arrows::from([arrow.clone()])).len(), 1, "{arrow:?}");
    }
    let good = Arrows::from([
        arrow("vsphere", "runtime", true),
        arrow("transfer", "blockcopy", false),
        arrow("xtask", "controller", false),
    ]);
    assert_eq!(broken(&good), Vec::<String>::new());
}

/// Without dev-dependencies, but to the last depth.
fn everything_that(package: &str) -> BTreeSet<String> {
    let tree = cargo(&["tree", "--package", package, "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_contract_is_pure() {
    let impure =
        |name: &&String| name.starts_with("kube") || name.starts_with("tokio") || name.starts_with("async-nats");
    let uses = everything_that("contract");
    assert!(uses.contains("serde") && uses.contains("schemars"), "{uses:?}");
    assert_eq!(uses.iter().filter(impure).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(everything_that("bus").iter().any(|name| impure(&name)), "the check sees nothing");
}

#[test]
fn validation_never_talks_to_a_provider_or_a_cluster() {
    let uses = everything_that("validation");
    for never in ["vsphere", "ovirt", "store", "forklift-api", "kube", "kube-client"] {
        assert!(!uses.contains(never), "validation uses {never}");
    }
}
