//! The supervisor: every task has a name and a kind, and no end of a task goes unseen. It decides what the end of
//! a task means for the process; it restarts nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio_util::task::TaskTracker;

use crate::{Shutdown, chain};

/// How long tasks have to end after the stop was asked for.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// What the end of a task means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The process is of no use without it: its end, error or panic stops the process.
    Service,
    /// Its error or panic is logged, the process goes on.
    Background,
}

/// Why a process ended other than by an orderly stop.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A service gave up.
    #[error("{name} failed")]
    Failed {
        /// The task.
        name: String,
        /// Its error.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A service ended although nobody asked it to.
    #[error("{name} ended by itself")]
    Ended {
        /// The task.
        name: String,
    },
    /// A service panicked; the panic's text is on stderr.
    #[error("{name} panicked; this is a bug, please report it with the log")]
    Panicked {
        /// The task.
        name: String,
    },
    /// Tasks were still running when the time for an orderly stop was over.
    #[error("still running {} s after the stop was asked for: {}", .after.as_secs(), .names.join(", "))]
    Hanging {
        /// The tasks, by name.
        names: Vec<String>,
        /// The time they had.
        after: Duration,
    },
}

/// Starts tasks and sees their ends. Clones share one set of tasks.
#[derive(Clone)]
pub struct Tasks {
    inner: Arc<Inner>,
}

struct Inner {
    shutdown: Shutdown,
    tracker: TaskTracker,
    stop_within: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    running: BTreeMap<u64, Cow<'static, str>>,
    failure: Option<TaskError>,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("running", &self.running()).finish()
    }
}

impl Tasks {
    /// A supervisor without tasks. A failing service triggers `shutdown`.
    pub fn new(shutdown: Shutdown) -> Self {
        Self::stopping_within(shutdown, STOP_WITHIN)
    }

    fn stopping_within(shutdown: Shutdown, stop_within: Duration) -> Self {
        let inner = Inner { shutdown, tracker: TaskTracker::new(), stop_within, state: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Starts a task. It must end soon after the shutdown token is cancelled.
    pub fn spawn<F, E>(&self, name: impl Into<Cow<'static, str>>, kind: Kind, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: StdError + Send + Sync + 'static,
    {
        let name = name.into();
        let running = Running { tasks: self.clone(), id: self.enter(name.clone()) };
        let tasks = self.clone();
        self.inner.tracker.spawn(async move {
            let end = AssertUnwindSafe(future).catch_unwind().await;
            drop(running);
            tasks.ended(&name, kind, end.map(|result| result.map_err(Into::into)));
        });
    }

    /// Names of the tasks that run now.
    pub fn running(&self) -> Vec<String> {
        self.state().running.values().map(ToString::to_string).collect()
    }

    /// Waits until every task has ended, but no longer than ten seconds after the stop was asked for. The error is
    /// the first one of a service, or the names of those that hang.
    pub async fn join(&self) -> Result<(), TaskError> {
        let inner = &self.inner;
        inner.tracker.close();
        let too_late = async {
            inner.shutdown.requested().await;
            tokio::time::sleep(inner.stop_within).await;
        };
        let hanging = tokio::select! {
            () = inner.tracker.wait() => false,
            () = too_late => true,
        };
        let failure = self.state().failure.take();
        match failure {
            Some(failure) => Err(failure),
            None if hanging => Err(TaskError::Hanging { names: self.running(), after: inner.stop_within }),
            None => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, name: Cow<'static, str>) -> u64 {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        state.running.insert(id, name);
        id
    }

    fn ended(&self, name: &str, kind: Kind, end: std::thread::Result<Result<(), Box<dyn StdError + Send + Sync>>>) {
        let failure = match end {
            Err(_) => TaskError::Panicked { name: name.to_owned() },
            Ok(Err(source)) => TaskError::Failed { name: name.to_owned(), source },
            Ok(Ok(())) if kind == Kind::Background || self.inner.shutdown.is_requested() => return,
            Ok(Ok(())) => TaskError::Ended { name: name.to_owned() },
        };
        tracing::error!(task = name, error = chain(&failure), "task ended");
        if kind == Kind::Service {
            self.state().failure.get_or_insert(failure);
            self.inner.shutdown.trigger();
        }
    }
}

/// Takes the task off the list when it ends, and also when it is dropped with the runtime.
struct Running {
    tasks: Tasks,
    id: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.state().running.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn an_orderly_stop_waits_for_every_task() {
        let shutdown = Shutdown::new();
        let tasks = Tasks::new(shutdown.clone());
        for name in ["inventory", "transfer"] {
            let token = shutdown.token();
            tasks.spawn(name, Kind::Service, async move {
                token.cancelled().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok::<_, Infallible>(())
            });
        }
        assert_eq!(tasks.running(), ["inventory", "transfer"]);
        shutdown.trigger();
        tasks.join().await.unwrap();
        assert!(tasks.running().is_empty());
    }

    #[tokio::test]
    async fn a_failing_service_stops_the_process_and_its_error_is_kept() {
        let shutdown = Shutdown::new();
        let tasks = Tasks::new(shutdown.clone());
        let token = shutdown.token();
        tasks.spawn("other", Kind::Service, async move {
            token.cancelled().await;
            Ok::<_, Infallible>(())
        });
        tasks.spawn("sick", Kind::Service, async { Err(std::io::Error::other("no disk")) });
        let error = tasks.join().await.unwrap_err();
        assert_eq!(chain(&error), "sick failed: no disk");
        assert!(shutdown.is_requested());
    }

    #[tokio::test]
    async fn a_service_that_ends_unasked_stops_the_process() {
        let tasks = Tasks::new(Shutdown::new());
        tasks.spawn("short", Kind::Service, async { Ok::<_, Infallible>(()) });
        assert!(matches!(tasks.join().await, Err(TaskError::Ended { name }) if name == "short"));
    }

    #[tokio::test]
    async fn a_panicking_service_stops_the_process() {
        let tasks = Tasks::new(Shutdown::new());
        tasks.spawn("buggy", Kind::Service, async { if true { panic!("boom") } else { Ok::<_, Infallible>(()) } });
        assert!(matches!(tasks.join().await, Err(TaskError::Panicked { name }) if name == "buggy"));
    }

    #[tokio::test]
    async fn a_failing_background_task_stops_nothing() {
        let shutdown = Shutdown::new();
        let tasks = Tasks::new(shutdown.clone());
        tasks.spawn("refresh", Kind::Background, async { Err(std::io::Error::other("later")) });
        tasks.join().await.unwrap();
        assert!(!shutdown.is_requested());
    }

    #[tokio::test]
    async fn a_task_that_hangs_is_named() {
        let shutdown = Shutdown::new();
        let tasks = Tasks::stopping_within(shutdown.clone(), Duration::from_millis(30));
        tasks.spawn("stuck", Kind::Service, pending::<Result<(), Infallible>>());
        tasks.spawn("fine", Kind::Background, async { Ok::<_, Infallible>(()) });
        shutdown.trigger();
        let error = tasks.join().await.unwrap_err();
        assert_eq!(error.to_string(), "still running 0 s after the stop was asked for: stuck");
    }
}
