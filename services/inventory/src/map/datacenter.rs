//! Datacenters.

use contract::vsphere::Datacenter;
use vsphere::MoRef;

use super::read::{name, put, reference};
use super::{Mapped, Property, place};

impl Mapped for Datacenter {
    const PROPERTIES: &'static [Property<Self>] = &[
        Property { path: "name", set: |datacenter, value| put(&mut datacenter.name, name(value)) },
        Property { path: "parent", set: |datacenter, value| put(&mut datacenter.parent, reference(value)) },
    ];

    fn of(reference: &MoRef) -> Self {
        Self { id: reference.value.clone(), ..Self::default() }
    }

    place!();
}
