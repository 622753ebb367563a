//! Which waiting VMs may start now. Pure: the limits are Forklift's in-flight counts, per ESXi host, per
//! datastore, per provider and in all; a VM counts once for each of its disks. One VM is never migrated twice at a
//! time.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

/// How much may run at the same time, counted in disks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// VMs in all: no more than transfer workers take jobs, for a VM is shut down as soon as it has its turn.
    pub vms: usize,
    /// Disks of VMs on one ESXi host (NFC and datastore reads go through it).
    pub per_host: usize,
    /// Disks read from one datastore.
    pub per_datastore: usize,
    /// Disks of one provider.
    pub per_provider: usize,
    /// Disks in all.
    pub total: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { vms: 2, per_host: 20, per_datastore: 20, per_provider: 40, total: 80 }
    }
}

/// What one VM weighs, running or waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// UID of its VirtualMachineImport.
    pub import: String,
    /// Its provider.
    pub provider: String,
    /// The VM at its provider.
    pub vm: String,
    /// Id of the ESXi host.
    pub host: String,
    /// Ids of the datastores, one entry a disk.
    pub datastores: Vec<String>,
}

/// Why a VM has to wait, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The limit that is reached: `host`, `datastore`, `provider`, `total`, `vms`, or `vm` for another migration of the VM.
    pub limit: &'static str,
    /// What it applies to; empty for `total`.
    pub of: String,
    /// The limit's value, in disks.
    pub max: usize,
}

#[derive(Default)]
struct Usage<'a> {
    counts: HashMap<(&'static str, &'a str), usize>,
    vms: HashSet<(&'a str, &'a str)>,
}

impl<'a> Usage<'a> {
    fn claims(load: &'a Load) -> HashMap<(&'static str, &'a str), usize> {
        let disks = load.datastores.len().max(1);
        let mut claims =
            HashMap::from([(("host", load.host.as_str()), disks), (("provider", load.provider.as_str()), disks)]);
        claims.insert(("total", ""), disks);
        for datastore in &load.datastores {
            *claims.entry(("datastore", datastore.as_str())).or_default() += 1;
        }
        claims
    }

    fn add(&mut self, load: &'a Load) {
        self.vms.insert((&load.provider, &load.vm));
        for (key, count) in Self::claims(load) {
            *self.counts.entry(key).or_default() += count;
        }
    }

    /// A VM with more disks than a limit runs when it is alone there; it would never run otherwise.
    fn refusal(&self, load: &'a Load, limits: &Limits) -> Option<Queued> {
        if self.vms.contains(&(load.provider.as_str(), load.vm.as_str())) {
            return Some(Queued { limit: "vm", of: load.vm.clone(), max: 1 });
        }
        if self.vms.len() >= limits.vms {
            return Some(Queued { limit: "vms", of: String::new(), max: limits.vms });
        }
        let mut refusals: Vec<Queued> = Self::claims(load)
            .into_iter()
            .filter_map(|((limit, of), claim)| {
                let max = match limit {
                    "host" => limits.per_host,
                    "datastore" => limits.per_datastore,
                    "provider" => limits.per_provider,
                    _ => limits.total,
                };
                let used = self.counts.get(&(limit, of)).copied().unwrap_or(0);
                (used > 0 && used + claim > max).then(|| Queued { limit, of: of.to_owned(), max })
            })
            .collect();
        refusals.sort_by(|a, b| (a.limit, &a.of).cmp(&(b.limit, &b.of)));
        refusals.into_iter().next()
    }
}

/// Walks `waiting` in its order once and says of each whether it starts (`None`) or what it waits for.
pub fn schedule<'a>(running: &'a [Load], waiting: &'a [Load], limits: &Limits) -> Vec<(&'a Load, Option<Queued>)> {
    let mut usage = Usage::default();
    running.iter().for_each(|load| usage.add(load));
    waiting
        .iter()
        .map(|load| {
            let refusal = usage.refusal(load, limits);
            if refusal.is_none() {
                usage.add(load);
            }
            (load, refusal)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(import: &str, host: &str, disks: usize) -> Load {
        Load {
            import: import.into(),
            provider: "p".into(),
            vm: format!("vm of {import}"),
            host: host.into(),
            datastores: vec!["ds".into(); disks],
        }
    }

    fn limits(per_host: usize) -> Limits {
        Limits { vms: 1000, per_host, per_datastore: 100, per_provider: 100, total: 100 }
    }

    #[test]
    fn a_full_host_makes_others_wait_and_says_why() {
        let (running, waiting) = ([load("a", "h1", 2)], [load("b", "h1", 1), load("c", "h2", 1)]);
        let plan = schedule(&running, &waiting, &limits(2));
        assert_eq!(plan[0].1, Some(Queued { limit: "host", of: "h1".into(), max: 2 }));
        assert_eq!(plan[1].1, None);
    }

    #[test]
    fn a_vm_with_more_disks_than_the_limit_runs_alone() {
        let waiting = [load("big", "h1", 5), load("small", "h1", 1)];
        let plan = schedule(&[], &waiting, &limits(2));
        assert!(plan[0].1.is_none());
        assert!(plan[1].1.is_some());
    }

    #[test]
    fn one_vm_is_not_migrated_twice_at_a_time() {
        let running = [load("a", "h1", 1)];
        let again = [Load { import: "b".into(), ..running[0].clone() }];
        let plan = schedule(&running, &again, &limits(20));
        assert_eq!(plan[0].1, Some(Queued { limit: "vm", of: "vm of a".into(), max: 1 }));
    }

    #[test]
    fn no_more_vms_start_than_workers_take() {
        let waiting: Vec<Load> = (0..3).map(|n| load(&format!("vm{n}"), "h1", 1)).collect();
        let plan = schedule(&[], &waiting, &Limits { vms: 2, ..limits(20) });
        let queued = Some(Queued { limit: "vms", of: String::new(), max: 2 });
        assert_eq!(plan.into_iter().map(|(_, queued)| queued).collect::<Vec<_>>(), [None, None, queued]);
    }

    #[test]
    fn starts_within_one_round_count_against_each_other() {
        let waiting: Vec<Load> = (0..500).map(|n| load(&format!("vm{n}"), &format!("h{}", n % 5), 1)).collect();
        let starts = schedule(&[], &waiting, &limits(20)).into_iter().filter(|(_, queued)| queued.is_none()).count();
        assert_eq!(starts, 100);
    }
}
