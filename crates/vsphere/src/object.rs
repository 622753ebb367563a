//! One object's properties as far as they are known, kept up to date by applying changes.

use std::collections::BTreeMap;

use crate::value::{self, Step, steps};
use crate::{Change, MissingProperty, MoRef, ObjectUpdate, PropertyChange, Value};

/// An object and its properties by the path they were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Which object.
    pub reference: MoRef,
    /// The properties, keyed by path. Unset ones are absent.
    pub properties: BTreeMap<String, Value>,
    /// Properties that were asked for and withheld, as last reported.
    pub missing: Vec<MissingProperty>,
}

impl Object {
    /// An object of which nothing is known yet.
    pub fn new(reference: MoRef) -> Self {
        Self { reference, properties: BTreeMap::new(), missing: Vec::new() }
    }

    /// Applies the changes in their order and gives back the paths that did not fit what is held (a part of something
    /// never seen): read those properties again.
    #[must_use = "the paths that did not fit have to be read again"]
    pub fn apply(&mut self, update: ObjectUpdate) -> Vec<String> {
        self.missing = update.missing;
        update.changes.into_iter().filter_map(|change| self.apply_change(change)).collect()
    }

    /// The value at a path, whether it is held by itself or inside a property above it.
    pub fn get(&self, path: &str) -> Option<&Value> {
        let (held, inside) = self.holder(path)?;
        self.properties.get(held)?.get(inside)
    }

    /// The elements of the array at a path; empty if there is none.
    pub fn list(&self, path: &str) -> Vec<&Value> {
        let found = self.holder(path).and_then(|(held, inside)| Some(self.properties.get(held)?.list(inside)));
        found.unwrap_or_default()
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

    fn apply_change(&mut self, change: PropertyChange) -> Option<String> {
        let PropertyChange { path, change } = change;
        let fitted = match change {
            Change::Assign(Some(new)) => self.assign(&path, new),
            Change::Add(new) => self.add(&path, new),
            Change::Assign(None) | Change::Remove | Change::IndirectRemove => self.remove(&path),
        };
        (!fitted).then_some(path)
    }

    fn assign(&mut self, path: &str, new: Value) -> bool {
        if let Some((held, inside)) = self.holder(path) {
            let target = self.properties.get_mut(held).zip(steps(inside));
            return target.is_some_and(|(value, inside)| value::assign(value, &inside, new));
        }
        // A change above what is held: each held part takes its own.
        let below = self.held_below(path);
        if below.is_empty() {
            let whole = steps(path).is_some_and(|all| all.iter().all(|step| matches!(step, Step::Field(_))));
            if whole {
                self.properties.insert(path.to_owned(), new);
            }
            return whole;
        }
        for held in below {
            match new.get(inside(path, &held)).cloned() {
                Some(part) => self.properties.insert(held, part),
                None => self.properties.remove(&held),
            };
        }
        true
    }

    fn add(&mut self, path: &str, new: Value) -> bool {
        // `device[2000]` names the element itself, `device` the array that it joins.
        if path.ends_with(']') {
            return self.assign(path, new);
        }
        match self.holder(path) {
            Some((held, inside)) => {
                let target = self.properties.get_mut(held).zip(steps(inside));
                target.is_some_and(|(value, inside)| value::add(value, &inside, new))
            }
            None => new.is_array() && self.assign(path, new),
        }
    }

    fn remove(&mut self, path: &str) -> bool {
        match self.holder(path) {
            Some((held, "")) => {
                self.properties.remove(held);
            }
            Some((held, inside)) => {
                let Some((value, inside)) = self.properties.get_mut(held).zip(steps(inside)) else { return false };
                value::remove(value, &inside);
            }
            None => {
                for held in self.held_below(path) {
                    self.properties.remove(&held);
                }
            }
        }
        true
    }

    /// The closest held property at or above a path, and the path inside it.
    fn holder<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        let mut end = path.len();
        loop {
            let held = path.get(..end)?;
            if self.properties.contains_key(held) {
                return Some((held, inside(held, path)));
            }
            end = held.rfind(['.', '['])?;
        }
    }

    /// The held properties below a path.
    fn held_below(&self, path: &str) -> Vec<String> {
        let below = |held: &&String| held.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']));
        self.properties.keys().filter(below).cloned().collect()
    }
}

/// What of `path` lies inside `above`, a path that it begins with.
fn inside<'p>(above: &str, path: &'p str) -> &'p str {
    let rest = path.get(above.len()..).unwrap_or_default();
    rest.strip_prefix('.').unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UpdateKind;

    fn vm() -> Object {
        let hardware = Value::from_xml(
            r#"<val xmlns:xsi="x" xsi:type="VirtualHardware"><numCPU>4</numCPU><memoryMB>1024</memoryMB>
            <device xsi:type="VirtualDisk"><key>2000</key><backing><fileName>a.vmdk</fileName></backing></device>
            <device xsi:type="VirtualDisk"><key>2001</key></device><trailer>t</trailer></val>"#,
        );
        let devices = Value::from_xml(
            r#"<val xmlns:xsi="x" xsi:type="ArrayOfVirtualDevice"><VirtualDevice xsi:type="VirtualE1000">
            <key>4000</key><mac>aa</mac></VirtualDevice></val>"#,
        );
        let mut vm = Object::new(MoRef::vm("vm-1"));
        vm.properties.insert("config.hardware".into(), hardware.unwrap());
        vm.properties.insert("nic".into(), devices.unwrap());
        vm.properties.insert("summary.config.name".into(), Value::scalar("one"));
        vm.properties.insert("summary.config.uuid".into(), Value::scalar("u"));
        vm
    }

    fn apply(vm: &mut Object, path: &str, change: Change) -> Vec<String> {
        let changes = vec![PropertyChange { path: path.into(), change }];
        vm.apply(ObjectUpdate { reference: vm.reference.clone(), kind: UpdateKind::Modify, changes, missing: vec![] })
    }

    fn set(vm: &mut Object, path: &str, new: Value) {
        assert_eq!(apply(vm, path, Change::Assign(Some(new))), Vec::<String>::new(), "{path}");
    }

    fn device(key: &str) -> Value {
        Value::object("VirtualDisk", [("key", Value::scalar(key))])
    }

    #[test]
    fn an_exact_path_is_replaced_and_a_new_one_held() {
        let mut vm = vm();
        set(&mut vm, "summary.config.name", Value::scalar("two"));
        set(&mut vm, "runtime.powerState", Value::scalar("poweredOff"));
        assert_eq!((vm.text("summary.config.name"), vm.text("runtime.powerState")), (Some("two"), Some("poweredOff")));
    }

    #[test]
    fn a_nested_change_is_put_into_the_property_above_it() {
        let mut vm = vm();
        set(&mut vm, "config.hardware.numCPU", Value::scalar("8"));
        set(&mut vm, "config.hardware.newer", Value::scalar("x"));
        assert_eq!((vm.integer("config.hardware.numCPU"), vm.text("config.hardware.newer")), (Some(8), Some("x")));
        assert_eq!(vm.integer("config.hardware.memoryMB"), Some(1024), "its neighbour stays");
        assert_eq!(vm.properties.len(), 4, "no second copy is held");
    }

    #[test]
    fn array_elements_are_replaced_changed_added_and_removed_by_key() {
        let mut vm = vm();
        set(&mut vm, "config.hardware.device[2000].backing.fileName", Value::scalar("b.vmdk"));
        assert_eq!(vm.text("config.hardware.device[2000].backing.fileName"), Some("b.vmdk"));
        set(&mut vm, "config.hardware.device[2001]", Value::object("Changed", [("key", Value::scalar("2001"))]));
        assert_eq!(vm.get("config.hardware.device[2001]").unwrap().type_name(), Some("Changed"));
        assert_eq!(apply(&mut vm, "config.hardware.device[2002]", Change::Add(device("2002"))), Vec::<String>::new());
        assert_eq!(apply(&mut vm, "config.hardware.device", Change::Add(device("2003"))), Vec::<String>::new());
        assert_eq!(vm.list("config.hardware.device").len(), 4);
        assert_eq!(apply(&mut vm, "config.hardware.device[2000]", Change::Remove), Vec::<String>::new());
        assert_eq!(apply(&mut vm, "config.hardware.device[2000]", Change::Remove), Vec::<String>::new(), "twice");
        let keys: Vec<_> =
            vm.list("config.hardware.device").iter().map(|device| device.integer("key").unwrap()).collect();
        assert_eq!(keys, [2001, 2002, 2003]);
        assert_eq!(vm.text("config.hardware.trailer"), Some("t"));
    }

    #[test]
    fn a_property_that_is_an_array_by_itself_takes_elements_by_key() {
        let mut vm = vm();
        set(&mut vm, "nic[4000].mac", Value::scalar("bb"));
        set(&mut vm, "nic[4001]", device("4001"));
        assert_eq!(vm.text("nic[4000].mac"), Some("bb"));
        assert_eq!(vm.list("nic").len(), 2);
        assert_eq!(apply(&mut vm, "nic[4000]", Change::IndirectRemove), Vec::<String>::new());
        assert_eq!(vm.list("nic").len(), 1);
        assert_eq!(vm.get("nic").unwrap().fields().next().unwrap().0, "VirtualDevice");
    }

    #[test]
    fn a_whole_array_assigned_inside_an_object_replaces_all_its_elements() {
        let mut vm = vm();
        let array =
            Value::object("ArrayOfVirtualDevice", [("VirtualDevice", device("1")), ("VirtualDevice", device("2"))]);
        set(&mut vm, "config.hardware.device", array);
        assert_eq!(vm.list("config.hardware.device").len(), 2);
        assert_eq!(vm.get("config.hardware.device[2]").unwrap().integer("key"), Some(2));
    }

    #[test]
    fn a_change_above_what_is_held_reaches_each_held_part() {
        let mut vm = vm();
        set(&mut vm, "summary", Value::from_xml("<val><config><name>three</name></config></val>").unwrap());
        assert_eq!((vm.text("summary.config.name"), vm.get("summary.config.uuid")), (Some("three"), None));
        assert_eq!(apply(&mut vm, "summary", Change::Assign(None)), Vec::<String>::new());
        assert_eq!(vm.get("summary.config.name"), None);
    }

    #[test]
    fn an_unset_property_is_absent() {
        let mut vm = vm();
        assert_eq!(apply(&mut vm, "nic", Change::Assign(None)), Vec::<String>::new());
        assert_eq!(apply(&mut vm, "config.hardware.numCPU", Change::Remove), Vec::<String>::new());
        assert_eq!((vm.get("nic"), vm.get("config.hardware.numCPU")), (None, None));
        assert_eq!(vm.integer("config.hardware.memoryMB"), Some(1024));
    }

    #[test]
    fn a_change_of_a_part_that_was_never_seen_is_reported_and_changes_nothing() {
        let mut vm = vm();
        let before = vm.clone();
        for path in
            ["config.hardware.device[9].backing", "config.hardware.video.ram", "other[3].x", "a..b", "nic[7].mac"]
        {
            assert_eq!(apply(&mut vm, path, Change::Assign(Some(Value::scalar("1")))), [path]);
        }
        assert_eq!(vm, before);
    }

    #[test]
    fn references_are_added_to_a_list_once() {
        let mut vm = vm();
        let list = |ids: &[&str]| {
            let ids = ids.iter().map(|id| ("ManagedObjectReference", Value::reference(&MoRef::vm(*id))));
            Value::object("ArrayOfManagedObjectReference", ids.collect::<Vec<_>>())
        };
        set(&mut vm, "vm", list(&["vm-1"]));
        assert_eq!(apply(&mut vm, "vm", Change::Add(list(&["vm-1", "vm-2"]))), Vec::<String>::new());
        assert_eq!(vm.list("vm").len(), 2);
        assert_eq!(apply(&mut vm, "vm[vm-1]", Change::Remove), Vec::<String>::new());
        assert_eq!(vm.list("vm")[0].as_moref(), Some(MoRef::vm("vm-2")));
    }
}
