//! From vSphere properties to the documents of the contract: one table a kind, path by path, pure. A property whose
//! value doesn't fit leaves its field as it was and is reported; the others of the object are taken all the same.
//! Unknown types and enumeration values are kept as they come.

mod cluster;
mod datacenter;
mod datastore;
mod device;
mod draft;
mod folder;
mod guest;
mod host;
mod network;
mod read;
#[cfg(test)]
pub(crate) mod sample;
mod vm;

use contract::vsphere::{Cluster, Datacenter, Datastore, Folder, Host, Network, Ref, Vm};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use vsphere::MoRef;

use crate::kind::{Key, Kind};

/// A property's value can't be what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not {expected}")]
pub(crate) struct Misfit {
    /// What it should be.
    pub expected: &'static str,
}

/// One property that is collected, and where it goes.
pub(crate) struct Property<D> {
    /// Its path at the provider.
    pub path: &'static str,
    /// Puts its value, `None` when it is unset, into the document.
    pub set: fn(&mut D, Option<&vsphere::Value>) -> Result<(), Misfit>,
}

/// A kind of document that is made of a vSphere object.
pub(crate) trait Mapped: Serialize + DeserializeOwned + Clone + Default + Send + Sync + 'static {
    /// All that is collected of it.
    const PROPERTIES: &'static [Property<Self>];
    /// Fields that change all the time and raise no revision.
    const VOLATILE: &'static [&'static str] = &[];

    /// A document of which only the reference is known.
    fn of(reference: &MoRef) -> Self;
    /// Where it lies.
    fn place(&mut self) -> Place<'_>;
    /// What other objects show of it.
    fn projection(&self) -> Option<Value> {
        None
    }
    /// The objects it shows.
    fn shows(&self) -> Vec<Key> {
        vec![]
    }
    /// The files of its disks.
    fn disk_files(&self) -> Vec<String> {
        vec![]
    }
    /// Takes out of the document what changes all the time inside a field, and gives the whole field back.
    fn split(_document: &mut Map<String, Value>) -> Map<String, Value> {
        Map::new()
    }
}

/// The fields that every document has.
pub(crate) struct Place<'a> {
    pub name: &'a str,
    pub path: &'a mut String,
    pub parent: &'a Ref,
}

macro_rules! place {
    () => {
        fn place(&mut self) -> crate::map::Place<'_> {
            crate::map::Place { name: &self.name, path: &mut self.path, parent: &self.parent }
        }
    };
}
use place;

/// The kind of an object by its type at the provider; `None` for what is not kept.
pub(crate) fn kind_of(reference: &MoRef) -> Option<Kind> {
    match reference.kind.as_str() {
        "VirtualMachine" => Some(Kind::Vm),
        "HostSystem" => Some(Kind::Host),
        "ClusterComputeResource" => Some(Kind::Cluster),
        "ComputeResource" => Some(Kind::ComputeResource),
        "Network" | "DistributedVirtualPortgroup" | "OpaqueNetwork" => Some(Kind::Network),
        "Datastore" => Some(Kind::Datastore),
        "Folder" | "StoragePod" => Some(Kind::Folder),
        "Datacenter" => Some(Kind::Datacenter),
        _ => None,
    }
}

/// What the collector asks for: each type at the provider with its property paths.
pub(crate) fn wanted() -> Vec<(&'static str, Vec<&'static str>)> {
    fn paths<D>(properties: &[Property<D>]) -> Vec<&'static str> {
        properties.iter().map(|property| property.path).collect()
    }
    vec![
        ("Folder", paths(Folder::PROPERTIES)),
        ("Datacenter", paths(Datacenter::PROPERTIES)),
        ("ClusterComputeResource", paths(Cluster::PROPERTIES)),
        ("ComputeResource", paths(cluster::ComputeResource::PROPERTIES)),
        ("HostSystem", paths(Host::PROPERTIES)),
        ("Datastore", paths(Datastore::PROPERTIES)),
        ("Network", network::STANDARD_PATHS.to_vec()),
        ("DistributedVirtualPortgroup", paths(Network::PROPERTIES)),
        ("VirtualMachine", paths(Vm::PROPERTIES)),
    ]
}

pub(crate) use cluster::ComputeResource;
pub(crate) use draft::{Draft, Fate};
