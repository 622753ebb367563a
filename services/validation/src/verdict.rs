//! What `check` may answer, and what it means: `false` and `()` are silence, `true` is one concern with the head's
//! label, a string is a label of its own, an object is evidence that fills the head's label and assessment, and an
//! array holds any of these. Anything else is a mistake of the rule.

use rhai::{Dynamic, Map};

use crate::bundle::Header;
use crate::engine::document::Node;
use crate::engine::failure::{Failure, clip};
use crate::label::Template;

/// Most concerns of one rule about one VM; the message with all of them has to fit the bus.
const MOST: usize = 1_000;

/// Longest label and assessment, in characters; what is longer is cut and ends in `…`.
const LONGEST_LABEL: usize = 400;
const LONGEST_ASSESSMENT: usize = 2_000;

/// One concern of a rule, without what the head says about all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub label: String,
    pub assessment: String,
}

/// Reads the answer of a rule's `check`.
pub(crate) fn findings(answer: Dynamic, header: &Header) -> Result<Vec<Finding>, Failure> {
    let answers = if answer.is_array() { answer.into_array().unwrap_or_default() } else { vec![answer] };
    let mut findings = Vec::new();
    for answer in answers {
        let Some(finding) = finding(&answer, header)? else { continue };
        if findings.len() == MOST {
            return Err(Failure::new(format!("check answered with more than {MOST} concerns")));
        }
        findings.push(finding);
    }
    Ok(findings)
}

fn finding(answer: &Dynamic, header: &Header) -> Result<Option<Finding>, Failure> {
    if answer.is_unit() || answer.as_bool() == Ok(false) {
        return Ok(None);
    }
    let evidence = match (answer.read_lock::<Node>(), answer.read_lock::<Map>()) {
        (Some(object), _) => Evidence::Node(object.clone()),
        (_, Some(map)) => Evidence::Map(map.clone()),
        _ if answer.is_bool() || answer.is_string() => Evidence::None,
        _ => return Err(wrong(answer)),
    };
    let label = match answer.read_lock::<rhai::ImmutableString>() {
        Some(label) if label.trim().is_empty() => return Err(Failure::new("check answered with an empty label")),
        Some(label) => label.to_string(),
        None => fill("label", &header.label, &evidence)?,
    };
    let assessment = fill("assessment", &header.assessment, &evidence)?;
    Ok(Some(Finding { label: clip(&label, LONGEST_LABEL), assessment: clip(&assessment, LONGEST_ASSESSMENT) }))
}

fn wrong(answer: &Dynamic) -> Failure {
    Failure::new(format!(
        "check answered with a value of type {}; it answers with a bool, (), a label, an object, or an array of these",
        answer.type_name()
    ))
}

/// Where a template's fields come from.
enum Evidence {
    None,
    Node(Node),
    Map(Map),
}

fn fill(name: &str, template: &Template, evidence: &Evidence) -> Result<String, Failure> {
    template.fill(|path| evidence.text(path)).map_err(|field| {
        Failure::new(format!(
            "the {name} needs `{{{field}}}`, which the answer of check does not have; answer with an object of that field"
        ))
    })
}

impl Evidence {
    fn text(&self, path: &str) -> Option<String> {
        let mut names = path.split('.');
        let first = names.next()?;
        let start = match self {
            Self::None => return None,
            Self::Node(node) => node.get(first),
            Self::Map(map) => map.get(first)?.clone(),
        };
        let value = names.fold(start, |value, name| field(&value, name));
        (!value.is_unit()).then(|| value.to_string())
    }
}

fn field(value: &Dynamic, name: &str) -> Dynamic {
    if let Some(node) = value.read_lock::<Node>() {
        return node.get(name);
    }
    value.read_lock::<Map>().and_then(|map| map.get(name).cloned()).unwrap_or(Dynamic::UNIT)
}
