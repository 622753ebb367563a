//! What is known about a plan's migration, and the report of it at one moment. Pure: fed with what the server told,
//! asked with the time.

mod vm;

use std::collections::BTreeMap;

use forklift_api::labels;
use jiff::Timestamp;
use serde_json::Value;

use super::collection::Collection;
use super::feed::{News, Source, Told};
use super::rate::Rate;
use crate::discovery::name_of;
pub use vm::{Disk, End, Vm};

/// How a migration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All VMs are on the target.
    Succeeded,
    /// At least one is not.
    Failed,
    /// Somebody ended it.
    Canceled,
}

/// The state at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// When.
    pub at: Timestamp,
    /// Name of the plan.
    pub plan: String,
    /// The plan is not there any more.
    pub plan_deleted: bool,
    /// Plan and migration in one line; empty before anything is known.
    pub headline: String,
    /// The VMs, by name.
    pub vms: Vec<Vm>,
    /// Set when it has ended.
    pub outcome: Option<Outcome>,
}

/// Everything that was told.
#[derive(Debug)]
pub struct Progress {
    namespace: String,
    name: String,
    plans: Collection,
    migrations: Collection,
    imports: Collection,
    rates: BTreeMap<String, Rate>,
    followed: Option<String>,
}

impl Progress {
    /// Nothing is known yet.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            plans: Collection::default(),
            migrations: Collection::default(),
            imports: Collection::default(),
            rates: BTreeMap::new(),
            followed: None,
        }
    }

    /// Takes in what was told.
    pub fn tell(&mut self, told: Told) {
        let collection = match told.source {
            Source::Plans => &mut self.plans,
            Source::Migrations => &mut self.migrations,
            Source::Imports => &mut self.imports,
        };
        match told.news {
            News::Begin => collection.begin(),
            News::Change(change) => collection.change(change),
            News::List(list) => collection.replace(&list),
        }
    }

    /// The state now. Until all that was there at the start is known, it has no outcome.
    pub fn report(&mut self, now: Timestamp) -> Report {
        let known = [&self.plans, &self.migrations, &self.imports].iter().all(|c| c.is_complete());
        let plan =
            self.plans.objects().find(|plan| name_of(plan) == (self.name.as_str(), self.namespace.as_str())).cloned();
        let migration = self.migration();
        self.followed =
            migration.as_ref().filter(|_| known).map(|migration| uid(migration).to_owned()).or(self.followed.take());
        let vms = migration.as_ref().map(|migration| self.vms(migration, now)).unwrap_or_default();
        Report {
            at: now,
            plan: self.name.clone(),
            plan_deleted: known && plan.is_none(),
            headline: headline(plan.as_ref(), migration.as_ref()),
            vms,
            outcome: migration.as_ref().filter(|_| known).and_then(outcome),
        }
    }

    /// The migration to follow: the one followed so far; else one that runs; else the newest, but not one that
    /// was refused because another ran.
    fn migration(&self) -> Option<Value> {
        let ours = |migration: &&Value| {
            let plan = &migration["spec"]["plan"];
            let namespace = plan["namespace"].as_str().unwrap_or(name_of(migration).1);
            plan["name"] == self.name && namespace == self.namespace
        };
        let followed = self.migrations.objects().find(|migration| Some(uid(migration)) == self.followed.as_deref());
        let order = |migration: &&Value| {
            let refused = outcome(migration).is_some() && migration["status"]["started"].is_null();
            let created = migration["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
            (holds(migration, "Running").is_some(), !refused, created)
        };
        followed.or_else(|| self.migrations.objects().filter(ours).max_by_key(order)).cloned()
    }

    fn vms(&mut self, migration: &Value, now: Timestamp) -> Vec<Vm> {
        let uid = uid(migration);
        let ours = |import: &&Value| import["metadata"]["labels"][labels::MIGRATION] == uid;
        let mut vms: Vec<Vm> = self.imports.objects().filter(ours).map(vm::read).collect();
        for vm in &mut vms {
            let rate = self.rates.entry(vm.id.clone()).or_default();
            let done = vm.disks.iter().map(|disk| disk.done).sum();
            rate.add(now, done);
            vm.rate = rate.per_second(now).filter(|_| vm.end.is_none());
        }
        vms.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        vms
    }
}

fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

fn conditions(object: &Value) -> &[Value] {
    object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The condition of this type, if it is True.
fn holds<'a>(object: &'a Value, type_: &str) -> Option<&'a Value> {
    conditions(object).iter().find(|condition| condition["type"] == type_ && condition["status"] == "True")
}

fn outcome(migration: &Value) -> Option<Outcome> {
    let ends = [("Succeeded", Outcome::Succeeded), ("Failed", Outcome::Failed), ("Canceled", Outcome::Canceled)];
    ends.into_iter().find(|(type_, _)| holds(migration, type_).is_some()).map(|(_, outcome)| outcome)
}

/// Messages of what blocks an object.
fn blocking(object: &Value) -> Vec<&str> {
    let blocks = |condition: &&Value| {
        condition["status"] == "True" && matches!(condition["category"].as_str(), Some("Critical" | "Error"))
    };
    conditions(object).iter().filter(blocks).filter_map(|condition| condition["message"].as_str()).collect()
}

fn headline(plan: Option<&Value>, migration: Option<&Value>) -> String {
    let Some(plan) = plan else { return String::new() };
    let name = migration.map(|migration| name_of(migration).0).unwrap_or_default();
    let end = |type_: &str| migration.and_then(|migration| holds(migration, type_));
    if let Some((word, condition)) = ["Succeeded", "Failed", "Canceled"].iter().find_map(|t| end(t).map(|c| (*t, c))) {
        let message = condition["message"].as_str().unwrap_or_default();
        return format!("migration {name} {}: {message}", word.to_lowercase());
    }
    if end("Running").is_some() {
        return format!("migration {name} runs");
    }
    let blocked = [migration.map(blocking).unwrap_or_default(), blocking(plan)].concat();
    match (migration, blocked.is_empty()) {
        (Some(_), true) => format!("migration {name} is about to start"),
        (Some(_), false) => format!("migration {name} waits: {}", blocked.join(" ")),
        (None, false) => format!("not ready: {}", blocked.join(" ")),
        (None, true) if holds(plan, "Ready").is_none() => "not ready yet".to_owned(),
        (None, true) => "ready; nothing on the source changes until a Migration exists".to_owned(),
    }
}

#[cfg(test)]
mod tests;
