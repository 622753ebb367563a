//! A document while it is put together: whatever its kind, changes are applied to it and a row is made of it.

use contract::vsphere::{Cluster, Datacenter, Datastore, Folder, Host, Network, Vm};
use serde_json::{Map, Value};
use vsphere::{Change, MoRef, PropertyChange};

use super::{ComputeResource, Mapped, Misfit};
use crate::database::Entry;
use crate::kind::{Key, Kind};

/// A document of any kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Draft {
    Vm(Box<Vm>),
    Host(Box<Host>),
    Cluster(Box<Cluster>),
    Network(Box<Network>),
    Datastore(Box<Datastore>),
    Folder(Box<Folder>),
    Datacenter(Box<Datacenter>),
    ComputeResource(Box<ComputeResource>),
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is in the document.
    Taken,
    /// Nothing of it is kept.
    Unknown,
    /// The value could not be understood.
    Misfit(Misfit),
    /// Only a part of the property came: the object has to be read anew.
    Partial,
}

macro_rules! each {
    ($draft:expr, $document:ident => $body:expr) => {
        match $draft {
            Draft::Vm($document) => $body,
            Draft::Host($document) => $body,
            Draft::Cluster($document) => $body,
            Draft::Network($document) => $body,
            Draft::Datastore($document) => $body,
            Draft::Folder($document) => $body,
            Draft::Datacenter($document) => $body,
            Draft::ComputeResource($document) => $body,
        }
    };
}

impl Draft {
    /// A document of which only the reference is known.
    pub fn of(kind: Kind, reference: &MoRef) -> Self {
        match kind {
            Kind::Vm => Self::Vm(Box::new(Mapped::of(reference))),
            Kind::Host => Self::Host(Box::new(Mapped::of(reference))),
            Kind::Cluster => Self::Cluster(Box::new(Mapped::of(reference))),
            Kind::Network => Self::Network(Box::new(Mapped::of(reference))),
            Kind::Datastore => Self::Datastore(Box::new(Mapped::of(reference))),
            Kind::Folder => Self::Folder(Box::new(Mapped::of(reference))),
            Kind::Datacenter => Self::Datacenter(Box::new(Mapped::of(reference))),
            Kind::ComputeResource => Self::ComputeResource(Box::new(Mapped::of(reference))),
        }
    }

    /// A document as it was stored.
    pub fn stored(kind: Kind, document: Value) -> Result<Self, serde_json::Error> {
        use serde_json::from_value;
        Ok(match kind {
            Kind::Vm => Self::Vm(from_value(document)?),
            Kind::Host => Self::Host(from_value(document)?),
            Kind::Cluster => Self::Cluster(from_value(document)?),
            Kind::Network => Self::Network(from_value(document)?),
            Kind::Datastore => Self::Datastore(from_value(document)?),
            Kind::Folder => Self::Folder(from_value(document)?),
            Kind::Datacenter => Self::Datacenter(from_value(document)?),
            Kind::ComputeResource => Self::ComputeResource(from_value(document)?),
        })
    }

    /// Takes in one change.
    pub fn apply(&mut self, change: &PropertyChange) -> Fate {
        each!(self, document => apply(&mut **document, change))
    }

    /// Id of what it lies in; empty for the root.
    pub fn parent(&mut self) -> String {
        each!(self, document => document.place().parent.id.clone())
    }

    /// The row of the document, which lies at `path`.
    pub fn entry(mut self, key: Key, path: String) -> Result<Entry, serde_json::Error> {
        each!(&mut self, document => entry(&mut **document, key, path))
    }
}

fn apply<D: Mapped>(document: &mut D, change: &PropertyChange) -> Fate {
    let path = change.path.as_str();
    let Some(property) = D::PROPERTIES.iter().find(|property| property.path == path) else {
        let related =
            D::PROPERTIES.iter().any(|property| is_below(path, property.path) || is_below(property.path, path));
        return if related { Fate::Partial } else { Fate::Unknown };
    };
    let value = match &change.change {
        Change::Assign(value) => value.as_ref(),
        Change::Remove | Change::IndirectRemove => None,
        Change::Add(_) => return Fate::Partial,
    };
    match (property.set)(document, value) {
        Ok(()) => Fate::Taken,
        Err(misfit) => Fate::Misfit(misfit),
    }
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn entry<D: Mapped>(document: &mut D, key: Key, path: String) -> Result<Entry, serde_json::Error> {
    let place = document.place();
    place.path.clone_from(&path);
    let (name, parent) = (place.name.to_owned(), place.parent.id.clone());
    let mut fields = serde_json::from_value::<Map<String, Value>>(serde_json::to_value(&*document)?)?;
    let mut volatile = D::split(&mut fields);
    volatile.extend(D::VOLATILE.iter().filter_map(|field| fields.remove_entry(*field)));
    Ok(Entry {
        key,
        name,
        path,
        parent,
        document: fields,
        volatile,
        projection: document.projection(),
        shows: document.shows(),
        disk_files: document.disk_files(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::sample;

    fn change(path: &str, change: Change) -> PropertyChange {
        PropertyChange { path: path.to_owned(), change }
    }

    fn assign(path: &str, xml: &str) -> PropertyChange {
        change(path, Change::Assign(Some(sample::value(xml))))
    }

    fn vm() -> Draft {
        Draft::of(Kind::Vm, &MoRef::vm("vm-1"))
    }

    #[test]
    fn a_change_is_taken_refused_unknown_or_only_a_part() {
        let mut draft = vm();
        assert_eq!(draft.apply(&assign("config.hardware.numCPU", "<val>4</val>")), Fate::Taken);
        assert!(matches!(draft.apply(&assign("config.hardware.numCPU", "<val>x</val>")), Fate::Misfit(_)));
        assert_eq!(draft.apply(&assign("config.hardware.device[2000].key", "<val>1</val>")), Fate::Partial);
        assert_eq!(draft.apply(&assign("config", "<val/>")), Fate::Partial);
        assert_eq!(draft.apply(&change("network", Change::Add(sample::value("<val/>")))), Fate::Partial);
        assert_eq!(draft.apply(&assign("config.hardwareX", "<val>1</val>")), Fate::Unknown);
        assert_eq!(draft.apply(&change("config.hardware.numCPU", Change::IndirectRemove)), Fate::Taken);
        assert_eq!(draft, vm());
    }

    #[test]
    fn volatile_fields_are_kept_apart() {
        let mut draft = vm();
        draft.apply(&assign("summary.storage.committed", "<val>9</val>"));
        draft.apply(&assign("name", "<val>web%2f1</val>"));
        let entry = draft.entry(Key::new(Kind::Vm, "vm-1"), "/DC0/vm/web%2f1".to_owned()).unwrap();
        assert_eq!((entry.name.as_str(), &entry.document["path"]), ("web/1", &"/DC0/vm/web%2f1".into()));
        assert_eq!(entry.volatile["storageUsed"], 9);
        assert!(!entry.document.contains_key("storageUsed") && !entry.document.contains_key("balloonedMemory"));
    }

    #[test]
    fn a_stored_document_is_read_as_it_was() {
        let mut draft = vm();
        draft.apply(&assign("config.hardware.memoryMB", "<val>512</val>"));
        let entry = draft.clone().entry(Key::new(Kind::Vm, "vm-1"), String::new()).unwrap();
        let mut whole = entry.document;
        whole.extend(entry.volatile);
        assert_eq!(Draft::stored(Kind::Vm, Value::Object(whole)).unwrap(), draft);
    }
}
