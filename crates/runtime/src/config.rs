//! Typed configuration from four places, each stronger than the one before: defaults of the type, a TOML file,
//! `LONGSHORE_*` variables, flags. An error names the key and the place it came from.

mod error;
mod unknown;

use std::path::Path;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::{ConfigError, Place};
use unknown::Tracked;

/// Begins the name of every variable that is read.
pub const PREFIX: &str = "LONGSHORE_";

/// Separates the parts of a nested key in a variable: `LONGSHORE_TRANSFER__WORKERS` is `transfer.workers`.
const NESTED: &str = "__";

/// Reads `T`: defaults come from its serde attributes, then `file` (which must exist if given), variables that
/// begin with `prefix`, and `overrides` (flags; null or absent fields override nothing). A key of the file that `T`
/// does not have is an error, so is a variable with a nested unknown key; other unknown variables are ignored, for
/// Kubernetes sets `LONGSHORE_PORT` and the like for a Service of that name.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    prefix: &str,
    overrides: impl Serialize,
) -> Result<T, ConfigError> {
    load_over(&serde_json::json!({}), file, prefix, overrides)
}

/// The same, over defaults that only the caller knows.
pub fn load_over<T: DeserializeOwned>(
    defaults: &serde_json::Value,
    file: Option<&Path>,
    prefix: &str,
    overrides: impl Serialize,
) -> Result<T, ConfigError> {
    let mut figment = Figment::from(Serialized::defaults(defaults));
    if let Some(path) = file {
        readable(path)?;
        figment = figment.merge(Toml::file_exact(path));
    }
    let flags = without_nulls(serde_json::to_value(overrides).map_err(ConfigError::Flags)?);
    figment = figment.merge(Env::prefixed(prefix).split(NESTED));
    figment = figment.merge(Serialized::globals(flags));
    let tracked: Tracked<T> = figment.extract().map_err(|error| ConfigError::from_figment(error, prefix))?;
    tracked.check(&figment, prefix)
}

/// figment takes a missing file for an empty one unless asked.
fn readable(path: &Path) -> Result<(), ConfigError> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(()),
        Err(source) => Err(ConfigError::File { path: path.to_owned(), source }),
    }
}

fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
