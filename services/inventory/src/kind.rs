//! The kinds of objects that an inventory keeps, and what each is called on the bus and in HTTP paths.

use std::fmt;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A virtual machine.
    Vm,
    /// An ESXi host.
    Host,
    /// A cluster of hosts.
    Cluster,
    /// A network or port group.
    Network,
    /// A datastore.
    Datastore,
    /// A folder of the tree.
    Folder,
    /// A datacenter.
    Datacenter,
    /// What a stand-alone host lies in: a node of the tree, neither published nor served.
    ComputeResource,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Vm,
        Self::Host,
        Self::Cluster,
        Self::Network,
        Self::Datastore,
        Self::Folder,
        Self::Datacenter,
        Self::ComputeResource,
    ];

    /// The name in subjects and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Host => "host",
            Self::Cluster => "cluster",
            Self::Network => "network",
            Self::Datastore => "datastore",
            Self::Folder => "folder",
            Self::Datacenter => "datacenter",
            Self::ComputeResource => "computeresource",
        }
    }

    /// The collection in HTTP paths.
    pub fn plural(self) -> String {
        format!("{}s", self.as_str())
    }

    /// The kind of a name in a row.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The published kind of a collection in an HTTP path.
    pub fn of_collection(plural: &str) -> Option<Self> {
        Self::parse(plural.strip_suffix('s')?).filter(|kind| kind.is_published())
    }

    /// Whether its objects go to the bus and to HTTP.
    pub fn is_published(self) -> bool {
        self != Self::ComputeResource
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which object of a provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its id at the provider.
    pub id: String,
}

impl Key {
    /// The object `id` of `kind`.
    pub fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_names() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert_eq!(Kind::of_collection(&kind.plural()), kind.is_published().then_some(kind));
        }
        assert_eq!(Kind::of_collection("vm"), None);
    }
}
