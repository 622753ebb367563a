//! A migration as the server tells it, and what is shown of it.
#![expect(clippy::needless_pass_by_value, reason = "a literal reads best where it is used")]

use serde_json::json;

use super::*;
use crate::watch::lines::Lines;
use crate::watch::screen::Screen;
use crate::watch::summary;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn begun() -> Progress {
    let mut progress = Progress::new("east", "web");
    for source in [Source::Plans, Source::Migrations, Source::Imports] {
        progress.tell(Told { source, news: News::Begin });
        tell(&mut progress, source, "BOOKMARK", json!({}));
    }
    tell(&mut progress, Source::Plans, "ADDED", plan(&[("Ready", "Required", "ready")]));
    progress
}

fn tell(progress: &mut Progress, source: Source, type_: &str, object: Value) {
    progress.tell(Told { source, news: News::Change(json!({ "type": type_, "object": object })) });
}

fn conditions(conditions: &[(&str, &str, &str)]) -> Value {
    let one = |(type_, category, message): &(&str, &str, &str)| json!({ "type": type_, "status": "True", "category": category, "message": message });
    conditions.iter().map(one).collect()
}

fn plan(list: &[(&str, &str, &str)]) -> Value {
    json!({ "metadata": { "name": "web", "namespace": "east", "uid": "p" }, "status": { "conditions": conditions(list) } })
}

fn migration(name: &str, created: i64, list: &[(&str, &str, &str)]) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "east", "uid": name, "creationTimestamp": at(created).to_string() },
        "spec": { "plan": { "name": "web", "namespace": "east" } },
        "status": { "started": at(created).to_string(), "conditions": conditions(list) },
    })
}

fn import(phase: &str, done: i64, more: Value) -> Value {
    let disk = |key: i32, done: i64| {
        json!({
            "key": key, "name": format!("disk-{key}"), "file": "f", "datastoreId": "d", "datastore": "d",
            "datacenter": "c", "capacity": 1 << 30, "storageClass": "local", "claim": "c", "doneBytes": done,
        })
    };
    let mut status = json!({ "phase": phase, "attempt": 1, "disks": [disk(2000, done), disk(2001, 0)] });
    status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "metadata": { "name": "i", "namespace": "east", "uid": "i", "labels": { "migration": "m1" } },
        "spec": { "providerCredentialsSecret": { "name": "s" }, "source": { "vmware": { "vm": { "id": "vm-1", "name": "web-1" } } } },
        "status": { "longshore": status },
    })
}

#[test]
fn a_plan_without_a_migration_says_that_nothing_changes() {
    let mut progress = begun();
    let report = progress.report(at(0));
    assert_eq!(report.headline, "ready; nothing on the source changes until a Migration exists");
    tell(&mut progress, Source::Plans, "MODIFIED", plan(&[("VMNotFound", "Critical", "VM `x` is not there.")]));
    assert_eq!(progress.report(at(0)).headline, "not ready: VM `x` is not there.");
    tell(&mut progress, Source::Plans, "DELETED", plan(&[]));
    assert!(progress.report(at(0)).plan_deleted);
}

#[test]
fn plain_lines_tell_each_change_once() {
    let (mut progress, mut lines) = (begun(), Lines::default());
    let mut out = String::new();
    tell(&mut progress, Source::Migrations, "ADDED", migration("m1", 1, &[("Running", "Advisory", "runs")]));
    let wait = json!({ "wait": { "reason": "GuestShutdown", "message": "the guest shuts down", "since": "1970-01-01T00:00:01Z" } });
    tell(&mut progress, Source::Imports, "ADDED", import("WaitForPowerOff", 0, wait));
    out.push_str(&lines.next(&progress.report(at(10))));
    for (second, done) in [(11, 256 << 20), (12, 512 << 20), (12, 512 << 20)] {
        tell(&mut progress, Source::Imports, "MODIFIED", import("CopyDisks", done, json!({})));
        out.push_str(&lines.next(&progress.report(at(second))));
    }
    let expected = "\
1970-01-01T00:00:10Z plan web: migration m1 runs
1970-01-01T00:00:10Z web-1  WaitForPowerOff  waits for GuestShutdown: the guest shuts down
1970-01-01T00:00:11Z web-1  CopyDisks  disk-2000 256 MiB/1 GiB 25%  256 MiB/s
1970-01-01T00:00:12Z web-1  CopyDisks  disk-2000 512 MiB/1 GiB 50%  256 MiB/s
";
    assert_eq!(out, expected);
}

#[test]
fn a_terminal_is_drawn_over() {
    let (mut progress, mut screen) = (begun(), Screen::default());
    tell(&mut progress, Source::Migrations, "ADDED", migration("m1", 1, &[("Running", "Advisory", "runs")]));
    tell(&mut progress, Source::Imports, "ADDED", import("CopyDisks", 512 << 20, json!({})));
    let expected = "\
\x1b[Jplan web: migration m1 runs
VM      PHASE       COPIED                                               RATE   STATE
web-1   CopyDisks   512 MiB of 2 GiB, 25%
                    [##########..........] disk-2000 512 MiB/1 GiB 50%
";
    assert_eq!(screen.frame(&progress.report(at(0))), expected);
    assert_eq!(screen.frame(&progress.report(at(0))), "");
    tell(&mut progress, Source::Imports, "MODIFIED", import("CreateVM", 0, json!({})));
    assert!(screen.frame(&progress.report(at(0))).starts_with("\x1b[4F\x1b[Jplan web"));
}

#[test]
fn the_end_is_the_migrations_and_the_summary_says_where_the_vm_is() {
    let mut progress = begun();
    tell(&mut progress, Source::Migrations, "ADDED", migration("m1", 1, &[("Succeeded", "Advisory", "1 of 1 VMs")]));
    let end = json!({
        "started": "1970-01-01T00:00:01Z", "completed": "1970-01-01T00:00:43Z",
        "manifest": "/vms/web-1.yaml", "command": "qemu-system-x86_64 …",
    });
    tell(&mut progress, Source::Imports, "ADDED", import("Completed", 1 << 30, end));
    let report = progress.report(at(50));
    assert_eq!(report.outcome, Some(Outcome::Succeeded));
    assert_eq!(report.headline, "migration m1 succeeded: 1 of 1 VMs");
    assert_eq!(
        summary::text(&report),
        "\nweb-1: migrated in 42 s; 2 disks, 2 GiB\n  manifest: /vms/web-1.yaml\n  run it with: qemu-system-x86_64 …\n"
    );
}

#[test]
fn a_failure_is_told_with_its_phase_and_what_to_do() {
    let (mut progress, mut lines) = (begun(), Lines::default());
    tell(&mut progress, Source::Migrations, "ADDED", migration("m1", 1, &[("Failed", "Advisory", "1 of 1 VMs")]));
    let failure = json!({
        "completed": "1970-01-01T00:00:43Z",
        "failure": { "phase": "CopyDisks", "reason": "TargetFull", "message": "the target is full; free 2 GiB" },
    });
    tell(&mut progress, Source::Imports, "ADDED", import("Completed", 0, failure));
    let report = progress.report(at(50));
    assert_eq!(report.outcome, Some(Outcome::Failed));
    assert!(lines.next(&report).contains("web-1  failed in CopyDisks: the target is full; free 2 GiB\n"));
    assert_eq!(summary::text(&report), "\nweb-1: failed in CopyDisks\n  the target is full; free 2 GiB\n");
}

#[test]
fn the_running_migration_is_followed_and_not_one_that_was_refused() {
    let mut progress = begun();
    tell(&mut progress, Source::Migrations, "ADDED", migration("m0", 1, &[("Failed", "Advisory", "")]));
    tell(&mut progress, Source::Migrations, "ADDED", migration("m1", 2, &[("Running", "Advisory", "")]));
    let mut refused = migration("m2", 3, &[("Failed", "Advisory", "another runs")]);
    refused["status"]["started"] = Value::Null;
    tell(&mut progress, Source::Migrations, "ADDED", refused);
    assert_eq!(progress.report(at(3)).headline, "migration m1 runs");
    assert_eq!(progress.report(at(3)).outcome, None);
    tell(&mut progress, Source::Migrations, "MODIFIED", migration("m1", 2, &[("Succeeded", "Advisory", "all")]));
    assert_eq!(progress.report(at(4)).outcome, Some(Outcome::Succeeded));
}

#[test]
fn nothing_has_ended_before_everything_is_known() {
    let mut progress = Progress::new("east", "web");
    progress.tell(Told { source: Source::Migrations, news: News::Begin });
    tell(&mut progress, Source::Migrations, "ADDED", migration("m1", 1, &[("Failed", "Advisory", "")]));
    let report = progress.report(at(1));
    assert_eq!((report.outcome, report.plan_deleted), (None, false));
}
