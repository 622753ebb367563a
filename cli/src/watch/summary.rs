//! What is written once at the end: how each VM ended, where it is, how to run it or what to do.

use super::progress::{End, Report, Vm};
use crate::inventory::bytes;

/// One paragraph a VM.
pub fn text(report: &Report) -> String {
    report.vms.iter().map(paragraph).collect()
}

fn paragraph(vm: &Vm) -> String {
    match &vm.end {
        Some(End::Succeeded { manifest, command, proven }) => {
            let total = vm.disks.iter().map(|disk| disk.total).sum();
            let proof = if *proven { ", every disk proven" } else { "" };
            let time = vm.seconds.map(|seconds| format!(" in {seconds} s")).unwrap_or_default();
            let mut text =
                format!("\n{}: migrated{time}; {} disks, {}{proof}\n", vm.name, vm.disks.len(), bytes(total));
            for (what, value) in [("manifest", manifest), ("run it with", command)] {
                text.extend(value.as_ref().map(|value| format!("  {what}: {value}\n")));
            }
            text
        }
        Some(End::Failed { phase, message }) => format!("\n{}: failed in {phase}\n  {message}\n", vm.name),
        Some(End::Canceled) => format!("\n{}: canceled\n", vm.name),
        None => format!("\n{}: not ended, in phase {}\n", vm.name, vm.phase),
    }
}
