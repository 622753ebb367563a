//! Child processes that never outlive the test: each in a process group of its own that is killed on drop, and told
//! by the kernel to end when the test itself is killed.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::binaries;

/// A running program whose output goes to two files.
pub struct Process {
    /// What the test calls it.
    pub name: String,
    /// Its standard error.
    pub log: PathBuf,
    /// Its standard output.
    pub out: PathBuf,
    child: Child,
}

/// A command that ends with the test: by way of util-linux' `setpriv`, where it is there.
pub fn supervised(program: &Path) -> Command {
    let mut command = match binaries::find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.process_group(0).stdin(Stdio::null());
    command
}

impl Process {
    /// Starts `command`; its files are `<name>.log` and `<name>.out` in `folder`. A second start appends.
    pub fn start(name: &str, folder: &Path, mut command: Command) -> Self {
        let (log, out) = (folder.join(format!("{name}.log")), folder.join(format!("{name}.out")));
        let append = |path: &Path| File::options().create(true).append(true).open(path).unwrap();
        // What a former run said must not be taken for the new one's word.
        let _ = fs::remove_file(&out);
        command.stderr(append(&log)).stdout(append(&out));
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} can't be started: {error}"));
        Self { name: name.to_owned(), log, out, child }
    }

    /// Waits until standard output has a line for which `found` gives something.
    pub fn says<T>(&mut self, patience: Duration, mut found: impl FnMut(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + patience;
        loop {
            let text = fs::read_to_string(&self.out).unwrap_or_default();
            if let Some(found) = text.lines().find_map(&mut found) {
                return found;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended at its start: {status}\n{}", self.name, tail(&self.log));
            }
            assert!(Instant::now() < deadline, "{} is not ready after {patience:?}\n{}", self.name, tail(&self.log));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends one signal to the process itself.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// SIGKILL, as a crash would be; returns when it is gone.
    pub fn kill(&mut self) {
        self.end_group();
    }

    /// Waits for its end after a SIGTERM; one that takes longer than `patience` fails the test.
    pub fn ended(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "{} did not stop within {patience:?} of SIGTERM", self.name);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn end_group(&mut self) {
        // Once it is reaped its id may be another's; until then the group is ours.
        if self.is_running() {
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end_group();
    }
}

/// The end of a log, for a failed test's output.
pub fn tail(log: &Path) -> String {
    const LINES: usize = 60;
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    format!("--- {}\n{}\n", log.display(), lines[lines.len().saturating_sub(LINES)..].join("\n"))
}
