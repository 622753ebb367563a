//! A vSphere value as a tree: data objects, arrays, references and scalars, with the type names the server gave.
//!
//! Nothing is checked against a schema, so a newer server's types and fields are simply there, and an enumeration may
//! hold any text.

mod merge;
mod path;

use std::sync::Arc;

pub(crate) use merge::{add, assign, remove};
pub(crate) use path::{Step, steps};

use crate::MoRef;

/// A field or type name; the values of one answer share them.
pub type Name = Arc<str>;

/// One value. Paths are property paths: `config.hardware`, `device[2000].backing.fileName`, `[2000]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    type_name: Option<Name>,
    pub(crate) content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// A scalar, kept as the server wrote it.
    Text(Box<str>),
    /// A managed object reference: its type and id.
    Reference(Name, Box<str>),
    /// A data object or array: child elements in their order. An array inside a data object is one name several times.
    Fields(Vec<(Name, Value)>),
}

/// Arrays that are a value by themselves have types such as `ArrayOfVirtualDevice`.
const ARRAY: &str = "ArrayOf";

impl Value {
    pub(crate) fn new(type_name: Option<Name>, content: Content) -> Self {
        Self { type_name, content }
    }

    /// A scalar without a type name.
    pub fn scalar(text: impl Into<String>) -> Self {
        Self::new(None, Content::Text(text.into().into_boxed_str()))
    }

    /// A managed object reference.
    pub fn reference(target: &MoRef) -> Self {
        Self::new(None, Content::Reference(target.kind.as_str().into(), target.value.as_str().into()))
    }

    /// A data object of this type, or an array if the type is `ArrayOf…`.
    pub fn object<N: Into<Name>>(type_name: &str, fields: impl IntoIterator<Item = (N, Value)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self::new(Some(type_name.into()), Content::Fields(fields))
    }

    /// Reads one XML element and its children, as they stand in a SOAP answer; for tests and recorded answers.
    pub fn from_xml(xml: &str) -> Result<Self, crate::ParseError> {
        crate::soap::parse(xml).map(|(_, value)| value)
    }

    /// The `xsi:type` without its prefix, such as `VirtualDisk`; `None` where the server gave none.
    pub fn type_name(&self) -> Option<&str> {
        self.type_name.as_deref()
    }

    /// The scalar's text, which may be empty, or a reference's id. `None` for data objects and arrays.
    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) | Content::Reference(_, text) => Some(text),
            Content::Fields(_) => None,
        }
    }

    /// The scalar as a whole number.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_str()?.trim().parse().ok()
    }

    /// The scalar as a floating-point number.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_str()?.trim().parse().ok()
    }

    /// The scalar as a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.as_str()?.trim() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// The scalar as a point in time.
    pub fn as_time(&self) -> Option<jiff::Timestamp> {
        self.as_str()?.trim().parse().ok()
    }

    /// The managed object reference.
    pub fn as_moref(&self) -> Option<MoRef> {
        match &self.content {
            Content::Reference(kind, value) => Some(MoRef::new(&**kind, &**value)),
            _ => None,
        }
    }

    /// The child elements in their order; none for scalars and references.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.children().iter().map(|(name, value)| (&**name, value))
    }

    /// The elements of a value that is an array by itself (`ArrayOf…`); else the value as the only element.
    pub fn items(&self) -> Vec<&Value> {
        if self.is_array() { self.children().iter().map(|(_, item)| item).collect() } else { vec![self] }
    }

    /// The value at a path. Where a field stands several times, its first.
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.at(&steps(path)?)
    }

    /// The elements of the array at a path; empty if there is none. The empty path is the value itself.
    pub fn list(&self, path: &str) -> Vec<&Value> {
        steps(path).map(|steps| self.list_at(&steps)).unwrap_or_default()
    }

    /// The text at a path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// The whole number at a path.
    pub fn integer(&self, path: &str) -> Option<i64> {
        self.get(path)?.as_i64()
    }

    /// The boolean at a path.
    pub fn boolean(&self, path: &str) -> Option<bool> {
        self.get(path)?.as_bool()
    }

    /// The reference at a path.
    pub fn moref(&self, path: &str) -> Option<MoRef> {
        self.get(path)?.as_moref()
    }

    pub(crate) fn is_array(&self) -> bool {
        self.type_name().is_some_and(|name| name.starts_with(ARRAY))
    }

    pub(crate) fn at(&self, steps: &[Step<'_>]) -> Option<&Value> {
        match steps {
            [] => Some(self),
            [Step::Field(field), Step::Key(key), rest @ ..] => {
                self.named(field).flat_map(Value::items).find(|item| item.has_key(key))?.at(rest)
            }
            [Step::Field(field), rest @ ..] => self.named(field).next()?.at(rest),
            [Step::Key(key), rest @ ..] => {
                self.children().iter().map(|(_, item)| item).find(|item| item.has_key(key))?.at(rest)
            }
        }
    }

    pub(crate) fn list_at(&self, steps: &[Step<'_>]) -> Vec<&Value> {
        match steps {
            [] => self.items(),
            [parents @ .., Step::Field(field)] => {
                self.at(parents).map(|parent| parent.named(field).flat_map(Value::items).collect()).unwrap_or_default()
            }
            _ => self.at(steps).map(Value::items).unwrap_or_default(),
        }
    }

    /// An element of a keyed array: a data object's field `key`, a reference's id, or the text itself.
    fn has_key(&self, key: &str) -> bool {
        self.as_str().or_else(|| self.named("key").next()?.as_str()) == Some(key)
    }

    fn named<'v>(&'v self, field: &str) -> impl Iterator<Item = &'v Value> {
        self.children().iter().filter(move |(name, _)| **name == *field).map(|(_, value)| value)
    }

    fn children(&self) -> &[(Name, Value)] {
        match &self.content {
            Content::Fields(fields) => fields,
            _ => &[],
        }
    }

    /// Takes the children out, in their order.
    pub(crate) fn into_fields(self) -> Vec<(Name, Value)> {
        match self.content {
            Content::Fields(fields) => fields,
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARDWARE: &str = r#"<val xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type="VirtualHardware">
        <numCPU>4</numCPU><hotAdd>true</hotAdd><mode></mode>
        <device x:type="VirtualDisk"><key>2000</key><backing x:type="vim:FlatVer2"><fileName>[a] b/c.vmdk</fileName>
          <datastore type="Datastore">datastore-7</datastore></backing></device>
        <device x:type="FancyNewDevice"><key>4000</key><speed>1.5</speed></device>
        <since>2026-11-23T10:00:00.5Z</since></val>"#;

    #[test]
    fn scalars_are_read_by_path() {
        let value = Value::from_xml(HARDWARE).unwrap();
        assert_eq!(value.type_name(), Some("VirtualHardware"));
        assert_eq!(value.integer("numCPU"), Some(4));
        assert_eq!(value.boolean("hotAdd"), Some(true));
        assert_eq!(value.text("mode"), Some(""), "an empty enumeration is kept");
        assert_eq!(value.boolean("mode"), None);
        assert_eq!(value.get("since").unwrap().as_time().unwrap().to_string(), "2026-11-23T10:00:00.5Z");
        assert_eq!(value.get("nothing.here"), None);
    }

    #[test]
    fn arrays_are_read_as_lists_and_by_key() {
        let value = Value::from_xml(HARDWARE).unwrap();
        assert_eq!(value.list("device").len(), 2);
        assert_eq!(value.get("device[4000]").unwrap().type_name(), Some("FancyNewDevice"), "unknown types are kept");
        assert_eq!(value.get("device[4000].speed").unwrap().as_f64(), Some(1.5));
        assert_eq!(value.text("device[2000].backing.fileName"), Some("[a] b/c.vmdk"));
        assert_eq!(value.moref("device[2000].backing.datastore"), Some(MoRef::new("Datastore", "datastore-7")));
        assert_eq!(value.get("device[1]"), None);
        assert!(value.list("nothing").is_empty());
    }

    #[test]
    fn an_array_that_is_a_value_by_itself_is_listed_by_the_empty_path() {
        let references = ["vm-1", "vm-2"].map(|id| ("ManagedObjectReference", Value::reference(&MoRef::vm(id))));
        let array = Value::object("ArrayOfManagedObjectReference", references);
        assert_eq!(array.list("").iter().filter_map(|item| item.as_moref()).count(), 2);
        assert_eq!(array.moref("[vm-2]"), Some(MoRef::vm("vm-2")));
        let holder = Value::object("X", [("vm", array)]);
        assert_eq!(holder.list("vm").len(), 2);
        assert_eq!(holder.moref("vm[\"vm-1\"]"), Some(MoRef::vm("vm-1")));
    }
}
