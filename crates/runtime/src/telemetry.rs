//! Logs: events with fields, as text or JSON lines, always on stderr. Traces to an OTLP endpoint come later.

use std::io::IsTerminal;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people; coloured on a terminal unless `NO_COLOR` is set.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Logging can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is no list of `target=level`.
    #[error("`{filter}` is no log filter; write a level such as `info`, or `info,bus=debug`")]
    Filter {
        /// What was given.
        filter: String,
        /// Why it can't be read.
        #[source]
        source: Box<tracing_subscriber::filter::ParseError>,
    },
    /// Something in this process did it before.
    #[error("logging was set up before")]
    Twice(#[source] Box<tracing_subscriber::util::TryInitError>),
    /// Neither `text` nor `json`.
    #[error("`{0}` is no log format; use `text` or `json`")]
    Format(String),
}

impl FromStr for Format {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(TelemetryError::Format(text.to_owned())),
        }
    }
}

/// Sets the process-wide subscriber up; once a process. `filter` as in `info,bus=debug`.
pub fn init(format: Format, filter: &str) -> Result<(), TelemetryError> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source: Box::new(source) })?;
    let builder = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    let twice = |error| TelemetryError::Twice(Box::new(error));
    match format {
        Format::Json => builder.json().flatten_event(true).finish().try_init().map_err(twice),
        Format::Text => builder.with_ansi(coloured()).finish().try_init().map_err(twice),
    }
}

fn coloured() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_filter_is_shown_with_what_to_write() {
        let error = init(Format::Text, "bus=loud").unwrap_err();
        assert!(error.to_string().contains("`bus=loud`"), "{error}");
    }

    #[test]
    fn formats_are_text_and_json() {
        assert_eq!("json".parse::<Format>().unwrap(), Format::Json);
        assert!("xml".parse::<Format>().is_err());
    }
}
