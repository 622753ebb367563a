//! Reads server-sent events out of a response's bytes, however they are cut into pieces.

use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use reqwest::Response;
use serde_json::Value;

use super::ClientError;

/// The data of each event as JSON.
pub fn values(response: Response, address: String) -> BoxStream<'static, Result<Value, ClientError>> {
    let mut lines = Lines::default();
    let chunks = response.bytes_stream();
    chunks
        .flat_map(move |chunk| {
            let address = address.clone();
            let items = match chunk {
                Err(source) => vec![Err(ClientError::Answer { address, source })],
                Ok(bytes) => lines
                    .push(&bytes)
                    .into_iter()
                    .map(|data| {
                        let address = address.clone();
                        serde_json::from_str(&data).map_err(|source| ClientError::Event { address, source })
                    })
                    .collect(),
            };
            stream::iter(items)
        })
        .boxed()
}

/// Collects lines, and the data lines of an event until the empty line that ends it.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    data: String,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let mut events = Vec::new();
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return events };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        for line in String::from_utf8_lossy(&whole).lines() {
            if let Some(data) = line.strip_prefix("data:") {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            } else if line.is_empty() && !self.data.is_empty() {
                events.push(std::mem::take(&mut self.data));
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_wherever_the_bytes_are_cut() {
        let text = ": keep-alive\n\ndata: {\"name\":\"ü\"}\n\nevent: x\ndata: 1\ndata: 2\n\ndata: unfinished";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            let (left, right) = text.as_bytes().split_at(cut);
            let events = [lines.push(left), lines.push(right)].concat();
            assert_eq!(events, ["{\"name\":\"ü\"}", "1\n2"], "cut at {cut}");
        }
    }
}
