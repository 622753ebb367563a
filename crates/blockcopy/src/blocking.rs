//! Work that keeps a thread busy or waits for a disk, on the runtime's blocking threads.

use std::io;

/// Runs `work` and waits for it. Work that began is finished even if the caller stops waiting. The only error is
/// that the thread or the runtime went away; a panic is passed on.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => io::Error::other(error),
    })
}
