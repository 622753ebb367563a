//! Findings on their way to conditions: one condition a type, its items the objects it applies to.

use forklift_api::{Category, Condition, Time};

/// A thing that can be wrong, worded once.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Condition type, Forklift's where it has one.
    pub type_: &'static str,
    /// How serious.
    pub category: Category,
    /// Stable reason.
    pub reason: &'static str,
    /// Cause and next action; the objects are the condition's items.
    pub message: &'static str,
}

impl Finding {
    /// Keeps its object from being Ready.
    pub const fn critical(type_: &'static str, reason: &'static str, message: &'static str) -> Self {
        Self { type_, category: Category::Critical, reason, message }
    }

    /// Should be looked at.
    pub const fn warn(type_: &'static str, reason: &'static str, message: &'static str) -> Self {
        Self { type_, category: Category::Warn, reason, message }
    }
}

/// All findings about one resource.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    found: Vec<(Finding, Vec<String>)>,
}

impl Findings {
    /// Notes a finding, with the object it is about.
    pub fn add(&mut self, finding: &Finding, item: Option<String>) {
        match self.found.iter_mut().find(|(known, _)| known == finding) {
            Some((_, items)) => items.extend(item),
            None => self.found.push((finding.clone(), item.into_iter().collect())),
        }
    }

    /// Whether anything keeps the resource from being Ready.
    pub fn blocked(&self) -> bool {
        self.found.iter().any(|(finding, _)| super::blocks(&finding.category))
    }

    /// What blocks, in one line for a person.
    pub fn blockers(&self) -> String {
        let text = |(finding, items): &(Finding, Vec<String>)| match items.as_slice() {
            [] => format!("{}: {}", finding.type_, finding.message),
            items => format!("{} ({}): {}", finding.type_, items.join(", "), finding.message),
        };
        self.found.iter().filter(|(f, _)| super::blocks(&f.category)).map(text).collect::<Vec<_>>().join("; ")
    }

    /// As conditions; findings of one type and different reasons become one condition, the gravest first.
    pub fn conditions(self, now: &Time) -> Vec<Condition> {
        let mut conditions: Vec<Condition> = Vec::new();
        for (finding, mut items) in self.found {
            items.sort();
            items.dedup();
            match conditions.iter_mut().find(|condition| condition.type_ == finding.type_) {
                Some(condition) => {
                    condition.items.extend(items);
                    condition.message = condition.message.take().map(|text| format!("{text}; {}", finding.message));
                    if super::blocks(&finding.category) {
                        condition.category = finding.category;
                    }
                }
                None => conditions.push(
                    Condition::new(finding.type_, finding.category, now.clone())
                        .reason(finding.reason)
                        .message(finding.message)
                        .items(items),
                ),
            }
        }
        conditions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static BAD: Finding = Finding::critical("VMNotFound", "NotFound", "no such VM");

    #[test]
    fn one_condition_names_all_objects() {
        let mut findings = Findings::default();
        findings.add(&BAD, Some("b".into()));
        findings.add(&BAD, Some("a".into()));
        findings.add(&BAD, Some("a".into()));
        assert!(findings.blocked());
        let now = Time(jiff::Timestamp::UNIX_EPOCH);
        let conditions = findings.conditions(&now);
        assert_eq!(
            (conditions.len(), conditions[0].items.as_slice()),
            (1, ["a".to_owned(), "b".to_owned()].as_slice())
        );
    }
}
