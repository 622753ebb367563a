//! Every built-in rule against the `.test.yaml` beside it: each has a firing and a silent case, and all hold.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use validation::{Bundle, Provider, assess};

use super::rules_folder;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Merged over the provider's base VM.
    vm: Value,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expect {
    Labels(BTreeSet<String>),
    /// `none`.
    Word(String),
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// RFC 7386.
fn merge(base: &mut Value, patch: &Value) {
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => {
            for (name, value) in patch {
                if value.is_null() {
                    base.remove(name);
                } else {
                    merge(base.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (base, patch) => *base = patch.clone(),
    }
}

#[test]
fn every_rule_answers_as_the_data_beside_it_says() {
    let bundle = Bundle::built_in().unwrap();
    assert!(!bundle.rules().is_empty());
    for rule in bundle.rules() {
        let header = rule.header();
        let folder = rules_folder().join(header.provider.folder());
        let base: Value = read(&folder.join("base.vm.yaml"));
        let cases: Vec<Case> = read(&folder.join(format!("{}.test.yaml", header.id)));
        let (mut firing, mut silent) = (0, 0);
        for case in cases {
            let mut vm = base.clone();
            merge(&mut vm, &case.vm);
            let concerns = assess(&bundle, header.provider, &vm);
            let labels: BTreeSet<_> =
                concerns.into_iter().filter(|concern| concern.id == header.id).map(|concern| concern.label).collect();
            let expected = match case.expect {
                Expect::Labels(labels) => labels,
                Expect::Word(word) => {
                    assert_eq!(word, "none", "{}: {}", header.id, case.name);
                    BTreeSet::new()
                }
            };
            assert_eq!(labels, expected, "{}: {}", header.id, case.name);
            *if expected.is_empty() { &mut silent } else { &mut firing } += 1;
        }
        assert!(firing > 0 && silent > 0, "{} has {firing} firing and {silent} silent cases", header.id);
    }
}

#[test]
fn the_base_vm_raises_no_concern() {
    let vm = read(&rules_folder().join("vsphere/base.vm.yaml"));
    assert_eq!(assess(&Bundle::built_in().unwrap(), Provider::Vsphere, &vm), []);
}

#[test]
fn no_test_data_is_left_of_a_rule_that_is_gone() {
    let bundle = Bundle::built_in().unwrap();
    for provider in Provider::ALL {
        let folder = rules_folder().join(provider.folder());
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if let Some(id) = name.strip_suffix(".test.yaml") {
                assert!(bundle.rules().iter().any(|rule| rule.header().id == id), "{name} tests no rule");
            }
        }
    }
}

#[test]
fn the_built_in_bundle_is_the_rules_folder() {
    let folder = Bundle::from_dir(&rules_folder()).unwrap();
    assert_eq!(Bundle::built_in().unwrap().version(), folder.version());
}
