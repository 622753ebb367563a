//! How long ago something was, as short as kubectl says it.

use jiff::Timestamp;
use serde_json::Value;

/// The age of an RFC 3339 time; `<unknown>` if it is none.
pub fn since(time: Option<&Value>, now: Timestamp) -> String {
    match time.and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok()) {
        Some(then) => short(now.as_second() - then.as_second()),
        None => "<unknown>".to_owned(),
    }
}

/// Seconds in the largest unit of which there are at least two, or so.
fn short(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ ..120 => format!("{seconds}s"),
        seconds @ ..7200 => format!("{}m", seconds / 60),
        seconds @ ..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_grow_through_the_units() {
        for (seconds, text) in [(-5, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_800, "2d")] {
            assert_eq!(short(seconds), text);
        }
    }

    #[test]
    fn what_is_no_time_is_unknown() {
        assert_eq!(since(Some(&Value::from("yesterday")), Timestamp::UNIX_EPOCH), "<unknown>");
        assert_eq!(since(None, Timestamp::UNIX_EPOCH), "<unknown>");
    }
}
