//! The `longshore` command line as tests use it: what users have, with typed answers.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use kube::Resource;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::process::supervised;

/// No command of a test takes longer; `watch plan` is the longest.
const PATIENCE: Duration = Duration::from_secs(120);

/// Exit code of a command whose object does not exist.
pub const NOT_FOUND: i32 = 3;
/// Exit code of `watch plan` when the migration did not succeed.
pub const MIGRATION_FAILED: i32 = 4;

/// The program with the context file of one world.
pub struct Cli {
    /// The program.
    pub binary: PathBuf,
    /// The context file, which the controller writes.
    pub context: PathBuf,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Cli {
    /// Runs a command; `input` is its standard input.
    pub fn run(&self, args: &[&str], input: &str) -> Said {
        let files = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
        let [out, err] = files.each_ref().map(|file| Stdio::from(file.try_clone().unwrap()));
        let mut command = supervised(&self.binary);
        command.env("LONGSHORE_CONTEXT", &self.context).args(args).stdin(Stdio::piped()).stdout(out).stderr(err);
        let mut child = command.spawn().unwrap();
        // One that needs no input may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                child.wait().unwrap();
                let [out, err] = files.map(text);
                panic!("`longshore {}` did not end within {PATIENCE:?}; it said:\n{out}{err}", args.join(" "));
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let [out, err] = files.map(text);
        Said { code: status.code().unwrap_or(-1), out, err }
    }

    /// Runs a command that must end well; returns its standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let said = self.run(args, "");
        assert_eq!(said.code, 0, "`longshore {}`: {}{}", args.join(" "), said.out, said.err);
        said.out
    }

    /// `apply -f -`, whatever comes of it.
    pub fn try_apply(&self, yaml: &str) -> Said {
        self.run(&["apply", "-f", "-"], yaml)
    }

    /// `apply -f -`, which must succeed.
    pub fn apply(&self, yaml: &str) {
        let said = self.try_apply(yaml);
        assert_eq!(said.code, 0, "applying\n{yaml}\n{}{}", said.out, said.err);
    }

    /// `get KIND NAME -o json`; none if there is no such object.
    pub fn get<K: Resource<DynamicType = ()> + DeserializeOwned>(&self, name: &str) -> Option<K> {
        let said = self.run(&["get", &K::plural(&()), name, "-o", "json"], "");
        if said.code == NOT_FOUND {
            return None;
        }
        assert_eq!(said.code, 0, "get {} {name}: {}", K::plural(&()), said.err);
        Some(parse(&said.out))
    }

    /// `get KIND -o json`.
    pub fn list<K: Resource<DynamicType = ()> + DeserializeOwned>(&self) -> Vec<K> {
        let list: Value = parse(&self.ok(&["get", &K::plural(&()), "-o", "json"]));
        serde_json::from_value(list["items"].clone()).unwrap()
    }

    /// `delete KIND NAME`.
    pub fn delete<K: Resource<DynamicType = ()>>(&self, name: &str) {
        self.ok(&["delete", &K::plural(&()), name]);
    }

    /// `get inventory KIND --provider P -o json`.
    pub fn inventory(&self, kind: &str, provider: &str) -> Vec<Value> {
        let list: Value = parse(&self.ok(&["get", "inventory", kind, "--provider", provider, "-o", "json"]));
        list["items"].as_array().unwrap().clone()
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("this is not the JSON it should be: {error}\n{text}"))
}

fn text(mut file: File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

/// Where a world's context file is.
pub fn context(folder: &Path) -> PathBuf {
    folder.join("context.json")
}
