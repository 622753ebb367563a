//! Recorded answers of Forklift's policies: on well-typed and sparse documents ours are equal but for the list in
//! `rules/DIFFERENCES.md`; on hostile ones there is an answer each, mostly the same.

use std::collections::BTreeSet;

use contract::concern::Concern;
use serde::Deserialize;
use serde_json::Value;
use validation::{Bundle, Provider, RULE_FAILED, assess};

const CASES: &str = include_str!("../cases.jsonl");

#[derive(Deserialize)]
struct Case {
    name: String,
    class: String,
    input: Value,
    concerns: Vec<Recorded>,
}

#[derive(Debug, Deserialize)]
struct Recorded {
    id: String,
    label: String,
    category: String,
}

type Answer = BTreeSet<(String, String, String)>;

fn cases(class: &str) -> Vec<Case> {
    let cases = CASES.lines().map(|line| serde_json::from_str::<Case>(line).unwrap());
    cases.filter(|case| case.class == class).collect()
}

/// Forklift's label has 0 where ours has the controller's number: the first row of `rules/DIFFERENCES.md`.
fn as_forklift_labels(concern: &Concern) -> String {
    if concern.id != "vmware.changed_block_tracking.disk.disabled" {
        return concern.label.clone();
    }
    let (controller, unit) = concern.label.split_once(':').unwrap();
    format!("{}0:{unit}", controller.trim_end_matches(|c: char| c.is_ascii_digit()))
}

fn ours(bundle: &Bundle, case: &Case) -> Answer {
    let concerns = assess(bundle, Provider::Vsphere, &case.input);
    let answer =
        |concern: &Concern| (concern.id.clone(), as_forklift_labels(concern), format!("{:?}", concern.category));
    concerns.iter().map(answer).collect()
}

fn recorded(case: &Case) -> Answer {
    case.concerns.iter().map(|it| (it.id.clone(), it.label.clone(), it.category.clone())).collect()
}

#[test]
fn typed_and_sparse_documents_get_the_recorded_concerns() {
    let bundle = Bundle::built_in().unwrap();
    let cases: Vec<_> = cases("typed").into_iter().chain(cases("sparse")).collect();
    assert!(cases.len() > 40);
    for case in &cases {
        assert_eq!(ours(&bundle, case), recorded(case), "{}", case.name);
    }
    for rule in bundle.rules() {
        let id = &rule.header().id;
        assert!(cases.iter().any(|case| case.concerns.iter().any(|it| it.id == *id)), "no case fires {id}");
    }
}

#[test]
fn hostile_documents_get_an_answer_and_mostly_the_recorded_ids() {
    let bundle = Bundle::built_in().unwrap();
    let cases = cases("hostile");
    assert!(cases.len() > 10);
    let ids = |answer: Answer| answer.into_iter().map(|(id, ..)| id).collect::<BTreeSet<_>>();
    let same = cases.iter().filter(|case| ids(ours(&bundle, case)) == ids(recorded(case))).count();
    assert!(same * 100 >= cases.len() * 95, "{same} of {} are the same", cases.len());
    for case in &cases {
        assert!(!ids(ours(&bundle, case)).contains(RULE_FAILED), "{}", case.name);
    }
}

#[test]
fn the_listed_difference_in_labels_is_there() {
    let bundle = Bundle::built_in().unwrap();
    let differs = |case: &Case| {
        let concerns = assess(&bundle, Provider::Vsphere, &case.input);
        concerns.iter().any(|concern| concern.label != as_forklift_labels(concern))
    };
    assert!(cases("typed").iter().any(differs), "no case has an untracked disk on a second controller");
}
