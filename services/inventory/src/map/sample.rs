//! Values for tests, written as they stand in a SOAP answer.

use vsphere::Value;

/// The value of an element whose types are written `x:type`.
pub(crate) fn value(xml: &str) -> Value {
    let opened = xml.trim_start().find(['>', ' ', '/']).unwrap();
    let (start, rest) = xml.trim_start().split_at(opened);
    Value::from_xml(&format!("{start} xmlns:x=\"http://www.w3.org/2001/XMLSchema-instance\"{rest}")).unwrap()
}
