//! Reads XML into a [`Value`] tree, by events and without recursion, so that no document can exhaust the stack.
//!
//! It is lenient where servers are: namespaces prefixes don't matter, characters that XML forbids become U+FFFD.

use std::collections::HashSet;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::ParseError;
use crate::value::{Content, Name, Value};

/// Deeper than any value of the vSphere API; dropping a tree recurses, so it must be bounded.
const DEPTH: usize = 128;

/// The root element's local name and its value.
pub(crate) fn parse(xml: &str) -> Result<(Name, Value), ParseError> {
    let mut reader = Reader::from_str(xml);
    let mut builder = Builder::default();
    loop {
        let event = reader.read_event().map_err(|error| ParseError::Xml(error.to_string()))?;
        let done = match event {
            Event::Start(start) => builder.open(&start).map(|()| None)?,
            Event::Empty(start) => builder.open(&start).map(|()| builder.close())?,
            Event::End(_) => builder.close(),
            Event::Text(text) => builder.text(&text.xml10_content()),
            Event::CData(text) => builder.text(&text.xml10_content()),
            Event::GeneralRef(entity) => builder.text(&resolved(&entity)),
            Event::Eof => return Err(ParseError::Xml("it ends too early".to_owned())),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => None,
        };
        if let Some(root) = done {
            return Ok(root);
        }
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Element>,
    names: HashSet<Name>,
}

struct Element {
    name: Name,
    type_name: Option<Name>,
    reference: Option<Name>,
    nil: bool,
    text: String,
    fields: Vec<(Name, Value)>,
}

impl Builder {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), ParseError> {
        if self.open.len() == DEPTH {
            return Err(ParseError::TooDeep(DEPTH));
        }
        let local = start.local_name();
        let name = self.name(local.as_ref());
        let mut element =
            Element { name, type_name: None, reference: None, nil: false, text: String::new(), fields: Vec::new() };
        for attribute in start.attributes().flatten() {
            let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) else { continue };
            let key = attribute.key;
            match (key.prefix().is_some(), key.local_name().as_ref()) {
                (true, "type") => element.type_name = Some(self.name(unprefixed(&value))),
                (true, "nil") => element.nil = matches!(&*value, "true" | "1"),
                (false, "type") => element.reference = Some(self.name(unprefixed(&value))),
                _ => {}
            }
        }
        self.open.push(element);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Option<(Name, Value)> {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
        None
    }

    /// Closes the innermost element; gives it back if it is the root.
    fn close(&mut self) -> Option<(Name, Value)> {
        let Element { name, type_name, reference, nil, text, fields } = self.open.pop()?;
        let content = match reference {
            _ if !fields.is_empty() => Content::Fields(fields),
            Some(kind) => Content::Reference(kind, text.into_boxed_str()),
            None => Content::Text(text.into_boxed_str()),
        };
        let value = Value::new(type_name, content);
        match self.open.last_mut() {
            Some(_) if nil => None,
            Some(parent) => {
                parent.fields.push((name, value));
                None
            }
            None => Some((name, value)),
        }
    }

    fn name(&mut self, name: &str) -> Name {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let new = Name::from(name);
        self.names.insert(new.clone());
        new
    }
}

fn unprefixed(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn resolved(entity: &BytesRef<'_>) -> String {
    const FORBIDDEN: &str = "\u{FFFD}";
    if entity.is_char_ref() {
        return entity.resolve_char_ref().ok().flatten().map_or_else(|| FORBIDDEN.to_owned(), String::from);
    }
    quick_xml::escape::resolve_predefined_entity(&entity.xml10_content()).unwrap_or(FORBIDDEN).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Value {
        parse(xml).unwrap().1
    }

    #[test]
    fn entities_references_and_cdata_are_resolved_and_spaces_kept() {
        let value = read("<a><b> x &lt;&amp;&#x41;\n&#10;y<![CDATA[<&>]]></b></a>");
        assert_eq!(value.text("b"), Some(" x <&A\n\ny<&>"));
    }

    #[test]
    fn forbidden_characters_do_not_fail_a_document() {
        assert_eq!(
            read("<a><b>1&#x1F;2&#xD800;3&what;4</b></a>").text("b").map(|text| text.replace('\u{1f}', "?")),
            Some("1?2\u{FFFD}3\u{FFFD}4".to_owned())
        );
    }

    #[test]
    fn nil_elements_are_absent_and_empty_ones_are_not() {
        let value = read("<a xmlns:i='x'><b i:nil='true'/><c/><d></d></a>");
        assert_eq!((value.get("b"), value.text("c"), value.text("d")), (None, Some(""), Some("")));
    }

    #[test]
    fn prefixes_of_elements_attributes_and_types_do_not_matter() {
        let value = read("<s:a xmlns:s='y'><n:b XMLSchema-instance:type='xsd:int' xmlns:n='z'>1</n:b></s:a>");
        assert_eq!(value.get("b").unwrap().type_name(), Some("int"));
    }

    #[test]
    fn what_is_no_xml_or_too_deep_is_refused() {
        for text in ["", "hello", "<a>", "<a></b>", "<a"] {
            assert!(matches!(parse(text), Err(ParseError::Xml(_))), "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert_eq!(parse(&deep), Err(ParseError::TooDeep(DEPTH)));
    }
}
