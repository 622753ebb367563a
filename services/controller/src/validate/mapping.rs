//! What a map's source items mean in the inventory, and where a source network or datastore goes.

use contract::vsphere::{Datastore, Network};
use forklift_api::network_map::{NetworkPair, NetworkType};
use forklift_api::storage_map::StoragePair;

use crate::index::ProviderIndex;
use crate::vm::manifest::NicTarget;

/// A source object that a user named.
pub trait Named {
    /// Managed object id.
    fn id(&self) -> &str;
    /// Name.
    fn name(&self) -> &str;
    /// Inventory path.
    fn path(&self) -> &str;
}

macro_rules! named {
    ($($type:ty),*) => {$(
        impl Named for $type {
            fn id(&self) -> &str {
                &self.id
            }
            fn name(&self) -> &str {
                &self.name
            }
            fn path(&self) -> &str {
                &self.path
            }
        }
    )*};
}
named!(Network, Datastore, contract::vsphere::Vm);

/// What an id or name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<'a, T> {
    /// Exactly one object.
    One(&'a T),
    /// Nothing.
    None,
    /// Several; their paths.
    Many(Vec<String>),
}

/// Finds an object by id, else by name, else by the end of its inventory path (`/DC/folder/name` or `folder/name`).
pub fn find<'a, T: Named + 'a>(
    objects: impl Iterator<Item = &'a T> + Clone,
    id: Option<&str>,
    name: Option<&str>,
) -> Lookup<'a, T> {
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        return objects.clone().find(|object| object.id() == id).map_or(Lookup::None, Lookup::One);
    }
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Lookup::None;
    };
    let suffix = format!("/{}", name.trim_start_matches('/'));
    let whole = name.starts_with('/');
    let found: Vec<&T> =
        objects
            .filter(|object| {
                if whole { object.path() == name } else { object.name() == name || object.path().ends_with(&suffix) }
            })
            .collect();
    match found.as_slice() {
        [] => Lookup::None,
        [one] => Lookup::One(one),
        many => Lookup::Many(many.iter().map(|object| object.path().to_owned()).collect()),
    }
}

/// Where cards on `network` go: one entry a pair that names it, in the map's order.
pub fn network_targets(inventory: &ProviderIndex, map: &[NetworkPair], network: &str) -> Vec<NicTarget> {
    let names_it = |pair: &&NetworkPair| {
        let source = &pair.source;
        matches!(find(inventory.networks.values(), source.id.as_deref(), source.name.as_deref()), Lookup::One(found) if found.id == network)
    };
    map.iter().filter(names_it).map(nic_target).collect()
}

fn nic_target(pair: &NetworkPair) -> NicTarget {
    let destination = &pair.destination;
    match destination.type_ {
        NetworkType::Pod => NicTarget::Pod,
        NetworkType::Ignored => NicTarget::Ignored,
        NetworkType::Multus => {
            let name = destination.name.clone().unwrap_or_default();
            let network_name = match destination.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
                Some(namespace) => format!("{namespace}/{name}"),
                None => name,
            };
            NicTarget::Multus { network_name }
        }
    }
}

/// Storage class for disks on `datastore`.
pub fn storage_class<'a>(inventory: &ProviderIndex, map: &'a [StoragePair], datastore: &str) -> Option<&'a str> {
    let names_it = |pair: &&StoragePair| {
        let source = &pair.source;
        matches!(find(inventory.datastores.values(), source.id.as_deref(), source.name.as_deref()), Lookup::One(found) if found.id == datastore)
    };
    map.iter().find(names_it).map(|pair| pair.destination.storage_class.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(id: &str, name: &str, path: &str) -> Network {
        Network { id: id.into(), name: name.into(), path: path.into(), ..Network::default() }
    }

    #[test]
    fn an_object_is_found_by_id_name_or_end_of_path() {
        let all = [
            network("n-1", "lan", "/DC/net/lan"),
            network("n-2", "lan", "/DC/lab/lan"),
            network("n-3", "dmz", "/DC/net/dmz"),
        ];
        assert_eq!(find(all.iter(), Some("n-2"), Some("dmz")), Lookup::One(&all[1]), "an id wins");
        assert_eq!(find(all.iter(), None, Some("dmz")), Lookup::One(&all[2]));
        assert_eq!(find(all.iter(), None, Some("lab/lan")), Lookup::One(&all[1]));
        assert_eq!(find(all.iter(), None, Some("/DC/net/lan")), Lookup::One(&all[0]));
        assert_eq!(find(all.iter(), None, Some("lan")), Lookup::Many(vec!["/DC/net/lan".into(), "/DC/lab/lan".into()]));
        assert_eq!(find(all.iter(), None, Some("an")), Lookup::None);
        assert_eq!(find(all.iter(), None, None), Lookup::None);
    }
}
