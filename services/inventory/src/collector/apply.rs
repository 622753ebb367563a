//! What a set of updates means: new rows, new paths, removals, and objects that have to be read anew. Pure but for
//! the tree, which it keeps up to date; one bad object or property never loses the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use vsphere::{Change, MoRef, ObjectUpdate, PropertyChange, UpdateKind};

use crate::database::Batch;
use crate::kind::Key;
use crate::map::{Draft, Fate, kind_of};
use crate::tree::Tree;

/// What a set of updates means.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// For the database, in one transaction.
    pub batch: Batch,
    /// Objects of which too little is known.
    pub reread: Vec<MoRef>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
}

/// Something that could not be understood; the rest of its object is taken all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Which object.
    pub key: Key,
    /// Which property, if it was one.
    pub path: Option<String>,
    /// What is wrong.
    pub cause: String,
}

/// The objects that a set of updates changes without telling all of them: their documents are needed.
pub(crate) fn needed(updates: &[ObjectUpdate]) -> Vec<Key> {
    let modified = updates.iter().filter(|update| update.kind == UpdateKind::Modify);
    let keys: BTreeSet<Key> = modified.filter_map(|update| key_of(&update.reference)).collect();
    keys.into_iter().collect()
}

fn key_of(reference: &MoRef) -> Option<Key> {
    Some(Key::new(kind_of(reference)?, &reference.value))
}

/// Works out what `updates` mean for the objects whose stored documents are given.
pub(crate) fn apply(
    tree: &mut Tree,
    documents: &HashMap<Key, Value>,
    updates: &[ObjectUpdate],
    listing: i64,
) -> Applied {
    let mut work = Work { tree, documents, drafts: BTreeMap::new(), moved: vec![], applied: Applied::default() };
    work.applied.batch.listing = listing;
    for update in updates {
        let Some(key) = key_of(&update.reference) else { continue };
        match update.kind {
            UpdateKind::Leave => work.leave(key),
            UpdateKind::Enter => work.change(key.clone(), Draft::of(key.kind, &update.reference), update),
            UpdateKind::Modify => match work.current(&key) {
                Some(draft) => work.change(key, draft, update),
                None => work.read_anew(key, update),
            },
        }
    }
    work.finish()
}

struct Work<'a> {
    tree: &'a mut Tree,
    documents: &'a HashMap<Key, Value>,
    drafts: BTreeMap<Key, Draft>,
    moved: Vec<String>,
    applied: Applied,
}

impl Work<'_> {
    fn current(&self, key: &Key) -> Option<Draft> {
        let stored = || Draft::stored(key.kind, self.documents.get(key)?.clone()).ok();
        self.drafts.get(key).cloned().or_else(stored)
    }

    fn leave(&mut self, key: Key) {
        self.drafts.remove(&key);
        self.tree.remove(&key.id);
        self.applied.batch.gone.push(key);
    }

    fn read_anew(&mut self, key: Key, update: &ObjectUpdate) {
        if !self.applied.reread.contains(&update.reference) {
            self.applied.reread.push(update.reference.clone());
        }
        self.applied.batch.seen.push(key);
    }

    fn change(&mut self, key: Key, mut draft: Draft, update: &ObjectUpdate) {
        let mut partial = false;
        for change in &update.changes {
            match draft.apply(change) {
                Fate::Taken | Fate::Unknown => {}
                Fate::Partial => partial = true,
                Fate::Misfit(misfit) => {
                    let path = Some(change.path.clone());
                    self.applied.problems.push(Problem { key: key.clone(), path, cause: misfit.to_string() });
                }
            }
        }
        for missing in &update.missing {
            let (path, cause) = (Some(missing.path.clone()), format!("withheld by the server: {}", missing.fault));
            self.applied.problems.push(Problem { key: key.clone(), path, cause });
        }
        let name =
            update.changes.iter().rev().find_map(raw_name).or_else(|| self.tree.name(&key.id).map(str::to_owned));
        if self.tree.set(key.clone(), &name.unwrap_or_default(), &draft.parent()) {
            self.moved.push(key.id.clone());
        }
        if partial {
            self.read_anew(key.clone(), update);
        }
        self.drafts.insert(key, draft);
    }

    fn finish(mut self) -> Applied {
        let below: BTreeSet<Key> = self.moved.iter().flat_map(|id| self.tree.below(id)).collect();
        let others = below.into_iter().filter(|key| !self.drafts.contains_key(key));
        self.applied.batch.paths = others.map(|key| (key.clone(), self.tree.path(&key.id))).collect();
        for (key, draft) in self.drafts {
            let path = self.tree.path(&key.id);
            match draft.entry(key.clone(), path) {
                Ok(entry) => self.applied.batch.entries.push(entry),
                Err(error) => {
                    self.applied.batch.seen.push(key.clone());
                    self.applied.problems.push(Problem { key, path: None, cause: error.to_string() });
                }
            }
        }
        self.applied
    }
}

/// The name as vCenter writes it in paths.
fn raw_name(change: &PropertyChange) -> Option<String> {
    match &change.change {
        Change::Assign(Some(value)) if change.path == "name" => value.as_str().map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::map::sample;

    fn update(kind: UpdateKind, reference: MoRef, changes: &[(&str, &str)]) -> ObjectUpdate {
        let change = |(path, xml): &(&str, &str)| PropertyChange {
            path: (*path).to_owned(),
            change: Change::Assign(Some(sample::value(xml))),
        };
        ObjectUpdate { reference, kind, changes: changes.iter().map(change).collect(), missing: vec![] }
    }

    fn folder(id: &str, name: &str, parent: &str) -> ObjectUpdate {
        let parent = format!("<val type=\"Folder\">{parent}</val>");
        let name = format!("<val>{name}</val>");
        update(UpdateKind::Enter, MoRef::new("Folder", id), &[("name", &name), ("parent", &parent)])
    }

    fn vm(kind: UpdateKind, changes: &[(&str, &str)]) -> ObjectUpdate {
        update(kind, MoRef::vm("vm-1"), changes)
    }

    /// A tree with root, a folder in it and a VM in that, and the documents of all.
    fn known() -> (Tree, HashMap<Key, Value>) {
        let mut tree = Tree::default();
        let root = update(UpdateKind::Enter, MoRef::new("Folder", "root"), &[("name", "<val>Datacenters</val>")]);
        let web = [("name", "<val>web%2f1</val>"), ("parent", "<val type=\"Folder\">a</val>")];
        let updates = [vm(UpdateKind::Enter, &web), folder("a", "prod", "root"), root];
        let applied = apply(&mut tree, &HashMap::new(), &updates, 1);
        let whole = |entry: crate::database::Entry| {
            let mut document = entry.document;
            document.extend(entry.volatile);
            (entry.key, Value::Object(document))
        };
        (tree, applied.batch.entries.into_iter().map(whole).collect())
    }

    #[test]
    fn paths_are_right_in_whatever_order_a_set_comes() {
        let (_, documents) = known();
        let vm = &documents[&Key::new(Kind::Vm, "vm-1")];
        assert_eq!((&vm["path"], &vm["name"]), (&"/prod/web%2f1".into(), &"web/1".into()));
        assert_eq!(documents[&Key::new(Kind::Folder, "root")]["path"], "/");
    }

    #[test]
    fn a_renamed_folder_gives_its_vms_new_paths_and_nothing_else() {
        let (mut tree, documents) = known();
        let rename = update(UpdateKind::Modify, MoRef::new("Folder", "a"), &[("name", "<val>test</val>")]);
        let applied = apply(&mut tree, &documents, &[rename], 2);
        assert_eq!(applied.batch.paths, [(Key::new(Kind::Vm, "vm-1"), "/test/web%2f1".to_owned())]);
        assert_eq!(applied.batch.entries.len(), 1);
        assert_eq!(applied.batch.listing, 2);
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let (mut tree, documents) = known();
        let applied =
            apply(&mut tree, &documents, &[vm(UpdateKind::Modify, &[("config.hardware.numCPU", "<val>8</val>")])], 1);
        let entry = &applied.batch.entries[0];
        assert_eq!((entry.name.as_str(), entry.path.as_str(), entry.parent.as_str()), ("web/1", "/prod/web%2f1", "a"));
        assert_eq!(entry.document["cpuCount"], 8);
        assert!(applied.reread.is_empty() && applied.problems.is_empty());
    }

    #[test]
    fn an_entering_object_forgets_what_was_stored() {
        let (mut tree, mut documents) = known();
        documents.get_mut(&Key::new(Kind::Vm, "vm-1")).unwrap()["firmware"] = "efi".into();
        let applied = apply(&mut tree, &documents, &[vm(UpdateKind::Enter, &[("name", "<val>web</val>")])], 1);
        assert_eq!(applied.batch.entries[0].document["firmware"], "");
    }

    #[test]
    fn a_bad_property_is_reported_and_loses_neither_its_object_nor_others() {
        let (mut tree, documents) = known();
        let bad = [("config.hardware.memoryMB", "<val>lots</val>"), ("config.hardware.numCPU", "<val>2</val>")];
        let updates = [vm(UpdateKind::Modify, &bad), folder("b", "new", "root")];
        let applied = apply(&mut tree, &documents, &updates, 1);
        assert_eq!(applied.batch.entries.len(), 2);
        assert_eq!(applied.batch.entries[0].document["cpuCount"], 2);
        assert_eq!(applied.problems[0].path.as_deref(), Some("config.hardware.memoryMB"));
    }

    #[test]
    fn what_is_not_known_well_enough_is_read_anew_and_counts_as_seen() {
        let (mut tree, documents) = known();
        let unknown = update(UpdateKind::Modify, MoRef::vm("vm-9"), &[("config.hardware.numCPU", "<val>2</val>")]);
        let part = vm(UpdateKind::Modify, &[("config.hardware.device[2000].backing.changeId", "<val>7</val>")]);
        let applied = apply(&mut tree, &documents, &[unknown, part], 1);
        assert_eq!(applied.reread, [MoRef::vm("vm-9"), MoRef::vm("vm-1")]);
        assert_eq!(applied.batch.seen.len(), 2);
    }

    #[test]
    fn an_object_that_leaves_is_gone_even_if_it_changed_before() {
        let (mut tree, documents) = known();
        let leave = || ObjectUpdate { kind: UpdateKind::Leave, ..vm(UpdateKind::Leave, &[]) };
        let updates = [vm(UpdateKind::Modify, &[("config.template", "<val>true</val>")]), leave()];
        let applied = apply(&mut tree, &documents, &updates, 1);
        assert_eq!((applied.batch.entries.len(), applied.batch.gone), (0, vec![Key::new(Kind::Vm, "vm-1")]));
        assert!(tree.below("root").iter().all(|key| key.kind != Kind::Vm));
        assert_eq!(needed(&updates), [Key::new(Kind::Vm, "vm-1")]);
    }

    #[test]
    fn an_object_of_another_kind_is_passed_over() {
        let pool = update(UpdateKind::Enter, MoRef::new("ResourcePool", "resgroup-1"), &[("name", "<val>x</val>")]);
        assert!(apply(&mut Tree::default(), &HashMap::new(), &[pool], 1).batch.entries.is_empty());
    }
}
