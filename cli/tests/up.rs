//! `longshore up` and the commands that talk to it, as a person runs them: the real binary, a real nats-server, no
//! provider. What it migrates is shown by the integration tests.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

const OBJECTS: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: vc}
stringData: {user: root, password: hunter2}
---
apiVersion: forklift.konveyor.io/v1beta1
kind: NetworkMap
metadata: {name: map}
spec:
  provider:
    source: {name: vc, namespace: default}
    destination: {name: host, namespace: default}
  map:
  - source: {id: network-1}
    destination: {type: pod}
";

struct Up {
    dir: TempDir,
    child: Child,
    bus: Option<Pid>,
}

impl Up {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut up = Self { child: launch(&dir), dir, bus: None };
        up.wait_until_it_runs();
        up
    }

    fn start_again(&mut self) {
        self.child = launch(&self.dir);
        self.wait_until_it_runs();
    }

    fn wait_until_it_runs(&mut self) {
        for line in BufReader::new(self.child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((_, rest)) = line.split_once("(process ") {
                self.bus = rest.split(',').next().unwrap().parse().ok().and_then(Pid::from_raw);
            }
            if line.starts_with("running") {
                return;
            }
        }
        panic!("it did not start: {}", fs::read_to_string(self.dir.path().join("log")).unwrap());
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut command = longshore(&self.dir);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Exit code and what was written to both streams.
    fn told(&self, args: &[&str], input: &str) -> (i32, String) {
        let output = self.run(args, input);
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code().unwrap(), text)
    }

    fn context(&self) -> PathBuf {
        self.dir.path().join("config/longshore/context.json")
    }

    fn signal(&mut self, signal: Signal) -> i32 {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it still runs: {}", fs::read_to_string(self.dir.path().join("log")).unwrap());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // A test that failed must leave nothing running either; one that ended has nothing left to kill.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn launch(dir: &TempDir) -> Child {
    let data = dir.path().join("data");
    longshore(dir)
        .args(["up", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(fs::File::create(dir.path().join("log")).unwrap())
        .spawn()
        .unwrap()
}

/// The binary with a home of its own.
fn longshore(dir: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.env("XDG_CONFIG_HOME", dir.path().join("config")).env_remove("LONGSHORE_CONTEXT");
    command
}

#[test]
fn objects_are_applied_shown_and_deleted_and_no_value_of_a_secret_is_shown() {
    let mut up = Up::start();
    assert_eq!(fs::metadata(up.context()).unwrap().permissions().mode() & 0o777, 0o600);
    let named = "secret/vc created\nnetworkmap.forklift.konveyor.io/map created\n";
    assert_eq!(up.told(&["apply", "-f", "-"], OBJECTS), (0, named.to_owned()));
    assert_eq!(up.told(&["apply", "-f", "-"], OBJECTS), (0, named.replace("created", "unchanged")));
    let changed = OBJECTS.replace("type: pod", "type: ignored");
    let told = "secret/vc unchanged\nnetworkmap.forklift.konveyor.io/map configured\n";
    assert_eq!(up.told(&["apply", "-f", "-"], &changed), (0, told.to_owned()));

    assert_eq!(up.told(&["get", "networkmaps", "-o", "name"], "").1, "networkmap.forklift.konveyor.io/map\n");
    for output in ["table", "wide", "json", "yaml"] {
        let (code, text) = up.told(&["get", "secrets", "-o", output], "");
        assert_eq!(code, 0);
        assert!(text.contains("password") && !text.contains("hunter2") && !text.contains("aHVudGVyMg"), "{text}");
    }
    assert_eq!(up.told(&["delete", "networkmap", "map"], "").0, 0);
    assert_eq!(up.told(&["delete", "networkmap", "map"], "").0, 3);
    assert_eq!(up.told(&["delete", "networkmap", "map", "--ignore-not-found"], ""), (0, String::new()));
    assert_eq!(up.signal(Signal::TERM), 0);
}

#[test]
fn a_wrong_document_names_its_place_and_the_others_are_applied() {
    let up = Up::start();
    let input = format!("{}---\n{OBJECTS}", OBJECTS.replace("  map:", "  mapp:").replace("name: vc", "name: other"));
    let (code, text) = up.told(&["apply", "-f", "-"], &input);
    assert_eq!(code, 1);
    assert!(text.contains("error: stdin, document 2: ") && text.contains("did you mean `map`?"), "{text}");
    assert!(text.contains("networkmap.forklift.konveyor.io/map created"), "{text}");
    let (code, text) = up.told(&["apply", "-f", "-"], "kind: Plan\n\tmetadata: x");
    assert_eq!(code, 1);
    assert!(text.starts_with("error: stdin, document 1, line 2: this is no YAML"), "{text}");
    let (code, text) = up.told(&["get", "networkmapps"], "");
    assert!(code == 3 && text.contains("did you mean `networkmaps`?"), "{text}");
    assert_eq!(up.told(&["watch", "plan", "nobody"], "").0, 3);
    assert_eq!(up.told(&["get", "inventory", "vms", "-p", "nobody"], "").0, 3);
}

#[test]
fn after_the_stop_nothing_runs_and_the_commands_say_so() {
    let mut up = Up::start();
    assert_eq!(up.told(&["get", "plans"], ""), (0, "no plans in namespace default\n".to_owned()));
    assert_eq!(up.signal(Signal::INT), 0);
    assert!(test_kill_process(up.bus.unwrap()).is_err());
    let (code, text) = up.told(&["get", "plans"], "");
    assert!(code == 5 && text.contains("is `longshore up` running?"), "{text}");
}

#[test]
fn killed_it_leaves_no_bus_behind_and_starts_again_with_what_it_had() {
    let mut up = Up::start();
    assert_eq!(up.told(&["apply", "-f", "-"], OBJECTS).0, 0);
    up.signal(Signal::KILL);
    let deadline = Instant::now() + Duration::from_secs(20);
    // A dead child that nobody waits for is still a process id; its command line is empty.
    let command_line = format!("/proc/{}/cmdline", up.bus.unwrap().as_raw_nonzero());
    while fs::read(&command_line).is_ok_and(|text| !text.is_empty()) {
        assert!(Instant::now() < deadline, "nats-server still runs");
        std::thread::sleep(Duration::from_millis(50));
    }
    up.start_again();
    assert_eq!(up.told(&["get", "networkmap", "map", "-o", "name"], "").0, 0);
    assert_eq!(up.signal(Signal::TERM), 0);
}
