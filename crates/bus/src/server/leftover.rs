//! A server whose parent was killed: named by a file with process id, start time and boot, so that a later process
//! of the same id is never touched. It is ended before its store is used again.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::options::ServerError;
use super::store::Store;

const FILE: &str = "nats-server.pid";
const ORDERLY: Duration = Duration::from_secs(10);
const KILLED: Duration = Duration::from_secs(5);

/// Records the child.
pub(super) fn remember(store: &Store, pid: u32) -> Result<(), ServerError> {
    store.write(FILE, &mark(pid).unwrap_or_default()).map(drop)
}

/// Forgets it, once it has ended.
pub(super) fn forget(store: &Store) {
    if let Err(error) = std::fs::remove_file(store.path(FILE))
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(%error, "nats.pid_file_not_removed");
    }
}

/// Ends the recorded process, if it is still that one.
pub(super) async fn end(store: &Store) -> Result<(), ServerError> {
    let Ok(recorded) = std::fs::read_to_string(store.path(FILE)) else { return Ok(()) };
    let Some(pid) = recorded.split_whitespace().next().and_then(|pid| pid.parse::<u32>().ok()) else {
        return Ok(());
    };
    let Some(handle) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
    // The handle first, then the comparison: a handle names one process for ever.
    let Ok(handle) = pidfd_open(handle, PidfdFlags::empty()) else { return Ok(()) };
    let alive = || mark(pid).is_some_and(|now| now == recorded);
    for (signal, patience) in [(Signal::TERM, ORDERLY), (Signal::KILL, KILLED)] {
        if !alive() {
            return Ok(());
        }
        tracing::warn!(pid, ?signal, "nats.leftover_ended");
        if let Err(error) = pidfd_send_signal(&handle, signal) {
            tracing::debug!(pid, %error, "nats.leftover_signal");
        }
        let deadline = Instant::now() + patience;
        while alive() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    if alive() { Err(ServerError::Stuck { pid }) } else { Ok(()) }
}

/// `pid start-time boot`; `None` if it doesn't run (any more).
fn mark(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; field 3 (state) follows the last one.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // starttime is field 22 of proc(5), in clock ticks since boot.
    let started = fields.nth(18)?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    (state != "Z" && state != "X").then(|| format!("{pid} {started} {}", boot.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> std::process::Child {
        std::process::Command::new("sleep").arg("600").spawn().unwrap()
    }

    #[tokio::test]
    async fn a_recorded_process_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::lock(folder.path()).unwrap();
        let mut child = sleeper();
        remember(&store, child.id()).unwrap();
        end(&store).await.unwrap();
        assert!(!child.wait().unwrap().success());
    }

    #[tokio::test]
    async fn another_process_with_the_same_id_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::lock(folder.path()).unwrap();
        let mut child = sleeper();
        let other_start = mark(child.id()).unwrap().replacen(' ', " 1", 1);
        store.write(FILE, &other_start).unwrap();
        end(&store).await.unwrap();
        let still = child.try_wait().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(still.is_none());
    }

    #[tokio::test]
    async fn an_unreadable_pid_file_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::lock(folder.path()).unwrap();
        for text in ["", "not a pid", "0 1 2", "-1 1 x"] {
            store.write(FILE, text).unwrap();
            end(&store).await.unwrap();
        }
    }
}
