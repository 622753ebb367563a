//! Datastores. Free space is volatile.

use contract::vsphere::Datastore;
use vsphere::MoRef;

use super::read::{integer, name, put, reference, text};
use super::{Mapped, Property, place};

impl Mapped for Datastore {
    const PROPERTIES: &'static [Property<Self>] = &[
        Property { path: "name", set: |datastore, value| put(&mut datastore.name, name(value)) },
        Property { path: "parent", set: |datastore, value| put(&mut datastore.parent, reference(value)) },
        Property { path: "summary.type", set: |datastore, value| put(&mut datastore.kind, text(value)) },
        Property { path: "summary.capacity", set: |datastore, value| put(&mut datastore.capacity, integer(value)) },
        Property { path: "summary.freeSpace", set: |datastore, value| put(&mut datastore.free, integer(value)) },
        Property {
            path: "summary.maintenanceMode",
            set: |datastore, value| put(&mut datastore.maintenance, text(value)),
        },
    ];
    const VOLATILE: &'static [&'static str] = &["free"];

    fn of(reference: &MoRef) -> Self {
        Self { id: reference.value.clone(), ..Self::default() }
    }

    place!();
}
