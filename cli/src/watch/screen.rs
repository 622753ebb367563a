//! One picture that is drawn over the last one, for a terminal. No colours, so there is nothing to turn off.

use super::lines::{disk, percent};
use super::progress::{End, Report, Vm};
use crate::get::table;
use crate::inventory::bytes;

/// Cells of a full progress bar.
const BAR: i64 = 20;

/// What is on the terminal now.
#[derive(Debug, Default)]
pub struct Screen {
    drawn: usize,
    last: String,
}

impl Screen {
    /// What to write so that the terminal shows `report`: up over the last picture, clear, draw.
    pub fn frame(&mut self, report: &Report) -> String {
        let picture = picture(report);
        if picture == self.last || report.headline.is_empty() {
            return String::new();
        }
        let up = if self.drawn > 0 { format!("\x1b[{}F", self.drawn) } else { String::new() };
        self.drawn = picture.lines().count();
        self.last.clone_from(&picture);
        format!("{up}\x1b[J{picture}")
    }
}

fn picture(report: &Report) -> String {
    let mut text = format!("plan {}: {}\n", report.plan, report.headline);
    if report.vms.is_empty() {
        return text;
    }
    let mut rows = vec![["VM", "PHASE", "COPIED", "RATE", "STATE"].map(String::from).to_vec()];
    for vm in &report.vms {
        rows.push(row(vm));
        if vm.end.is_none() {
            rows.extend(
                vm.disks.iter().filter(|one| one.done > 0).map(|one| {
                    vec![String::new(), String::new(), format!("{} {}", bar(one.done, one.total), disk(one))]
                }),
            );
        }
    }
    text.push_str(&table::render(&rows));
    text
}

fn row(vm: &Vm) -> Vec<String> {
    let (done, total) = vm.disks.iter().fold((0, 0), |(done, total), disk| (done + disk.done, total + disk.total));
    let copied = if done > 0 {
        format!("{} of {}, {}%", bytes(done), bytes(total), percent(done, total))
    } else {
        String::new()
    };
    let state = match (&vm.end, &vm.wait) {
        (Some(End::Succeeded { .. }), _) => "succeeded".to_owned(),
        (Some(End::Failed { message, .. }), _) => format!("failed: {message}"),
        (Some(End::Canceled), _) => "canceled".to_owned(),
        (None, Some(wait)) => format!("waits for {wait}"),
        (None, None) => String::new(),
    };
    let rate = vm.rate.map(|rate| format!("{}/s", bytes(rate))).unwrap_or_default();
    vec![vm.name.clone(), vm.phase.clone(), copied, rate, state]
}

fn bar(done: i64, total: i64) -> String {
    let full = usize::try_from(percent(done, total) * BAR / 100).unwrap_or_default();
    let rest = usize::try_from(BAR).unwrap_or_default().saturating_sub(full);
    format!("[{}{}]", "#".repeat(full), ".".repeat(rest))
}
