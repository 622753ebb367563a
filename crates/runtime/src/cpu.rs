//! Threads for work that keeps a core busy (hashing, decoding, rules), apart from the runtime that serves NATS,
//! leases and HTTP, and of lower priority than it, so that a busy copy never makes a lease run out.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

/// How much lower than the rest of the process the threads run.
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads with a bounded queue. Clones share them; they end when the last clone is dropped.
#[derive(Clone)]
pub struct Pool {
    name: &'static str,
    queue: mpsc::Sender<Job>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The work was not done: it panicked, or no thread is left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work on the {pool} threads panicked or its threads are gone; the log has the panic")]
pub struct PoolClosed {
    /// Name of the pool.
    pub pool: &'static str,
}

/// A thread could not be started.
#[derive(Debug, thiserror::Error)]
#[error("can't start a thread of the {pool} pool")]
pub struct StartError {
    /// Name of the pool.
    pub pool: &'static str,
    #[source]
    source: std::io::Error,
}

impl Pool {
    /// Starts `threads` threads (at least one). Their names begin with `name`.
    pub fn new(name: &'static str, threads: usize) -> Result<Self, StartError> {
        let threads = threads.max(1);
        let (queue, jobs) = mpsc::channel(threads);
        let jobs = Arc::new(Mutex::new(jobs));
        for index in 0..threads {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new()
                .name(format!("{name}-{index}"))
                .spawn(move || work(&jobs))
                .map_err(|source| StartError { pool: name, source })?;
        }
        Ok(Self { name, queue })
    }

    /// Runs `work` on a thread of the pool and waits for it; waits also when the queue is full. Work that began is
    /// finished even if the caller stops waiting.
    pub async fn run<T, F>(&self, work: F) -> Result<T, PoolClosed>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let closed = || PoolClosed { pool: self.name };
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Nobody waits any more: the result is of no use, and that is no error.
            let _unwanted = done.send(work());
        });
        self.queue.send(job).await.map_err(|_| closed())?;
        result.await.map_err(|_| closed())
    }
}

fn work(jobs: &Mutex<mpsc::Receiver<Job>>) {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "CPU threads run at normal priority");
    }
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!(thread = std::thread::current().name(), "work panicked; the thread goes on");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_runs_on_a_named_thread_of_lower_priority() {
        let before = rustix::process::getpriority_process(None).unwrap();
        let pool = Pool::new("hash", 2).unwrap();
        let (thread, niceness) = pool
            .run(|| {
                let niceness = rustix::process::getpriority_process(None).unwrap();
                (std::thread::current().name().unwrap().to_owned(), niceness)
            })
            .await
            .unwrap();
        assert!(thread.starts_with("hash-"), "{thread}");
        assert_eq!(niceness, NICENESS);
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_thread_goes_on() {
        let pool = Pool::new("rules", 1).unwrap();
        let broken = pool
            .run(|| {
                if true {
                    panic!("boom")
                }
            })
            .await;
        assert_eq!(broken, Err(PoolClosed { pool: "rules" }));
        assert_eq!(pool.run(|| 6 * 7).await, Ok(42));
    }

    #[tokio::test]
    async fn all_threads_work_at_the_same_time() {
        let pool = Pool::new("pair", 2).unwrap();
        let (left, right) = std::sync::mpsc::sync_channel(0);
        // A rendezvous: it ends only if both run at once.
        let (a, b) = tokio::join!(pool.run(move || left.send(1).unwrap()), pool.run(move || right.recv().unwrap()));
        assert_eq!((a, b), (Ok(()), Ok(1)));
    }
}
