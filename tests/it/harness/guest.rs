//! A migrated VM that is run on this machine by the command that Longshore printed. It is "on" as long as this lives.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use super::process::supervised;

/// A running QEMU.
pub struct Guest {
    child: std::process::Child,
    /// Held open: QEMU goes on talking.
    output: Option<BufReader<ChildStdout>>,
}

impl Guest {
    /// Starts `command`, which a shell would run, without a window, and waits until QEMU says that the machine runs.
    pub fn start(command: &str) -> Self {
        let line = format!("exec {command} -display none -qmp stdio");
        let mut shell = supervised(Path::new("/bin/sh"));
        shell.arg("-c").arg(&line).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut guest = Self { child: shell.spawn().unwrap(), output: None };
        let mut input = guest.child.stdin.take().unwrap();
        input.write_all(b"{\"execute\": \"qmp_capabilities\"}\n{\"execute\": \"query-status\"}\n").unwrap();
        let mut output = BufReader::new(guest.child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("\"running\": true") {
            let read = output.read_line(&mut said).unwrap();
            assert!(read > 0, "QEMU ended; it was started by `{line}` and said: {said}");
        }
        guest.child.stdin = Some(input);
        guest.output = Some(output);
        guest
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
