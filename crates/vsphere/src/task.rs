//! Waiting for a vCenter task, for as long as it makes progress.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::soap::Call;
use crate::{Client, Error, Fault, Object, ParseError, Value};

/// How long a task may show neither a new state nor new progress.
pub(crate) const STALLED: Duration = Duration::from_secs(120);
const FIRST_POLL: Duration = Duration::from_millis(100);
const LAST_POLL: Duration = Duration::from_secs(2);
const PATHS: [&str; 4] = ["info.state", "info.progress", "info.error", "info.result"];

/// What a look at a task says.
#[derive(Debug, PartialEq)]
enum Look {
    Done(Option<Value>),
    Failed(Fault),
    /// Not ended; the text changes when it moves.
    Going(String),
}

/// When a task last moved.
struct Progress {
    seen: String,
    since: Instant,
}

impl Progress {
    fn note(&mut self, look: String, now: Instant) {
        if look != self.seen {
            (self.seen, self.since) = (look, now);
        }
    }

    fn idle(&self, now: Instant) -> Duration {
        now.duration_since(self.since)
    }
}

impl Client {
    /// Starts a task and waits for its end; gives its result.
    pub(crate) async fn run_task(&self, call: Call, stalled: Duration) -> Result<Option<Value>, Error> {
        let (method, object) = (call.method, call.target.clone());
        let started = self.required(call).await?;
        let task = started.as_moref().ok_or(Error::Answer { method, source: ParseError::Lacks("a task") })?;
        let mut progress = Progress { seen: String::new(), since: Instant::now() };
        let mut pause = FIRST_POLL;
        loop {
            match self.properties(&task, &PATHS).await.map(|info| look(&info)) {
                Ok(Look::Done(result)) => return Ok(result),
                Ok(Look::Failed(fault)) => {
                    return Err(Error::Task { task: task.into(), method, object: object.into(), fault });
                }
                Ok(Look::Going(now)) => progress.note(now, Instant::now()),
                Err(error) if error.is_transient() && progress.idle(Instant::now()) < stalled => {}
                Err(error) => return Err(error),
            }
            if progress.idle(Instant::now()) >= stalled {
                return Err(Error::TaskStalled { task: task.into(), method, object: object.into(), after: stalled });
            }
            sleep(pause).await;
            pause = (pause * 2).min(LAST_POLL);
        }
    }
}

fn look(info: &Object) -> Look {
    match info.text("info.state") {
        Some("success") => Look::Done(info.get("info.result").cloned()),
        Some("error") => Look::Failed(info.get("info.error").map_or_else(unnamed, Fault::from_localized)),
        state => Look::Going(format!("{state:?} {:?}", info.text("info.progress"))),
    }
}

fn unnamed() -> Fault {
    Fault::Other { kind: String::new(), message: "the task names no cause".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MoRef;

    fn info(properties: &[(&str, &str)]) -> Object {
        let mut object = Object::new(MoRef::new("Task", "task-1"));
        for (path, xml) in properties {
            object.properties.insert((*path).to_owned(), Value::from_xml(xml).unwrap());
        }
        object
    }

    #[test]
    fn only_movement_restarts_the_deadline() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut progress = Progress { seen: String::new(), since: start };
        progress.note("running 1".to_owned(), at(10));
        progress.note("running 1".to_owned(), at(40));
        assert_eq!(progress.idle(at(50)), Duration::from_secs(40));
        progress.note("running 2".to_owned(), at(60));
        assert_eq!(progress.idle(at(61)), Duration::from_secs(1));
    }

    #[test]
    fn a_task_is_done_failed_or_going() {
        assert_eq!(look(&info(&[("info.state", "<v>success</v>")])), Look::Done(None));
        let error = "<v><fault xmlns:xsi='x' xsi:type='NotAuthenticated'/><localizedMessage>m</localizedMessage></v>";
        let failed = look(&info(&[("info.state", "<v>error</v>"), ("info.error", error)]));
        assert_eq!(failed, Look::Failed(Fault::NotAuthenticated));
        let at = |progress| look(&info(&[("info.state", "<v>running</v>"), ("info.progress", progress)]));
        assert_eq!(at("<v>1</v>"), at("<v>1</v>"));
        assert_ne!(at("<v>1</v>"), at("<v>2</v>"), "progress is seen");
        assert!(matches!(look(&info(&[])), Look::Going(_)), "an unreadable state is not an end");
    }
}
