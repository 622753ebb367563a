//! The process itself. A thread of its own starts it and waits for its end: PDEATHSIG is bound to the thread that
//! forked, so that thread must live as long as the child.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, getppid, pidfd_open, pidfd_send_signal, set_parent_process_death_signal,
};
use tokio::sync::{oneshot, watch};

/// A child in its own process group. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Child {
    pid: u32,
    /// Names this process even after its id was given to another.
    handle: OwnedFd,
    exit: watch::Receiver<Option<String>>,
}

impl Child {
    pub async fn spawn(binary: &Path, config: &Path) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command.arg("--config").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.process_group(0);
        die_with_parent(&mut command);
        let (started, start) = oneshot::channel();
        let (exited, exit) = watch::channel(None);
        std::thread::Builder::new().name("nats-server".to_owned()).spawn(move || run(command, started, &exited))?;
        let (pid, handle) = start.await.map_err(io::Error::other)??;
        Ok(Self { pid, handle, exit })
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for the end and says how it was.
    pub async fn exited(&self) -> String {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|how| how.clone()).unwrap_or_else(|| "unknown".to_owned())
    }

    /// SIGTERM, and after `patience` SIGKILL; whether it has ended.
    pub async fn end(&self, patience: Duration) -> bool {
        for signal in [Signal::TERM, Signal::KILL] {
            self.signal(signal);
            if tokio::time::timeout(patience, self.exited()).await.is_ok() {
                return true;
            }
        }
        false
    }

    fn signal(&self, signal: Signal) {
        if self.exit.borrow().is_none()
            && let Err(error) = pidfd_send_signal(&self.handle, signal)
        {
            tracing::debug!(pid = self.pid, %error, "nats.signal");
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

type Started = oneshot::Sender<io::Result<(u32, OwnedFd)>>;

fn run(mut command: Command, started: Started, exited: &watch::Sender<Option<String>>) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            started.send(Err(error)).ok();
            return;
        }
    };
    let pid = child.id();
    let handle = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("no process id"))
        .and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::empty())?));
    let unheard = match handle {
        Ok(handle) => started.send(Ok((pid, handle))).is_err(),
        Err(error) => {
            started.send(Err(error)).ok();
            true
        }
    };
    if unheard && let Err(error) = child.kill() {
        tracing::warn!(pid, %error, "nats.kill");
    }
    let how = child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
    tracing::info!(pid, how, "nats.ended");
    exited.send_replace(Some(how));
}

/// The kernel sends SIGTERM when the thread that forked ends, which it does only with this process.
#[allow(unsafe_code)]
fn die_with_parent(command: &mut Command) {
    let parent = getpid();
    let before_exec = move || {
        set_parent_process_death_signal(Some(Signal::TERM))?;
        // The parent may have died before the line above.
        if getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
    };
    // SAFETY: the closure runs between fork and exec and only makes two system calls; nothing
    // in it allocates or takes a lock.
    unsafe {
        command.pre_exec(before_exec);
    }
}
