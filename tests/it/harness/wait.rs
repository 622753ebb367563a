//! Waiting for a condition, with a deadline that says what was there instead.

use std::time::{Duration, Instant};

/// Nothing that these tests wait for takes longer, unless it hangs: two cores run two worlds of seven processes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again until there is an answer. `look` gives the answer, or what it saw instead.
pub fn until<T>(what: &str, look: impl FnMut() -> Result<T, String>) -> T {
    within(PATIENCE, what, look)
}

/// The same with a deadline of its own.
pub fn within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < deadline, "{what}: not within {patience:?}; last seen:\n{seen}"),
        }
        std::thread::sleep(Duration::from_millis(150));
    }
}
