//! Splits a file into objects and says of each where it stands, so that an error can name file, document and line.

use std::fmt;

use anyhow::{anyhow, bail};
use serde::Deserialize;
use serde_json::Value;

/// Where an object stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: String,
    /// Counts from 1.
    document: usize,
    /// Of a `List`, counts from 1.
    item: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, document {}", self.file, self.document)?;
        self.item.map_or(Ok(()), |item| write!(f, ", item {item}"))
    }
}

/// One object to apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where it came from.
    pub place: Place,
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its `kind`.
    pub kind: String,
    /// The whole object.
    pub object: Value,
}

/// Reads all documents of `text`; empty ones are left out, a `List` becomes its items.
pub fn parse(file: &str, text: &str) -> anyhow::Result<Vec<Document>> {
    let mut documents = Vec::new();
    for (index, document) in serde_yaml_ng::Deserializer::from_str(text).enumerate() {
        let place = Place { file: file.to_owned(), document: index + 1, item: None };
        // By way of YAML's own value: it refuses a key that stands twice, JSON's would take the last.
        let value = serde_yaml_ng::Value::deserialize(document).map_err(|error| broken(&place, &error))?;
        let value: Value = serde_json::to_value(value).map_err(|error| anyhow!("{place}: {error}"))?;
        match value {
            Value::Null => {}
            list if list["kind"] == "List" => documents.extend(items(&place, &list)?),
            object => documents.push(identify(place, object)?),
        }
    }
    Ok(documents)
}

fn broken(place: &Place, error: &serde_yaml_ng::Error) -> anyhow::Error {
    match error.location() {
        Some(at) => anyhow!("{place}, line {}: this is no YAML: {error}", at.line()),
        None => anyhow!("{place}: this is no YAML: {error}"),
    }
}

fn items(place: &Place, list: &Value) -> anyhow::Result<Vec<Document>> {
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let numbered = items.iter().zip(1..);
    numbered.map(|(item, number)| identify(Place { item: Some(number), ..place.clone() }, item.clone())).collect()
}

fn identify(place: Place, object: Value) -> anyhow::Result<Document> {
    if !object.is_object() {
        bail!("{place}: this is no object; it needs apiVersion, kind and metadata");
    }
    let text = |value: &Value, field: &str| match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(anyhow!("{place}: {field} is missing")),
    };
    let (api_version, kind) = (text(&object["apiVersion"], "apiVersion")?, text(&object["kind"], "kind")?);
    text(&object["metadata"]["name"], "metadata.name")?;
    Ok(Document { place, api_version, kind, object })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse("plan.yaml", text).unwrap_err().to_string()
    }

    const PLAN: &str = "apiVersion: a/v1\nkind: Plan\nmetadata: {name: one}\n";

    #[test]
    fn empty_documents_are_left_out_but_counted() {
        let documents = parse("plan.yaml", &format!("---\n# nothing\n---\n{PLAN}---\n{PLAN}")).unwrap();
        let places: Vec<String> = documents.iter().map(|document| document.place.to_string()).collect();
        assert_eq!(places, ["plan.yaml, document 2", "plan.yaml, document 3"]);
        assert_eq!((documents[0].kind.as_str(), documents[0].api_version.as_str()), ("Plan", "a/v1"));
    }

    #[test]
    fn a_list_becomes_its_items() {
        let list = "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n";
        let documents = parse("x", list).unwrap();
        assert_eq!(documents[0].place.to_string(), "x, document 1, item 1");
    }

    #[test]
    fn json_is_yaml() {
        let text = r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}"#;
        assert_eq!(parse("x", text).unwrap()[0].kind, "Secret");
    }

    #[test]
    fn broken_yaml_is_told_with_document_and_line() {
        let text = error(&format!("{PLAN}---\n{PLAN}spec:\n  vms: [\n  warm: true\n"));
        assert!(text.starts_with("plan.yaml, document 2, line "), "{text}");
        let text = error("a: b\n\tc: d\n");
        assert!(text.starts_with("plan.yaml, document 1, line 2: "), "{text}");
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error() {
        let text = error(&format!("{PLAN}spec: {{}}\nspec: {{}}\n"));
        assert!(text.contains("duplicate entry with key \"spec\""), "{text}");
    }

    #[test]
    fn an_object_must_say_what_it_is() {
        assert_eq!(error("- a\n"), "plan.yaml, document 1: this is no object; it needs apiVersion, kind and metadata");
        assert_eq!(error("kind: Plan\n"), "plan.yaml, document 1: apiVersion is missing");
        assert_eq!(error("apiVersion: v1\nkind: Plan\n"), "plan.yaml, document 1: metadata.name is missing");
    }
}
