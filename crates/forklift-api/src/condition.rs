//! Conditions as Forklift writes them: besides type and status they have a category that says whether they block,
//! and a suggestion. [`Conditions`] sets and finds them; it never reads a clock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Time;
use crate::serde_rules::is_false;

/// What a condition means for the work on its object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Category {
    /// Blocks reconcile and Ready.
    Critical,
    /// Blocks Ready.
    Error,
    /// Tells something that should be looked at; doesn't block.
    Warn,
    /// Must be True for Ready.
    Required,
    /// Information.
    #[default]
    Advisory,
    /// A category that some other writer made up (Forklift itself writes `Warning` in one place).
    Other(String),
}

impl From<String> for Category {
    fn from(text: String) -> Self {
        match text.as_str() {
            "Critical" => Self::Critical,
            "Error" => Self::Error,
            "Warn" => Self::Warn,
            "Required" => Self::Required,
            "Advisory" => Self::Advisory,
            _ => Self::Other(text),
        }
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        match category {
            Category::Critical => "Critical".into(),
            Category::Error => "Error".into(),
            Category::Warn => "Warn".into(),
            Category::Required => "Required".into(),
            Category::Advisory => "Advisory".into(),
            Category::Other(text) => text,
        }
    }
}

/// A condition's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Truth {
    /// It holds.
    True,
    /// It doesn't.
    False,
    /// Not known, or a text we don't know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// One condition of an object or a VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about, such as `Ready` or `VMNetworksNotMapped`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Whether it holds: True, False or Unknown.
    #[schemars(with = "String")]
    pub status: Truth,
    /// A stable word for the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Critical, Error, Warn, Required or Advisory.
    #[schemars(with = "String")]
    pub category: Category,
    /// What a person reads: object, cause, next action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// When the status last changed.
    pub last_transition_time: Time,
    /// Stays although a later look doesn't set it again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub durable: bool,
    /// The things it is about, such as VM names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<String>,
}

impl Condition {
    /// A condition that holds since `now`.
    pub fn new(type_: &str, category: Category, now: Time) -> Self {
        Self {
            type_: type_.to_owned(),
            status: Truth::True,
            reason: None,
            category,
            message: None,
            suggestion: None,
            last_transition_time: now,
            durable: false,
            items: Vec::new(),
        }
    }

    /// With a stable reason.
    #[must_use]
    pub fn reason(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// With a text for a person.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// With what to do.
    #[must_use]
    pub fn suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// With the things it is about.
    #[must_use]
    pub fn items(mut self, items: Vec<String>) -> Self {
        self.items = items;
        self
    }

    /// Kept although a later look doesn't set it again.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Whether it holds.
    pub fn is_true(&self) -> bool {
        self.status == Truth::True
    }

    /// Whether it keeps its object from being Ready.
    pub fn blocks(&self) -> bool {
        self.is_true() && matches!(self.category, Category::Critical | Category::Error)
    }

    /// Equal but for the time of the last transition.
    fn says_the_same(&self, other: &Self) -> bool {
        Self { last_transition_time: other.last_transition_time.clone(), ..self.clone() } == *other
    }
}

/// What can be asked of and done to a list of conditions.
pub trait Conditions {
    /// The condition of this type, whatever its status.
    fn find(&self, type_: &str) -> Option<&Condition>;
    /// Whether the condition of this type is there and True.
    fn is_true(&self, type_: &str) -> bool;
    /// Whether any True condition is Critical or Error.
    fn blocked(&self) -> bool;
    /// Replaces the list by durable ones that were there and `fresh`, keeping the transition time of each whose
    /// status didn't change. Returns whether anything changed.
    fn renew(&mut self, fresh: Vec<Condition>) -> bool;
}

impl Conditions for Vec<Condition> {
    fn find(&self, type_: &str) -> Option<&Condition> {
        self.iter().find(|c| c.type_ == type_)
    }

    fn is_true(&self, type_: &str) -> bool {
        self.find(type_).is_some_and(Condition::is_true)
    }

    fn blocked(&self) -> bool {
        self.iter().any(Condition::blocks)
    }

    fn renew(&mut self, fresh: Vec<Condition>) -> bool {
        let mut next: Vec<Condition> =
            self.iter().filter(|old| old.durable && fresh.find(&old.type_).is_none()).cloned().collect();
        for mut condition in fresh {
            if let Some(old) = self.find(&condition.type_)
                && (old.status == condition.status || old.says_the_same(&condition))
            {
                condition.last_transition_time = old.last_transition_time.clone();
            }
            next.push(condition);
        }
        let changed = *self != next;
        *self = next;
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time(k8s_openapi::jiff::Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn a_condition_keeps_its_time_while_its_status_stays() {
        let mut list = vec![Condition::new("Ready", Category::Required, at(1))];
        assert!(!list.renew(vec![Condition::new("Ready", Category::Required, at(2))]));
        assert_eq!(list[0].last_transition_time, at(1));
        let gone = Condition { status: Truth::False, ..Condition::new("Ready", Category::Required, at(3)) };
        assert!(list.renew(vec![gone]));
        assert_eq!(list[0].last_transition_time, at(3));
    }

    #[test]
    fn only_durable_conditions_outlive_a_look_that_does_not_set_them() {
        let mut list = vec![
            Condition::new("Succeeded", Category::Advisory, at(1)).durable(),
            Condition::new("VMNotFound", Category::Critical, at(1)),
        ];
        assert!(list.blocked());
        assert!(list.renew(Vec::new()));
        assert_eq!(list.iter().map(|c| c.type_.as_str()).collect::<Vec<_>>(), ["Succeeded"]);
        assert!(!list.blocked());
    }

    #[test]
    fn an_unknown_category_is_kept_as_written() {
        let text = r#"{"type":"ConversionHasWarnings","status":"True","category":"Warning","lastTransitionTime":"2026-01-02T03:04:05Z"}"#;
        let condition: Condition = serde_json::from_str(text).unwrap();
        assert_eq!(condition.category, Category::Other("Warning".into()));
        assert_eq!(serde_json::to_value(&condition).unwrap(), serde_json::from_str::<serde_json::Value>(text).unwrap());
    }
}
