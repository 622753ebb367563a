//! What a property collector reports: objects that came, changed or left, and the properties that did.

use crate::{Fault, MoRef, ParseError, Value};

/// One answer of `WaitForUpdatesEx`.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateSet {
    /// The version that the next call continues from; it dies with the session.
    pub version: String,
    /// True if more belongs to this state and follows at once: the set is whole only after the first answer that says
    /// false.
    pub truncated: bool,
    /// The objects, in the server's order.
    pub updates: Vec<ObjectUpdate>,
}

/// What happened to one object.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectUpdate {
    /// Which object.
    pub reference: MoRef,
    /// What happened to it.
    pub kind: UpdateKind,
    /// Properties that changed; all that it has, when it enters.
    pub changes: Vec<PropertyChange>,
    /// Properties that were asked for and withheld.
    pub missing: Vec<MissingProperty>,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateKind {
    /// It came into view.
    Enter,
    /// Properties changed.
    Modify,
    /// It is gone, or out of view.
    Leave,
}

/// A change of one property.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyChange {
    /// The property path, possibly deeper than the path that was asked for.
    pub path: String,
    /// What to do there.
    pub change: Change,
}

/// What to do at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Set it; `None` means that it is unset now.
    Assign(Option<Value>),
    /// Add an element to the array.
    Add(Value),
    /// Remove it.
    Remove,
    /// Remove it, because something above it was removed.
    IndirectRemove,
}

/// A property that was asked for and withheld.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingProperty {
    /// The path as asked for.
    pub path: String,
    /// Why: for a lost session `NotAuthenticated`, for a missing right `NoPermission`.
    pub fault: Fault,
}

impl UpdateSet {
    /// From the `returnval` of `WaitForUpdatesEx`.
    pub(crate) fn from_value(value: Value) -> Result<Self, ParseError> {
        let version = value.text("version").ok_or(ParseError::Lacks("version"))?.to_owned();
        let truncated = value.boolean("truncated").unwrap_or(false);
        let mut updates = Vec::new();
        for (name, filter) in value.into_fields() {
            if &*name != "filterSet" {
                continue;
            }
            for (name, object) in filter.into_fields() {
                if &*name == "objectSet" {
                    updates.push(ObjectUpdate::from_value(object)?);
                }
            }
        }
        Ok(Self { version, truncated, updates })
    }

    /// True if values were withheld because the session is gone.
    pub(crate) fn session_lost(&self) -> bool {
        self.updates.iter().any(|update| session_lost(&update.missing))
    }
}

pub(crate) fn session_lost(missing: &[MissingProperty]) -> bool {
    missing.iter().any(|property| property.fault == Fault::NotAuthenticated)
}

impl ObjectUpdate {
    fn from_value(value: Value) -> Result<Self, ParseError> {
        let reference = value.moref("obj").ok_or(ParseError::Lacks("obj"))?;
        let kind = match value.text("kind") {
            Some("enter") => UpdateKind::Enter,
            Some("leave") => UpdateKind::Leave,
            // A kind that a later release may add can only be a change of a known object.
            _ => UpdateKind::Modify,
        };
        let missing = missing(&value);
        let mut changes = Vec::new();
        for (name, change) in value.into_fields() {
            if &*name == "changeSet" {
                changes.push(PropertyChange::from_value(change)?);
            }
        }
        Ok(Self { reference, kind, changes, missing })
    }
}

/// The `missingSet` of an object.
pub(crate) fn missing(object: &Value) -> Vec<MissingProperty> {
    let property = |missing: &Value| MissingProperty {
        path: missing.text("path").unwrap_or_default().to_owned(),
        fault: missing.get("fault").map_or_else(unnamed, Fault::from_localized),
    };
    object.list("missingSet").into_iter().map(property).collect()
}

fn unnamed() -> Fault {
    Fault::Other { kind: String::new(), message: String::new() }
}

impl PropertyChange {
    fn from_value(value: Value) -> Result<Self, ParseError> {
        let path = value.text("name").ok_or(ParseError::Lacks("name"))?.to_owned();
        let op = value.text("op").unwrap_or("assign").to_owned();
        let val = value.into_fields().into_iter().find(|(name, _)| &**name == "val").map(|(_, val)| val);
        let change = match (op.as_str(), val) {
            ("remove", _) => Change::Remove,
            ("indirectRemove", _) => Change::IndirectRemove,
            ("add", Some(val)) => Change::Add(val),
            (_, val) => Change::Assign(val),
        };
        Ok(Self { path, change })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = r#"<returnval xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><version>7</version>
      <filterSet><filter type="PropertyFilter">f</filter>
        <objectSet><kind>modify</kind><obj type="VirtualMachine">vm-1</obj>
          <changeSet><name>config.hardware.numCPU</name><op>assign</op><val xsi:type="xsd:int">8</val></changeSet>
          <changeSet><name>snapshot</name><op>assign</op></changeSet>
          <changeSet><name>config.hardware.device[2000]</name><op>remove</op></changeSet>
          <changeSet><name>guest.net</name><op>indirectRemove</op></changeSet>
          <changeSet><name>datastore</name><op>add</op><val type="Datastore" xsi:type="ManagedObjectReference">ds-2</val></changeSet>
          <missingSet><path>config.extraConfig</path><fault><fault xsi:type="NoPermission">
            <object type="VirtualMachine">vm-1</object><privilegeId>System.View</privilegeId></fault></fault></missingSet>
        </objectSet>
        <objectSet><kind>leave</kind><obj type="HostSystem">host-1</obj></objectSet>
      </filterSet><truncated>true</truncated></returnval>"#;

    #[test]
    fn every_kind_of_change_is_read() {
        let set = UpdateSet::from_value(Value::from_xml(SET).unwrap()).unwrap();
        assert_eq!((set.version.as_str(), set.truncated, set.updates.len()), ("7", true, 2));
        let vm = &set.updates[0];
        assert_eq!((&vm.reference, vm.kind), (&MoRef::vm("vm-1"), UpdateKind::Modify));
        let change = |index: usize| (vm.changes[index].path.as_str(), &vm.changes[index].change);
        assert!(
            matches!(change(0), ("config.hardware.numCPU", Change::Assign(Some(eight))) if eight.as_i64() == Some(8))
        );
        assert_eq!(change(1), ("snapshot", &Change::Assign(None)));
        assert_eq!(change(2), ("config.hardware.device[2000]", &Change::Remove));
        assert_eq!(change(3), ("guest.net", &Change::IndirectRemove));
        assert!(matches!(change(4), ("datastore", Change::Add(added)) if added.as_moref().is_some()));
        assert_eq!(vm.missing[0].path, "config.extraConfig");
        assert!(matches!(&vm.missing[0].fault, Fault::NoPermission { privilege: Some(p), .. } if p == "System.View"));
        assert_eq!(set.updates[1].kind, UpdateKind::Leave);
        assert!(!set.session_lost());
    }

    #[test]
    fn a_withheld_property_can_mean_a_lost_session() {
        let xml = SET.replace("NoPermission", "NotAuthenticated");
        assert!(UpdateSet::from_value(Value::from_xml(&xml).unwrap()).unwrap().session_lost());
    }

    #[test]
    fn a_set_without_a_version_is_refused() {
        assert!(
            UpdateSet::from_value(Value::from_xml("<returnval><truncated>false</truncated></returnval>").unwrap())
                .is_err()
        );
    }
}
