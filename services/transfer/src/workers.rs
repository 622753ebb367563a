//! The threads that copy, hash and do TLS: a tokio runtime of their own, of lower priority than the one that
//! serves NATS, leases and HTTP, so that a busy copy never makes a lease run out.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;

/// How much lower than the rest of the process the threads run; the same as the CPU pool's.
const NICENESS: i32 = 10;

/// A bounded number of threads. Dropping it abandons what still runs on them.
pub(crate) struct Workers {
    handle: Handle,
    _threads: Threads,
}

/// What was to run on the threads did not come to its end: they are stopping, or it panicked.
#[derive(Debug, thiserror::Error)]
#[error("the copying threads lost a task; if the process isn't stopping this is a bug, and the log has the panic")]
pub(crate) struct TaskLost(#[source] tokio::task::JoinError);

/// Ends the threads without waiting: a runtime that is dropped inside another one would block it.
struct Threads(Option<Runtime>);

impl Workers {
    pub(crate) fn start(threads: usize, blocking: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("copy")
            .worker_threads(threads.max(1))
            .max_blocking_threads(blocking.max(1))
            .on_thread_start(lower_priority)
            .enable_all()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), _threads: Threads(Some(runtime)) })
    }

    /// Runs `work` on the threads and waits for it. If the caller stops waiting, it is dropped there.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, TaskLost> {
        AbortOnDropHandle::new(self.handle.spawn(work)).await.map_err(TaskLost)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn lower_priority() {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "copying threads run at normal priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn niceness() -> i32 {
        rustix::process::getpriority_process(None).unwrap()
    }

    #[tokio::test]
    async fn work_and_its_blocking_calls_run_at_lower_priority() {
        let before = niceness();
        let workers = Workers::start(1, 1).unwrap();
        let work = async { (niceness(), tokio::task::spawn_blocking(niceness).await.unwrap()) };
        assert_eq!(workers.run(work).await.unwrap(), (NICENESS, NICENESS));
        assert_eq!(niceness(), before);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_here_and_harms_nobody_else() {
        let workers = Workers::start(1, 1).unwrap();
        let broken = workers
            .run(async {
                if true {
                    panic!("boom")
                }
            })
            .await;
        assert!(broken.is_err());
        assert_eq!(workers.run(async { 42 }).await.unwrap(), 42);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_dropped() {
        let workers = Workers::start(1, 1).unwrap();
        let (held, dropped) = tokio::sync::oneshot::channel::<()>();
        let work = workers.run(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        let waited = tokio::time::timeout(std::time::Duration::from_millis(50), work).await;
        assert!(waited.is_err());
        assert!(dropped.await.is_err());
    }
}
