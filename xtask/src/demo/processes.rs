//! The two programs of the demo. Both end with it: the vCenter when its standard input closes, Longshore by SIGTERM.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long `longshore up` may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// The simulated vCenter.
pub struct Vcenter {
    child: Child,
    /// Address of its SDK.
    pub url: String,
    /// Who may log in.
    pub user: String,
    /// The password, made for this run.
    pub password: String,
    /// PEM file of its certificate.
    pub ca: PathBuf,
    /// Address of its control port.
    pub control: String,
}

impl Vcenter {
    pub fn start(binary: &Path, data: &Path, disk_mib: u32) -> Result<Self> {
        fs::create_dir_all(data)?;
        let password = format!("demo-{}", std::process::id());
        let mut command = Command::new(binary);
        command.args(["-stdin", "-scenario", "demo", "-disk-mib", &disk_mib.to_string(), "-password", &password]);
        command.arg("-data").arg(data).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("the simulated vCenter can't be started")?;
        let stdout = child.stdout.take().context("the simulated vCenter has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).context("the simulated vCenter did not become ready")?;
        let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            child,
            url: text("url"),
            user: text("user"),
            password,
            ca: text("ca").into(),
            control: text("control"),
        })
    }
}

impl Drop for Vcenter {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `longshore up`.
pub struct Longshore {
    child: Child,
    /// Its log.
    pub log: PathBuf,
}

impl Longshore {
    pub fn start(binary: &Path, folder: &Path, nats_server: &Path) -> Result<Self> {
        let log = folder.join("longshore.log");
        let context = folder.join("context.json");
        let mut command = supervised(binary);
        command.arg("--context").arg(&context).arg("up").arg("--data-dir").arg(folder.join("data"));
        for (name, place) in [("fast", "fast-disks"), ("slow", "slow-disks")] {
            command.arg("--storage-class").arg(format!("{name}={}", folder.join(place).display()));
        }
        command.args(["--listen", "127.0.0.1:0"]).env("LONGSHORE_NATS_SERVER", nats_server);
        command.stdin(Stdio::null()).stdout(File::create(folder.join("longshore.out"))?).stderr(File::create(&log)?);
        let child = command.spawn().with_context(|| format!("{} can't be started", binary.display()))?;
        let mut longshore = Self { child, log };
        let deadline = Instant::now() + PATIENCE;
        while !context.exists() {
            if let Some(status) = longshore.child.try_wait()? {
                bail!("`longshore up` ended with {status}:\n{}", longshore.tail()?);
            }
            if Instant::now() > deadline {
                bail!("`longshore up` is not ready after {} s:\n{}", PATIENCE.as_secs(), longshore.tail()?);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(longshore)
    }

    /// The last lines of its log.
    pub fn tail(&self) -> Result<String> {
        let text = fs::read_to_string(&self.log)?;
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(30)..].join("\n"))
    }

    /// An orderly stop; one that takes too long is an error.
    pub fn stop(mut self) -> Result<()> {
        terminate(&self.child)?;
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!("`longshore up` did not stop within {} s; see {}", PATIENCE.as_secs(), self.log.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Longshore {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            if terminate(&self.child).is_err() {
                // It ended in between, or it can only be ended hard.
                let _ = self.child.kill();
            }
            let _ = self.child.wait();
        }
    }
}

fn terminate(child: &Child) -> Result<()> {
    let pid = rustix::process::Pid::from_child(child);
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::TERM)?)
}

/// A program that is told to end when we die, by util-linux' `setpriv` where it is there.
fn supervised(binary: &Path) -> Command {
    match crate::shell::find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM"]).arg(binary);
            command
        }
        None => Command::new(binary),
    }
}
