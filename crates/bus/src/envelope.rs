//! The headers of a message: duplicate id, CloudEvents 1.0 in binary mode (each attribute a header `ce-…`,
//! percent-encoded as section 3.1.3 of the NATS binding says) and the W3C trace parent. Pure.

use async_nats::HeaderMap;
use async_nats::header::{NATS_MESSAGE_ID, NATS_MESSAGE_TTL};
use jiff::Timestamp;
use serde::Deserialize;

pub(crate) const TYPE: &str = "ce-type";
const TRACEPARENT: &str = "traceparent";

/// What is said about a body.
pub(crate) struct Envelope<'a> {
    /// Message type and version.
    pub kind: &'a str,
    /// The id by which the server drops duplicates, if it may.
    pub duplicate_id: Option<&'a str>,
    /// Unique id of the event.
    pub event_id: &'a str,
    /// Who publishes: `/longshore/<service>`.
    pub source: &'a str,
    /// When.
    pub time: Timestamp,
    /// Whole seconds until the server drops the message.
    pub ttl: Option<u64>,
    /// The span that publishes.
    pub traceparent: Option<&'a str>,
}

impl Envelope<'_> {
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| headers.insert(name, encode(value));
        put("ce-specversion", "1.0");
        put(TYPE, self.kind);
        put("ce-id", self.event_id);
        put("ce-source", self.source);
        put("ce-time", &self.time.to_string());
        put("ce-datacontenttype", "application/json");
        if let Some(traceparent) = self.traceparent {
            put(TRACEPARENT, traceparent);
        }
        if let Some(id) = self.duplicate_id {
            headers.insert(NATS_MESSAGE_ID, encode(id));
        }
        if let Some(ttl) = self.ttl {
            headers.insert(NATS_MESSAGE_TTL, ttl.to_string());
        }
        headers
    }
}

/// The type of a message: its header, or for a server's advisory the field `type` of its body.
pub(crate) fn kind_of(subject: &str, headers: Option<&HeaderMap>, body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Advisory {
        r#type: String,
    }
    if subject.starts_with("$JS.EVENT.") {
        return serde_json::from_slice(body).ok().map(|advisory: Advisory| advisory.r#type);
    }
    headers.and_then(|headers| headers.get(TYPE)).map(|value| decode(value.as_str()))
}

/// The duplicate id of a stored message.
pub(crate) fn duplicate_id_of(headers: &HeaderMap) -> Option<String> {
    headers.get(NATS_MESSAGE_ID).map(|value| decode(value.as_str()))
}

/// Space, `"`, `%` and everything outside printable ASCII become `%XX`, byte by byte.
pub(crate) fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Reverses [`encode`]; what is no escape is taken as it is, as the CloudEvents binding asks of receivers.
pub(crate) fn decode(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let escaped = (*first == b'%').then(|| tail.split_at_checked(2)).flatten();
        let byte = escaped.and_then(|(hex, _)| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        if let (Some(byte), Some((_, after))) = (byte, escaped) {
            bytes.push(byte);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_survive_the_percent_encoding() {
        assert_eq!(encode("a b\"c%d\r\né€"), "a%20b%22c%25d%0D%0A%C3%A9%E2%82%AC");
        for text in ["vm.changed.v1/p/vm-1/1-2", "über 100 % \"sure\"\n", "%", "%4", "%zz", ""] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(decode("100%"), "100%");
    }

    #[test]
    fn an_envelope_is_a_cloud_event_in_binary_mode() {
        let time = Timestamp::UNIX_EPOCH;
        let headers = Envelope {
            kind: "vm.changed.v1",
            duplicate_id: Some("vm.changed.v1/p/vm 1/1-1"),
            event_id: "vm.changed.v1/p/vm 1/1-1",
            source: "/longshore/inventory",
            time,
            ttl: Some(86_400),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        }
        .headers();
        let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        assert_eq!(text("ce-specversion").as_deref(), Some("1.0"));
        assert_eq!(text("ce-type").as_deref(), Some("vm.changed.v1"));
        assert_eq!(text("ce-id").as_deref(), Some("vm.changed.v1/p/vm%201/1-1"));
        assert_eq!(text("ce-source").as_deref(), Some("/longshore/inventory"));
        assert_eq!(text("ce-time").as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(text("ce-datacontenttype").as_deref(), Some("application/json"));
        assert_eq!(text("Nats-TTL").as_deref(), Some("86400"));
        assert_eq!(duplicate_id_of(&headers).as_deref(), Some("vm.changed.v1/p/vm 1/1-1"));
        assert_eq!(kind_of("longshore.v1.x", Some(&headers), b"{}").as_deref(), Some("vm.changed.v1"));
        assert!(text("traceparent").is_some());
    }

    #[test]
    fn an_advisory_names_its_type_in_its_body() {
        let body = br#"{"type":"io.nats.jetstream.advisory.v1.max_deliver","stream":"JOBS"}"#;
        let kind = kind_of("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.JOBS.x", None, body);
        assert_eq!(kind.as_deref(), Some("io.nats.jetstream.advisory.v1.max_deliver"));
        assert_eq!(kind_of("longshore.v1.job.x", None, body), None);
    }
}
