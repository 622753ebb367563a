//! Says which key of the configuration is wrong and where the value came from, so that a person need not search
//! a file, the environment and the command line.

use std::fmt;
use std::path::PathBuf;

use figment::error::Kind;
use figment::{Metadata, Source};

use super::NESTED;

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be opened.
    #[error("can't read the configuration file {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        #[allow(missing_docs)]
        source: std::io::Error,
    },
    /// The file is no TOML, or something else that concerns no single key.
    #[error("{place} can't be read: {cause}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says, with line and column.
        cause: String,
    },
    /// A value has the wrong type or is out of range.
    #[error("`{key}` in {place} is wrong: {cause}")]
    Value {
        /// Dotted key.
        key: String,
        /// Where the value came from.
        place: Place,
        /// What was found and what was expected.
        cause: String,
    },
    /// A value that has no default was not given.
    #[error("`{key}` is missing; set it in the configuration file, by {variable} or by {flag}")]
    Missing {
        /// Dotted key.
        key: String,
        /// The variable that would set it.
        variable: String,
        /// The flag that would set it.
        flag: String,
    },
    /// A key that nothing reads.
    #[error("`{key}` in {place} is not known; is it misspelled?")]
    Unknown {
        /// Dotted key.
        key: String,
        /// Where it was given.
        place: Place,
    },
    /// The flags don't form a map; a bug of the caller.
    #[error("the flags can't be turned into configuration")]
    Flags(#[source] serde_json::Error),
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// A variable, by name.
    Variable(String),
    /// A flag, by name.
    Flag(String),
    /// The defaults, or several places.
    Defaults,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Flag(name) => write!(f, "the flag {name}"),
            Self::Defaults => f.write_str("the configuration"),
        }
    }
}

impl Place {
    pub(super) fn of(metadata: Option<&Metadata>, path: &[String], prefix: &str) -> Self {
        let Some(metadata) = metadata else { return Self::Defaults };
        match &metadata.source {
            Some(Source::File(file)) => Self::File(file.clone()),
            Some(Source::Code(_)) => Self::Flag(flag(path)),
            // figment's variables have no source, only a name with the prefix.
            _ if metadata.name.contains("environment") => Self::Variable(variable(path, prefix)),
            _ => Self::Defaults,
        }
    }
}

impl ConfigError {
    /// Takes the first of figment's errors: one at a time is enough to act on.
    pub(super) fn from_figment(error: figment::Error, prefix: &str) -> Self {
        let place = Place::of(error.metadata.as_ref(), &error.path, prefix);
        let key = error.path.join(".");
        match error.kind {
            Kind::MissingField(name) => {
                let path = within(error.path, &name);
                Self::Missing { key: path.join("."), variable: variable(&path, prefix), flag: flag(&path) }
            }
            Kind::UnknownField(name, _) => Self::Unknown { key: within(error.path, &name).join("."), place },
            kind if key.is_empty() => Self::Syntax { place, cause: kind.to_string().trim_end().to_owned() },
            kind => Self::Value { key, place, cause: kind.to_string() },
        }
    }
}

/// The path of a field. Of a field that is given figment's path names it already, of a missing one it ends before.
fn within(mut path: Vec<String>, field: &str) -> Vec<String> {
    if path.last().is_none_or(|last| last != field) {
        path.push(field.to_owned());
    }
    path
}

fn variable(path: &[String], prefix: &str) -> String {
    format!("{prefix}{}", path.join(NESTED).to_ascii_uppercase())
}

fn flag(path: &[String]) -> String {
    format!("--{}", path.join("-").replace('_', "-"))
}
