//! What a vCenter answers instead of a result: the SOAP faults that callers tell apart.

use std::fmt;

use crate::{MoRef, PowerState, Value};

/// A fault of the vSphere API. The types that nobody here decides on are kept in `Other`.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// User or password is wrong.
    InvalidLogin,
    /// The session does not exist or has expired.
    NotAuthenticated,
    /// The user lacks a privilege.
    NoPermission {
        /// On which object, if named.
        object: Option<Box<MoRef>>,
        /// The privilege's id, such as `VirtualMachine.Interact.PowerOff`, if named.
        privilege: Option<String>,
    },
    /// A property collector doesn't know the version that was asked for: list again.
    InvalidCollectorVersion,
    /// The object is gone.
    ManagedObjectNotFound {
        /// Which one, if named.
        object: Option<MoRef>,
    },
    /// VMware Tools are not running in the guest.
    ToolsUnavailable,
    /// The VM's power state does not allow the request.
    InvalidPowerState {
        /// The state it has, if named.
        existing: Option<PowerState>,
        /// The state the request needs, if named.
        requested: Option<PowerState>,
    },
    /// A property path that the object's type doesn't have in this version of vSphere.
    InvalidProperty {
        /// The path.
        name: String,
    },
    /// Any other fault.
    Other {
        /// Its type, such as `FileLocked`; empty if the server named none.
        kind: String,
        /// The server's own words.
        message: String,
    },
}

impl Fault {
    /// From a `<fault>` element and the text that stands beside it.
    pub(crate) fn from_value(detail: &Value, message: &str) -> Self {
        let object = || detail.get("object").or_else(|| detail.get("obj")).and_then(Value::as_moref);
        let state = |name| detail.text(name).map(PowerState::from);
        match detail.type_name().unwrap_or_default() {
            "InvalidLogin" => Self::InvalidLogin,
            "NotAuthenticated" => Self::NotAuthenticated,
            "NoPermission" => Self::NoPermission {
                object: object().map(Box::new),
                privilege: detail.text("privilegeId").map(ToOwned::to_owned),
            },
            "InvalidCollectorVersion" => Self::InvalidCollectorVersion,
            "ManagedObjectNotFound" => Self::ManagedObjectNotFound { object: object() },
            "ToolsUnavailable" => Self::ToolsUnavailable,
            "InvalidPowerState" => {
                Self::InvalidPowerState { existing: state("existingState"), requested: state("requestedState") }
            }
            "InvalidProperty" => Self::InvalidProperty { name: detail.text("name").unwrap_or_default().to_owned() },
            other => Self::Other { kind: other.to_owned(), message: message.to_owned() },
        }
    }

    /// From a LocalizedMethodFault: `<fault xsi:type=…/>` with `<localizedMessage>`.
    pub(crate) fn from_localized(localized: &Value) -> Self {
        let message = localized.text("localizedMessage").unwrap_or_default();
        match localized.get("fault") {
            Some(detail) => Self::from_value(detail, message),
            None => Self::Other { kind: String::new(), message: message.to_owned() },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidLogin => f.write_str("user or password is wrong"),
            Self::NotAuthenticated => f.write_str("the session has ended"),
            Self::NoPermission { object, privilege } => {
                let privilege = privilege.as_deref().unwrap_or("(not named)");
                write!(f, "the user lacks the privilege {privilege}")?;
                object.iter().try_for_each(|object| write!(f, " on {object}"))
            }
            Self::InvalidCollectorVersion => f.write_str("the collector's version is not known to the server"),
            Self::ManagedObjectNotFound { object: Some(object) } => write!(f, "{object} does not exist any more"),
            Self::ManagedObjectNotFound { object: None } => f.write_str("the object does not exist any more"),
            Self::ToolsUnavailable => f.write_str("VMware Tools are not running in the guest"),
            Self::InvalidPowerState { existing, .. } => {
                f.write_str("the VM's power state does not allow it")?;
                existing.iter().try_for_each(|state| write!(f, " (it is {state})"))
            }
            Self::InvalidProperty { name } => write!(f, "there is no property {name}"),
            Self::Other { kind, message } if kind.is_empty() => f.write_str(message),
            Self::Other { kind, message } if message.is_empty() => f.write_str(kind),
            Self::Other { kind, message } => write!(f, "{message} ({kind})"),
        }
    }
}

impl std::error::Error for Fault {}
