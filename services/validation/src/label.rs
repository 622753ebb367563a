//! Text with `{field}` in it, filled from the evidence that a rule returns. Checked when the rule is loaded;
//! `{{` and `}}` are plain braces.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text and its places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Path of a field in the evidence, such as `datastore.id`.
    Field(String),
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing to show.
    #[error("the text is empty")]
    Empty,
    /// A brace without its partner.
    #[error("a brace stands alone in `{0}`; a field is `{{name}}`, a plain brace is written twice")]
    Brace(String),
    /// Something other than a field name between braces.
    #[error("`{{{0}}}` is not a field: a name, or names joined by dots")]
    Field(String),
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        if text.trim().is_empty() {
            return Err(TemplateError::Empty);
        }
        let parts = parse(&text)?;
        Ok(Self { text, parts })
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Template {
    /// The text with its fields filled in by `value`; the name of the first field that has no value otherwise.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, &str> {
        let mut filled = String::with_capacity(self.text.len());
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Field(field) => filled.push_str(&value(field).ok_or(field.as_str())?),
            }
        }
        Ok(filled)
    }
}

fn parse(text: &str) -> Result<Vec<Part>, TemplateError> {
    let alone = || TemplateError::Brace(text.to_owned());
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, tail) = rest.split_at(at);
        plain.push_str(before);
        if let Some(tail) = tail.strip_prefix("{{") {
            plain.push('{');
            rest = tail;
        } else if let Some(tail) = tail.strip_prefix("}}") {
            plain.push('}');
            rest = tail;
        } else {
            let (field, tail) = tail.strip_prefix('{').and_then(|tail| tail.split_once('}')).ok_or_else(alone)?;
            if !is_path(field) {
                return Err(TemplateError::Field(field.to_owned()));
            }
            parts.extend([Part::Text(std::mem::take(&mut plain)), Part::Field(field.to_owned())]);
            rest = tail;
        }
    }
    plain.push_str(rest);
    parts.push(Part::Text(plain));
    Ok(parts)
}

fn is_path(field: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    field.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> String {
        let template = Template::try_from(text.to_owned()).unwrap();
        template.fill(|field| Some(format!("<{field}>"))).unwrap()
    }

    #[test]
    fn fields_are_filled_in_and_double_braces_are_plain() {
        assert_eq!(fill("Disk '{file}' of {a.b}"), "Disk '<file>' of <a.b>");
        assert_eq!(fill("{{file}} {x}}}"), "{file} <x>}");
        assert_eq!(fill("no field"), "no field");
    }

    #[test]
    fn a_field_without_a_value_is_named() {
        let template = Template::try_from("{known} {unknown}".to_owned()).unwrap();
        assert_eq!(template.fill(|field| (field == "known").then(String::new)), Err("unknown"));
    }

    #[test]
    fn lone_braces_odd_fields_and_nothing_are_refused() {
        for lone in ["{a", "a}", "{", "x } y"] {
            assert_eq!(Template::try_from(lone.to_owned()), Err(TemplateError::Brace(lone.to_owned())));
        }
        for odd in ["{}", "{a b}", "{a.}", "{a:?}"] {
            assert!(matches!(Template::try_from(odd.to_owned()), Err(TemplateError::Field(_))), "{odd}");
        }
        assert_eq!(Template::try_from("  ".to_owned()), Err(TemplateError::Empty));
    }
}
