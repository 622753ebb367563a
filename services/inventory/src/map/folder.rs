//! Folders, datastore clusters among them.

use contract::vsphere::Folder;
use vsphere::MoRef;

use super::read::{name, put, reference};
use super::{Mapped, Property, place};

impl Mapped for Folder {
    const PROPERTIES: &'static [Property<Self>] = &[
        Property { path: "name", set: |folder, value| put(&mut folder.name, name(value)) },
        Property { path: "parent", set: |folder, value| put(&mut folder.parent, reference(value)) },
    ];

    fn of(reference: &MoRef) -> Self {
        Self { id: reference.value.clone(), ..Self::default() }
    }

    place!();
}
