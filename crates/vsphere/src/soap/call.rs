//! Writes a call. Elements stand in the order of the vSphere WSDL, which servers insist on.

use quick_xml::escape::escape;

use crate::MoRef;

/// A method call on an object. Has no `Debug`, for it may hold a password.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) target: MoRef,
    arguments: Fields,
}

/// Elements one after the other.
#[derive(Default)]
pub(crate) struct Fields(String);

impl Call {
    pub(crate) fn new(method: &'static str, target: &MoRef) -> Self {
        Self { method, target: target.clone(), arguments: Fields::default() }
    }

    /// The call with these arguments.
    pub(crate) fn with(mut self, arguments: impl FnOnce(&mut Fields)) -> Self {
        arguments(&mut self.arguments);
        self
    }

    /// The whole SOAP document.
    pub(crate) fn envelope(&self) -> String {
        let Self { method, target, arguments } = self;
        let mut this = Fields::default();
        this.reference("_this", target);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
             <soapenv:Body><{method} xmlns=\"urn:vim25\">{}{}</{method}></soapenv:Body></soapenv:Envelope>",
            this.0, arguments.0
        )
    }
}

impl Fields {
    pub(crate) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.push(name, "", &escape(text))
    }

    pub(crate) fn boolean(&mut self, name: &str, value: bool) -> &mut Self {
        self.push(name, "", if value { "true" } else { "false" })
    }

    pub(crate) fn number(&mut self, name: &str, value: u32) -> &mut Self {
        self.push(name, "", &value.to_string())
    }

    pub(crate) fn reference(&mut self, name: &str, target: &MoRef) -> &mut Self {
        let kind = format!(" type=\"{}\"", escape(target.kind.as_str()));
        self.push(name, &kind, &escape(target.value.as_str()))
    }

    pub(crate) fn object(&mut self, name: &str, fields: impl FnOnce(&mut Self)) -> &mut Self {
        self.nested(name, "", fields)
    }

    pub(crate) fn object_of(&mut self, name: &str, kind: &str, fields: impl FnOnce(&mut Self)) -> &mut Self {
        self.nested(name, &format!(" xsi:type=\"{kind}\""), fields)
    }

    fn nested(&mut self, name: &str, attributes: &str, fields: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::default();
        fields(&mut inner);
        self.push(name, attributes, &inner.0)
    }

    fn push(&mut self, name: &str, attributes: &str, content: &str) -> &mut Self {
        self.0.push_str(&format!("<{name}{attributes}>{content}</{name}>"));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_references_typed() {
        let call = Call::new("Login", &MoRef::new("SessionManager", "S&M")).with(|arguments| {
            arguments.text("userName", "a<b").text("password", "\"&'").object_of("x", "Y", |y| {
                y.boolean("b", true).number("n", 7);
            });
        });
        let envelope = call.envelope();
        let body = "<Login xmlns=\"urn:vim25\"><_this type=\"SessionManager\">S&amp;M</_this><userName>a&lt;b</userName>\
            <password>&quot;&amp;&apos;</password><x xsi:type=\"Y\"><b>true</b><n>7</n></x></Login>";
        assert!(envelope.contains(body), "{envelope}");
    }
}
