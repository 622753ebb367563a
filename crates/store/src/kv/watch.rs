//! A watch of the bucket as kube's watcher events. After any interruption it lists anew, so that nothing is missed;
//! a deletion carries the object's last known state.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use async_nats::jetstream::kv;
use futures::Stream;
use kube::runtime::watcher::Event;
use serde_json::Value;

use super::feed::{Entry, Feed, Step};
use crate::Error;
use crate::error::Cause;

/// Waits between attempts to list anew, from the first to the longest.
const BACKOFF: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// The events under a filter; `what` is for error texts.
pub(super) fn events(
    bucket: kv::Store,
    filter: String,
    what: String,
) -> impl Stream<Item = Result<Event<Value>, Error>> + Send + 'static {
    let watch = Watch { bucket, filter, what, feed: None, failures: 0, books: Books::default() };
    futures::stream::unfold(watch, |mut watch| async move { Some((watch.next().await, watch)) })
}

struct Watch {
    bucket: kv::Store,
    filter: String,
    what: String,
    feed: Option<Feed>,
    failures: usize,
    books: Books,
}

impl Watch {
    async fn next(&mut self) -> Result<Event<Value>, Error> {
        loop {
            if let Some(event) = self.books.ready.pop_front() {
                return Ok(event);
            }
            if let Err(source) = self.advance().await {
                self.feed = None;
                self.failures += 1;
                return Err(Error::Watch { what: self.what.clone(), source });
            }
        }
    }

    async fn advance(&mut self) -> Result<(), Cause> {
        match &mut self.feed {
            None => {
                if self.failures > 0 {
                    tokio::time::sleep(BACKOFF[(self.failures - 1).min(BACKOFF.len() - 1)]).await;
                }
                let feed = Feed::open(&self.bucket, &self.filter).await?;
                self.books.begin();
                if feed.is_current() {
                    self.books.current();
                }
                self.feed = Some(feed);
            }
            Some(feed) => {
                match feed.next().await? {
                    Step::Entry(entry) => self.books.enter(entry),
                    Step::Current => {}
                }
                if feed.is_current() {
                    self.books.current();
                    self.failures = 0;
                }
            }
        }
        Ok(())
    }
}

/// Turns entries into events.
#[derive(Default)]
struct Books {
    known: HashMap<String, Value>,
    listed: bool,
    ready: VecDeque<Event<Value>>,
}

impl Books {
    fn begin(&mut self) {
        self.known.clear();
        self.listed = false;
        self.ready.push_back(Event::Init);
    }

    fn current(&mut self) {
        if !self.listed {
            self.listed = true;
            self.ready.push_back(Event::InitDone);
        }
    }

    fn enter(&mut self, entry: Entry) {
        let event = match entry.object {
            Some(object) => {
                self.known.insert(entry.key, object.clone());
                Some(if self.listed { Event::Apply(object) } else { Event::InitApply(object) })
            }
            // A deletion during the listing needs no event: what the listing doesn't name is gone. But it may have
            // been named already.
            None => self.known.remove(&entry.key).map(Event::Delete),
        };
        self.ready.extend(event);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(key: &str) -> Entry {
        Entry { key: key.into(), object: Some(json!({ "key": key })) }
    }

    fn gone(key: &str) -> Entry {
        Entry { key: key.into(), object: None }
    }

    fn words(books: &mut Books) -> Vec<String> {
        let word = |event: Event<Value>| match event {
            Event::Init => "init".into(),
            Event::InitDone => "done".into(),
            Event::InitApply(o) => format!("list {}", o["key"]),
            Event::Apply(o) => format!("apply {}", o["key"]),
            Event::Delete(o) => format!("delete {}", o["key"]),
        };
        books.ready.drain(..).map(word).collect::<Vec<String>>().iter().map(|w| w.replace('"', "")).collect()
    }

    #[test]
    fn what_was_there_is_listed_and_what_happens_later_is_told() {
        let mut books = Books::default();
        books.begin();
        books.enter(put("a"));
        books.enter(gone("old"));
        books.current();
        books.current();
        books.enter(put("b"));
        books.enter(gone("a"));
        assert_eq!(words(&mut books), ["init", "list a", "done", "apply b", "delete a"]);
    }

    #[test]
    fn a_new_listing_forgets_what_it_does_not_name() {
        let mut books = Books::default();
        books.begin();
        books.enter(put("a"));
        books.current();
        books.begin();
        books.current();
        books.enter(gone("a"));
        assert_eq!(words(&mut books), ["init", "list a", "done", "init", "done"]);
    }
}
