//! The three watched collections as one stream. A broken connection is tried again for a minute: the services may
//! be starting again.

use std::time::Duration;

use futures::stream::{BoxStream, select_all};
use futures::{StreamExt, stream};
use serde_json::Value;

use crate::client::{Client, ClientError};

/// Wait between attempts to connect again.
const PAUSE: Duration = Duration::from_secs(1);
/// Attempts that may fail one after another.
const ATTEMPTS: u32 = 60;

/// Which collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Plans.
    Plans,
    /// Migrations.
    Migrations,
    /// VirtualMachineImports.
    Imports,
}

/// One thing that was told.
#[derive(Debug)]
pub struct Told {
    /// About which collection.
    pub source: Source,
    /// What.
    pub news: News,
}

/// What was told about a collection.
#[derive(Debug)]
pub enum News {
    /// A listing begins.
    Begin,
    /// A line of the watch.
    Change(Value),
    /// The whole collection.
    List(Value),
}

impl Told {
    /// The whole collection, as a list answers.
    pub fn listed(source: Source, list: Value) -> Self {
        Self { source, news: News::List(list) }
    }
}

/// Everything that is told about the collections at these paths. Ends with an error, or never.
pub fn all(client: &Client, sources: [(Source, String); 3]) -> BoxStream<'static, Result<Told, ClientError>> {
    select_all(sources.map(|(source, path)| follow(client.clone(), source, path))).boxed()
}

struct Feed {
    client: Client,
    path: String,
    open: Option<BoxStream<'static, Result<Value, ClientError>>>,
    failures: u32,
}

fn follow(client: Client, source: Source, path: String) -> BoxStream<'static, Result<Told, ClientError>> {
    let feed = Feed { client, path, open: None, failures: 0 };
    let news = stream::unfold(Some(feed), |feed| async {
        let mut feed = feed?;
        match feed.next().await {
            Ok(news) => Some((Ok(news), Some(feed))),
            Err(error) => Some((Err(error), None)),
        }
    });
    news.map(move |news| news.map(|news| Told { source, news })).boxed()
}

impl Feed {
    async fn next(&mut self) -> Result<News, ClientError> {
        loop {
            let result = match &mut self.open {
                Some(open) => match open.next().await {
                    Some(Ok(change)) => {
                        self.failures = 0;
                        return Ok(News::Change(change));
                    }
                    Some(Err(error)) => Err(error),
                    None => Ok(()),
                },
                None => match self.client.watch(&self.path).await {
                    Ok(open) => {
                        self.open = Some(open);
                        return Ok(News::Begin);
                    }
                    Err(error) => Err(error),
                },
            };
            self.open = None;
            self.failures += 1;
            match result {
                Err(error) if self.failures > ATTEMPTS || !passing(&error) => return Err(error),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// Whether trying again may help.
fn passing(error: &ClientError) -> bool {
    matches!(error, ClientError::Unreachable { .. } | ClientError::Answer { .. } | ClientError::Refused(_))
}
