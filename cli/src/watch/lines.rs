//! A line a change, for logs and pipes: time, VM, phase, every disk, rate, what it waits for.

use std::collections::BTreeMap;

use super::progress::{Disk, End, Report, Vm};
use crate::inventory::bytes;

/// What was written last, so that nothing is written twice.
#[derive(Debug, Default)]
pub struct Lines {
    headline: String,
    vms: BTreeMap<String, String>,
}

impl Lines {
    /// The lines for what changed since the last report.
    pub fn next(&mut self, report: &Report) -> String {
        let time = report.at.round(jiff::Unit::Second).unwrap_or(report.at);
        let mut text = String::new();
        if self.headline != report.headline && !report.headline.is_empty() {
            self.headline.clone_from(&report.headline);
            text.push_str(&format!("{time} plan {}: {}\n", report.plan, report.headline));
        }
        for vm in &report.vms {
            // The rate alone is no change.
            let state = state(&Vm { rate: None, ..vm.clone() });
            if self.vms.insert(vm.id.clone(), state.clone()).as_ref() != Some(&state) {
                text.push_str(&format!("{time} {}\n", self::state(vm)));
            }
        }
        text
    }
}

fn state(vm: &Vm) -> String {
    let mut words = vec![vm.name.clone()];
    match &vm.end {
        Some(End::Succeeded { .. }) => words.push("succeeded".to_owned()),
        Some(End::Failed { phase, message }) => words.push(format!("failed in {phase}: {message}")),
        Some(End::Canceled) => words.push("canceled".to_owned()),
        None => words.push(vm.phase.clone()),
    }
    words.extend(vm.disks.iter().filter(|disk| disk.done > 0).map(disk));
    words.extend(vm.rate.map(|rate| format!("{}/s", bytes(rate))));
    if let (Some(wait), None) = (&vm.wait, &vm.end) {
        words.push(format!("waits for {wait}"));
    }
    words.join("  ")
}

/// `disk-2000 512 MiB/1 GiB 50%`
pub fn disk(disk: &Disk) -> String {
    format!("{} {}/{} {}%", disk.name, bytes(disk.done), bytes(disk.total), percent(disk.done, disk.total))
}

/// Whole percent, 100 only when all is done.
pub fn percent(done: i64, total: i64) -> i64 {
    if total <= 0 { 100 } else { i64::try_from(i128::from(done) * 100 / i128::from(total)).unwrap_or(100) }
}
