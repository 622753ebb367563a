//! The tree of a provider's objects, from which paths are computed: `/DC0/vm/folder/name`. Pure; names are kept as
//! vCenter writes them in paths (a `/` in a name is `%2f`).

use std::collections::{BTreeSet, HashMap};

use crate::database::Node;
use crate::kind::Key;

/// Deeper than any vCenter allows; ends a loop in broken data.
const MAX_DEPTH: usize = 64;

/// All nodes of one provider by id: managed object ids are unique in a vCenter, whatever their type.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: HashMap<String, Place>,
    children: HashMap<String, BTreeSet<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    key: Key,
    name: String,
    parent: String,
}

impl Tree {
    /// The tree of the given nodes.
    pub fn new(nodes: impl IntoIterator<Item = Node>) -> Self {
        let mut tree = Self::default();
        for node in nodes {
            tree.set(node.key, &node.name, &node.parent);
        }
        tree
    }

    /// Puts a node in its place. Returns whether its name or place changed.
    pub fn set(&mut self, key: Key, name: &str, parent: &str) -> bool {
        let place = Place { key, name: name.to_owned(), parent: parent.to_owned() };
        let id = place.key.id.clone();
        let before = self.nodes.get(&id);
        if before == Some(&place) {
            return false;
        }
        if let Some(before) = before {
            let siblings = self.children.get_mut(&before.parent);
            siblings.map(|siblings| siblings.remove(&id));
        }
        self.children.entry(place.parent.clone()).or_default().insert(id.clone());
        self.nodes.insert(id, place);
        true
    }

    /// Takes a node out; what lies in it stays until it is moved or taken out itself.
    pub fn remove(&mut self, id: &str) {
        if let Some(place) = self.nodes.remove(id)
            && let Some(siblings) = self.children.get_mut(&place.parent)
        {
            siblings.remove(id);
        }
    }

    /// The name of a node.
    pub fn name(&self, id: &str) -> Option<&str> {
        self.nodes.get(id).map(|place| place.name.as_str())
    }

    /// The path of a node; `/` for the root, which has no parent.
    pub fn path(&self, id: &str) -> String {
        let mut names = Vec::new();
        let mut next = id;
        while let Some(place) = self.nodes.get(next) {
            if place.parent.is_empty() || names.len() == MAX_DEPTH {
                break;
            }
            names.push(place.name.as_str());
            next = &place.parent;
        }
        if names.is_empty() {
            return "/".to_owned();
        }
        names.iter().rev().fold(String::new(), |path, name| path + "/" + name)
    }

    /// Everything that lies in a node, directly or deeper.
    pub fn below(&self, id: &str) -> Vec<Key> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            for child in self.children.get(id).into_iter().flatten() {
                if seen.insert(child) {
                    found.extend(self.nodes.get(child).map(|place| place.key.clone()));
                    open.push(child);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        for (kind, id, name, parent) in [
            (Kind::Vm, "vm-1", "db", "group-v2"),
            (Kind::Folder, "group-v2", "prod%2feu", "group-v1"),
            (Kind::Folder, "group-v1", "vm", "datacenter-2"),
            (Kind::Datacenter, "datacenter-2", "DC0", "group-d1"),
            (Kind::Folder, "group-d1", "Datacenters", ""),
        ] {
            tree.set(Key::new(kind, id), name, parent);
        }
        tree
    }

    #[test]
    fn a_path_names_all_but_the_root() {
        let tree = tree();
        assert_eq!(tree.path("vm-1"), "/DC0/vm/prod%2feu/db");
        assert_eq!(tree.path("datacenter-2"), "/DC0");
        assert_eq!(tree.path("group-d1"), "/");
    }

    #[test]
    fn a_renamed_folder_changes_what_lies_in_it_only() {
        let mut tree = tree();
        assert!(tree.set(Key::new(Kind::Folder, "group-v2"), "test", "group-v1"));
        assert!(!tree.set(Key::new(Kind::Folder, "group-v2"), "test", "group-v1"));
        assert_eq!(tree.below("group-v2"), [Key::new(Kind::Vm, "vm-1")]);
        assert_eq!(tree.path("vm-1"), "/DC0/vm/test/db");
    }

    #[test]
    fn a_moved_node_leaves_its_old_place() {
        let mut tree = tree();
        tree.set(Key::new(Kind::Vm, "vm-1"), "db", "group-v1");
        assert_eq!(tree.below("group-v2"), []);
        assert_eq!(tree.path("vm-1"), "/DC0/vm/db");
        tree.remove("vm-1");
        assert_eq!(tree.below("group-v1"), [Key::new(Kind::Folder, "group-v2")]);
    }

    #[test]
    fn a_loop_in_broken_data_ends() {
        let mut tree = Tree::default();
        tree.set(Key::new(Kind::Folder, "a"), "a", "b");
        tree.set(Key::new(Kind::Folder, "b"), "b", "a");
        assert!(tree.path("a").len() <= 2 * MAX_DEPTH);
        assert_eq!(tree.below("a"), [Key::new(Kind::Folder, "b")]);
    }
}
