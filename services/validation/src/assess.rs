//! The pure heart of the service: a bundle and a workload in, concerns out. The same bundle and workload give the
//! same concerns in the same order, except where a rule ran out of time.

use contract::concern::{Category, Concern};
use rhai::Dynamic;
use serde_json::Value;

use crate::bundle::{Bundle, Provider, Rule};
use crate::engine::document::Document;
use crate::engine::failure::Failure;
use crate::verdict;

/// Id of the concern that says that a rule itself failed.
pub const RULE_FAILED: &str = "rule.failed";

/// Judges one workload (a VM with its host and cluster, see `contract::vsphere::Workload`) by the rules for its
/// provider. Sorted by id, then label; no two concerns share both. A rule that fails gives a concern
/// [`RULE_FAILED`] and touches no other.
pub fn assess(bundle: &Bundle, provider: Provider, workload: &Value) -> Vec<Concern> {
    let vm = Document::root(workload);
    let mut concerns = Vec::new();
    for rule in bundle.rules_of(provider) {
        match judge(bundle, rule, vm.clone()) {
            Ok(found) => concerns.extend(found),
            Err(failure) => concerns.push(failed(rule, &failure.or_at(rule.start()))),
        }
    }
    concerns.sort_by(|a, b| (&a.id, &a.label).cmp(&(&b.id, &b.label)));
    concerns.dedup_by(|a, b| a.id == b.id && a.label == b.label);
    concerns
}

fn judge(bundle: &Bundle, rule: &Rule, vm: Dynamic) -> Result<Vec<Concern>, Failure> {
    let answer = bundle.sandbox().check(rule.program(), vm)?;
    let header = rule.header();
    let findings = verdict::findings(answer, header)?;
    let concern = |finding: verdict::Finding| Concern {
        id: header.id.clone(),
        category: header.category.into(),
        label: finding.label,
        assessment: finding.assessment,
    };
    Ok(findings.into_iter().map(concern).collect())
}

fn failed(rule: &Rule, failure: &Failure) -> Concern {
    let id = &rule.header().id;
    Concern {
        id: RULE_FAILED.to_owned(),
        category: Category::Error,
        label: format!("{id} failed at {}:{failure}", rule.file()),
        assessment: format!(
            "Whether {id} applies to this VM is unknown. Correct the rule, or take its file out of the rules folder; \
             the verdicts of the other rules stand."
        ),
    }
}
