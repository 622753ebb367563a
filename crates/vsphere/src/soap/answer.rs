//! Reads a SOAP answer: the method's response, or a fault.

use super::{ParseError, parse};
use crate::{Fault, Value};

/// What stands in the body of an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// The response element; its fields are `returnval`, none for methods that return nothing.
    Response(Value),
    /// A fault.
    Fault(Fault),
}

pub(crate) fn answer(xml: &str) -> Result<Answer, ParseError> {
    let (root, envelope) = parse(xml)?;
    if &*root != "Envelope" {
        return Err(ParseError::NotSoap(root.to_string()));
    }
    let body = child(envelope, |name| name == "Body").ok_or(ParseError::Lacks("Body"))?.1;
    let (name, content) = child(body, |_| true).ok_or(ParseError::Lacks("Body's content"))?;
    Ok(if name == "Fault" { Answer::Fault(fault(&content)) } else { Answer::Response(content) })
}

fn child(parent: Value, wanted: impl Fn(&str) -> bool) -> Option<(String, Value)> {
    parent.into_fields().into_iter().find(|(name, _)| wanted(name)).map(|(name, value)| (name.to_string(), value))
}

fn fault(fault: &Value) -> Fault {
    let message = fault.text("faultstring").unwrap_or_default();
    let Some((element, detail)) = fault.get("detail").and_then(|detail| detail.fields().next()) else {
        return Fault::Other { kind: String::new(), message: message.to_owned() };
    };
    if detail.type_name().is_some() {
        return Fault::from_value(detail, message);
    }
    // Without xsi:type the element's name tells, which the WSDL makes of the type and "Fault".
    let kind = element.strip_suffix("Fault").filter(|kind| !kind.is_empty()).unwrap_or(element);
    Fault::from_value(&Value::object(kind, detail.fields().map(|(name, value)| (name, value.clone()))), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MoRef, PowerState};

    fn envelope(body: &str) -> String {
        format!(
            "<?xml version='1.0'?>\n<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' \
             xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>\n<e:Body>{body}</e:Body></e:Envelope>"
        )
    }

    fn fault_of(detail: &str) -> Fault {
        let body = format!("<e:Fault><faultcode>c</faultcode><faultstring>words</faultstring>{detail}</e:Fault>");
        match answer(&envelope(&body)).unwrap() {
            Answer::Fault(fault) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_response_is_given_as_it_is() {
        let body = "<LoginResponse xmlns='urn:vim25'><returnval><key>k</key></returnval></LoginResponse>";
        let Answer::Response(response) = answer(&envelope(body)).unwrap() else { panic!() };
        assert_eq!(response.text("returnval.key"), Some("k"));
        assert_eq!(answer(&envelope("<LogoutResponse/>")).unwrap(), Answer::Response(Value::scalar("")));
    }

    #[test]
    fn faults_are_typed() {
        let of = |detail: &str| fault_of(&format!("<detail>{detail}</detail>"));
        assert_eq!(of("<InvalidLoginFault xsi:type='InvalidLogin'/>"), Fault::InvalidLogin);
        assert_eq!(of("<NotAuthenticatedFault xsi:type='ns1:NotAuthenticated'/>"), Fault::NotAuthenticated);
        assert_eq!(of("<InvalidCollectorVersionFault/>"), Fault::InvalidCollectorVersion);
        assert_eq!(of("<x xsi:type='ToolsUnavailable'/>"), Fault::ToolsUnavailable);
        assert_eq!(
            of("<x xsi:type='ManagedObjectNotFound'><obj type='VirtualMachine'>vm-1</obj></x>"),
            Fault::ManagedObjectNotFound { object: Some(MoRef::vm("vm-1")) }
        );
        assert_eq!(
            of("<x xsi:type='InvalidPowerState'><requestedState>poweredOn</requestedState>\
                <existingState>poweredOff</existingState></x>"),
            Fault::InvalidPowerState { existing: Some(PowerState::Off), requested: Some(PowerState::On) }
        );
        let missing = Fault::InvalidProperty { name: "config.nope".into() };
        assert_eq!(of("<InvalidPropertyFault><name>config.nope</name></InvalidPropertyFault>"), missing);
        let other = Fault::Other { kind: "FileLocked".into(), message: "words".into() };
        assert_eq!(of("<FileLockedFault xsi:type='FileLocked'><file>f</file></FileLockedFault>"), other);
        assert_eq!(fault_of(""), Fault::Other { kind: String::new(), message: "words".into() });
    }

    #[test]
    fn what_is_no_soap_is_named() {
        assert_eq!(answer("<html><body>hi</body></html>"), Err(ParseError::NotSoap("html".into())));
        assert_eq!(answer("<Envelope><Header>x</Header></Envelope>"), Err(ParseError::Lacks("Body")));
        assert!(matches!(answer("404 page not found"), Err(ParseError::Xml(_))));
    }
}
