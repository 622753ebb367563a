//! The head of a rule file: YAML in the `//!` comments it begins with. Readable without running anything. Strict:
//! an unknown key is an error, for a misspelt one would be ignored.
//!
//! There is no key for the fields a rule reads: the engine sees what it really reads, and a list beside the code
//! would be a second truth.

use contract::concern::Category;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::label::Template;

/// Whose VMs a rule judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// VMware vSphere.
    Vsphere,
    /// oVirt and Red Hat Virtualization.
    Ovirt,
}

impl Provider {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Vsphere, Self::Ovirt];

    /// The folder of its rules in a bundle.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Vsphere => "vsphere",
            Self::Ovirt => "ovirt",
        }
    }
}

/// How serious a rule's concerns are. A rule can't say [`Category::Error`]: that means that a rule failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleCategory {
    /// Blocks a plan.
    Critical,
    /// Something will be lost or needs care.
    Warning,
    /// Worth knowing.
    Information,
    /// A hint.
    Advisory,
}

impl From<RuleCategory> for Category {
    fn from(category: RuleCategory) -> Self {
        match category {
            RuleCategory::Critical => Self::Critical,
            RuleCategory::Warning => Self::Warning,
            RuleCategory::Information => Self::Information,
            RuleCategory::Advisory => Self::Advisory,
        }
    }
}

/// What a rule says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Id of its concerns, and the file's name.
    pub id: String,
    /// Whose VMs it judges.
    pub provider: Provider,
    /// How serious its concerns are.
    pub category: RuleCategory,
    /// One line; `{field}` is taken from the evidence that `check` returns.
    pub label: Template,
    /// What it means and what to do; `{field}` as in the label.
    pub assessment: Template,
    /// The version of Longshore, or of whoever wrote it, that had the rule first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Where the facts are from, for a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

impl Header {
    /// Reads the head of a rule file.
    pub(crate) fn read(file: &str, text: &str) -> Result<Self, Problem> {
        let lines: Vec<_> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        if lines.is_empty() {
            let message = "a rule begins with its head, `//! id: …`, in the very first line";
            return Err(Problem::new(file, message).at(Some(1), Some(1)));
        }
        // Lines stay where they are, so that positions in the YAML are positions in the file.
        let indent = if lines.iter().all(|line| line.is_empty() || line.starts_with(' ')) { 1 } else { 0 };
        let yaml: Vec<_> = lines.iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
        let yaml = yaml.join("\n");
        serde_yaml_ng::from_str(&yaml).map_err(|error| {
            let place = error.location();
            let line = place.as_ref().map_or(1, serde_yaml_ng::Location::line);
            let column = place.as_ref().map_or(1, |place| place.column() + "//!".len() + indent);
            Problem::new(file, format!("the head of the rule: {}", without_place(&error))).at(Some(line), Some(column))
        })
    }
}

/// The error's text without its own ` at line 3 column 4`, which counts without the comment signs.
fn without_place(error: &serde_yaml_ng::Error) -> String {
    let text = error.to_string();
    let Some(place) = error.location() else { return text };
    text.replace(&format!(" at line {} column {}", place.line(), place.column()), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "//! id: a.b\n//! provider: vsphere\n//! category: Warning\n//! label: L\n//! assessment: A\n";

    fn problem(text: &str) -> String {
        Header::read("x.rhai", text).unwrap_err().to_string()
    }

    #[test]
    fn a_head_is_read_up_to_the_first_other_line() {
        let header = Header::read("x.rhai", &format!("{GOOD}fn check(vm) {{}}\n//! id: not.me\n")).unwrap();
        assert_eq!((header.id.as_str(), header.provider), ("a.b", Provider::Vsphere));
        assert_eq!(Category::from(header.category), Category::Warning);
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_column() {
        let text = problem(&GOOD.replace("label", "lable"));
        assert!(text.starts_with("x.rhai:4:5: ") && text.contains("`lable`"), "{text}");
    }

    #[test]
    fn a_missing_key_is_named() {
        let text = problem(&GOOD.replace("//! category: Warning\n", ""));
        assert!(text.contains("missing field `category`"), "{text}");
    }

    #[test]
    fn a_rule_cannot_claim_the_category_of_failures() {
        let text = problem(&GOOD.replace("Warning", "Error"));
        assert!(text.starts_with("x.rhai:3:") && text.contains("`Error`"), "{text}");
    }

    #[test]
    fn broken_yaml_is_told_with_its_line() {
        let text = problem(&GOOD.replace("label: L", "label: \"L"));
        assert!(text.starts_with("x.rhai:"), "{text}");
        assert_eq!(problem("fn check(vm) {}").split(": ").next(), Some("x.rhai:1:1"));
    }
}
