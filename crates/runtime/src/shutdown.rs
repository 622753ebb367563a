//! The one way to stop a process: a token that everything watches. SIGTERM and SIGINT ask for an orderly stop,
//! a second one ends the process at once. It stops nothing itself.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code after a second SIGINT, as a shell reports it (128 + 2).
const EXIT_INTERRUPTED: i32 = 130;
/// Exit code after a second SIGTERM, as a shell reports it (128 + 15).
const EXIT_TERMINATED: i32 = 143;

/// Asks for, and tells of, the orderly stop. Clones share one request.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

/// Signals can't be listened to.
#[derive(Debug, thiserror::Error)]
#[error("can't listen to {name}")]
pub struct SignalError {
    name: &'static str,
    #[source]
    source: std::io::Error,
}

impl Shutdown {
    /// A stop that only [`Shutdown::trigger`] asks for.
    pub fn new() -> Self {
        Self::default()
    }

    /// A stop that SIGTERM and SIGINT ask for; the second signal exits at once with 143 or 130. Needs a running
    /// tokio runtime. Call it once a process.
    pub fn on_signals() -> Result<Self, SignalError> {
        let shutdown = Self::new();
        let terminate = listen(SignalKind::terminate(), "SIGTERM")?;
        let interrupt = listen(SignalKind::interrupt(), "SIGINT")?;
        // Outside the supervisor on purpose: it must still be there when a supervised task refuses to end.
        #[expect(clippy::disallowed_methods, reason = "the supervisor itself stops by this task")]
        tokio::spawn(watch_signals(shutdown.clone(), terminate, interrupt));
        Ok(shutdown)
    }

    /// A clone of the token, for `select!` and for streams that must end with the process.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Waits until the stop is asked for. Safe to cancel and to call again.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// Whether the stop was asked for.
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Asks for the stop; asking twice is the same as once.
    pub fn trigger(&self) {
        self.token.cancel();
    }
}

fn listen(kind: SignalKind, name: &'static str) -> Result<Signal, SignalError> {
    signal(kind).map_err(|source| SignalError { name, source })
}

async fn watch_signals(shutdown: Shutdown, mut terminate: Signal, mut interrupt: Signal) {
    let (name, _) = next_signal(&mut terminate, &mut interrupt).await;
    tracing::info!(signal = name, "stopping in order; a second signal ends at once");
    shutdown.trigger();
    let (name, code) = next_signal(&mut terminate, &mut interrupt).await;
    tracing::warn!(signal = name, "second signal, ending at once");
    std::process::exit(code);
}

async fn next_signal(terminate: &mut Signal, interrupt: &mut Signal) -> (&'static str, i32) {
    tokio::select! {
        _ = terminate.recv() => ("SIGTERM", EXIT_TERMINATED),
        _ = interrupt.recv() => ("SIGINT", EXIT_INTERRUPTED),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;

    /// Not a test by itself: the process that the test below sends signals to.
    #[tokio::test]
    #[ignore = "run by the test of signals"]
    async fn wait_for_signals() {
        let shutdown = Shutdown::on_signals().unwrap();
        eprintln!("listening");
        shutdown.requested().await;
        eprintln!("stopping");
        tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    }

    fn send(child: &Child, signal: Signal) {
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    fn exit_code(first: Signal, second: Signal) -> Option<i32> {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "shutdown::tests::wait_for_signals"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "listening"));
        send(&child, first);
        assert!(lines.any(|line| line == "stopping"));
        assert!(child.try_wait().unwrap().is_none());
        send(&child, second);
        child.wait().unwrap().code()
    }

    #[test]
    fn the_first_signal_asks_and_the_second_ends_at_once() {
        assert_eq!(exit_code(Signal::TERM, Signal::INT), Some(130));
        assert_eq!(exit_code(Signal::INT, Signal::TERM), Some(143));
    }
}
