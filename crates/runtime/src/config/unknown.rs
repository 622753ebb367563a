//! Finds keys that were given but that nothing reads. A misspelled key in a file must not be silently ignored.

use figment::Figment;
use serde::{Deserialize, Deserializer};

use super::error::{ConfigError, Place};

/// A value together with the paths that its type ignored.
pub(super) struct Tracked<T> {
    value: T,
    ignored: Vec<Vec<String>>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tracked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut ignored = Vec::new();
        let value = serde_ignored::deserialize(deserializer, |path| ignored.push(keys(&path)))?;
        Ok(Self { value, ignored })
    }
}

impl<T> Tracked<T> {
    /// The value, unless a key was given in vain.
    pub(super) fn check(self, figment: &Figment, prefix: &str) -> Result<T, ConfigError> {
        for path in &self.ignored {
            let key = path.join(".");
            let place = Place::of(figment.find_metadata(&key), path, prefix);
            if !matches!(place, Place::Variable(_)) || path.len() > 1 {
                return Err(ConfigError::Unknown { key, place });
            }
        }
        Ok(self.value)
    }
}

/// The map keys of a path, without the steps into options and newtypes.
fn keys(path: &serde_ignored::Path<'_>) -> Vec<String> {
    use serde_ignored::Path;
    match path {
        Path::Root => Vec::new(),
        Path::Map { parent, key } => [keys(parent), vec![key.clone()]].concat(),
        Path::Seq { parent, index } => [keys(parent), vec![index.to_string()]].concat(),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => keys(parent),
    }
}
