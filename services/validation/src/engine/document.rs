//! How a rule sees a VM: a document read only once from JSON, whose objects are looked into field by field and
//! never copied. A field that is missing or null is `()`, and so is every field of `()`, so that
//! `vm.host.cluster.drsEnabled` needs no guard.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use rhai::{Array, Dynamic};
use serde_json::{Number, Value};

/// A JSON document as one table; an object's fields and a list's items stand side by side in it, fields by name.
#[derive(Debug)]
pub(crate) struct Document {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Name of the field; empty for an item of a list.
    name: Box<str>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Scalar(Dynamic),
    List(Range<usize>),
    Object(Range<usize>),
}

/// An object of a document.
#[derive(Clone)]
pub(crate) struct Node {
    document: Arc<Document>,
    at: usize,
}

impl Document {
    /// The whole document as a rule gets it: a [`Node`] if it is an object.
    pub fn root(json: &Value) -> Dynamic {
        Self::value(&Arc::new(Self::read(json)), 0)
    }

    /// Breadth first, and without recursion: a deep document costs no stack.
    fn read(json: &Value) -> Self {
        let mut entries = vec![Entry { name: "".into(), content: Content::Scalar(Dynamic::UNIT) }];
        let mut values = vec![json];
        let mut at = 0;
        while let Some(json) = values.get(at).copied() {
            let first = entries.len();
            let content = match json {
                Value::Array(items) => {
                    for item in items {
                        push(&mut entries, &mut values, "", item);
                    }
                    Content::List(first..entries.len())
                }
                Value::Object(fields) => {
                    let mut fields: Vec<_> = fields.iter().collect();
                    fields.sort_unstable_by(|a, b| a.0.cmp(b.0));
                    for (name, value) in fields {
                        push(&mut entries, &mut values, name, value);
                    }
                    Content::Object(first..entries.len())
                }
                scalar => Content::Scalar(dynamic(scalar)),
            };
            if let Some(entry) = entries.get_mut(at) {
                entry.content = content;
            }
            at += 1;
        }
        Self { entries }
    }

    fn value(document: &Arc<Self>, at: usize) -> Dynamic {
        match document.entries.get(at).map(|entry| &entry.content) {
            None => Dynamic::UNIT,
            Some(Content::Scalar(scalar)) => scalar.clone(),
            Some(Content::List(items)) => items.clone().map(|at| Self::value(document, at)).collect::<Array>().into(),
            Some(Content::Object(_)) => Dynamic::from(Node { document: Arc::clone(document), at }),
        }
    }
}

fn push<'a>(entries: &mut Vec<Entry>, values: &mut Vec<&'a Value>, name: &str, value: &'a Value) {
    entries.push(Entry { name: name.into(), content: Content::Scalar(Dynamic::UNIT) });
    values.push(value);
}

fn dynamic(scalar: &Value) -> Dynamic {
    match scalar {
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => self::number(number),
        Value::String(text) => text.as_str().into(),
        _ => Dynamic::UNIT,
    }
}

/// Rhai's integers are `i64`; what is greater becomes a float, which compares well enough.
fn number(number: &Number) -> Dynamic {
    number.as_i64().map_or_else(|| number.as_f64().map_or(Dynamic::UNIT, Dynamic::from), Dynamic::from)
}

impl Node {
    /// The field's value, `()` if it is missing.
    pub fn get(&self, name: &str) -> Dynamic {
        let fields = self.fields();
        let found = self.document.entries.get(fields.clone()).and_then(|entries| {
            let at = entries.binary_search_by(|entry| entry.name.as_ref().cmp(name)).ok()?;
            Some(fields.start + at)
        });
        found.map_or(Dynamic::UNIT, |at| Document::value(&self.document, at))
    }

    /// The values of all fields, in the order of their names.
    pub fn values(&self) -> Array {
        self.fields().map(|at| Document::value(&self.document, at)).collect()
    }

    /// Names of the fields, sorted.
    pub fn names(&self) -> Array {
        let entries = self.document.entries.get(self.fields()).unwrap_or_default();
        entries.iter().map(|entry| Dynamic::from(entry.name.to_string())).collect()
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields().len()
    }

    fn fields(&self) -> Range<usize> {
        match self.document.entries.get(self.at).map(|entry| &entry.content) {
            Some(Content::Object(fields)) => fields.clone(),
            _ => 0..0,
        }
    }
}

impl PartialEq for Node {
    /// The same object of the same document; objects are not compared field by field.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.document, &other.document) && self.at == other.at
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "object #{} of {} fields", self.at, self.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(json: &Value) -> Node {
        Document::root(json).cast()
    }

    #[test]
    fn fields_are_found_at_any_depth_and_a_missing_one_is_unit() {
        let vm = node(&json!({"z": 1, "host": {"cluster": {"drsEnabled": true}}, "a": "x", "gone": null}));
        let cluster: Node = vm.get("host").cast::<Node>().get("cluster").cast();
        assert!(cluster.get("drsEnabled").as_bool().unwrap());
        assert_eq!(vm.get("z").as_int(), Ok(1));
        assert!(vm.get("nothing").is_unit() && vm.get("gone").is_unit());
        assert_eq!(vm.len(), 4);
    }

    #[test]
    fn a_list_is_an_array_of_its_items() {
        let vm = node(&json!({"disks": [{"capacity": 5}, 7, [8]]}));
        let disks = vm.get("disks").into_array().unwrap();
        assert_eq!(disks[0].clone().cast::<Node>().get("capacity").as_int(), Ok(5));
        assert_eq!(disks[1].as_int(), Ok(7));
        assert_eq!(disks[2].clone().into_array().unwrap()[0].as_int(), Ok(8));
    }

    #[test]
    fn a_number_beyond_i64_is_a_float() {
        assert_eq!(node(&json!({"big": u64::MAX})).get("big").as_float(), Ok(u64::MAX as f64));
        assert_eq!(node(&json!({"small": i64::MIN})).get("small").as_int(), Ok(i64::MIN));
    }

    #[test]
    fn a_document_that_is_no_object_is_its_value() {
        assert!(Document::root(&Value::Null).is_unit());
        assert_eq!(Document::root(&json!("x")).into_string(), Ok("x".to_owned()));
    }

    #[test]
    fn a_document_of_any_depth_is_read_without_a_deep_stack() {
        let deep =
            (0..20_000).fold(Value::Null, |inner, _| Value::Object([("a".to_owned(), inner)].into_iter().collect()));
        let node = node(&deep);
        assert_eq!(node.len(), 1);
        // Value's own drop recurses; it is none of this test's business.
        std::mem::forget(deep);
    }
}
