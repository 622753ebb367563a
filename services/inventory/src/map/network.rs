//! Networks: standard ones and distributed port groups, which have a key and a switch besides.

use contract::vsphere::Network;
use vsphere::{MoRef, Value};

use super::read::{name, put, reference, text};
use super::{Mapped, Misfit, Property, place};

/// What a standard network has; only a distributed port group has all properties of the table.
pub(super) const STANDARD_PATHS: &[&str] = &["name", "parent"];

impl Mapped for Network {
    const PROPERTIES: &'static [Property<Self>] = &[
        Property { path: "name", set: |network, value| put(&mut network.name, name(value)) },
        Property { path: "parent", set: |network, value| put(&mut network.parent, reference(value)) },
        Property { path: "key", set: |network, value| put(&mut network.key, text(value)) },
        Property { path: "config.distributedVirtualSwitch", set: switch },
    ];

    fn of(reference: &MoRef) -> Self {
        let variant = match reference.kind.as_str() {
            "Network" => "Standard",
            "DistributedVirtualPortgroup" => "DvPortGroup",
            other => other,
        };
        Self { id: reference.value.clone(), variant: variant.to_owned(), ..Self::default() }
    }

    place!();
}

fn switch(network: &mut Network, value: Option<&Value>) -> Result<(), Misfit> {
    network.dv_switch = Some(reference(value)?).filter(|switch| !switch.is_none());
    Ok(())
}
