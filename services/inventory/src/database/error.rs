//! What can go wrong with the inventory's database.

use std::path::PathBuf;

/// A failed operation on the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be opened or made.
    #[error("opening the inventory database {path}: check that the folder is writable and the file is undamaged")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The tables can't be brought to this version.
    #[error("bringing the inventory database {path} to this version; an older Longshore can't use a newer file")]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A query failed.
    #[error("{what} in the inventory database")]
    Query {
        /// What was attempted.
        what: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds something that this version can't read.
    #[error("reading {what} from the inventory database")]
    Row {
        /// Which object.
        what: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// There is no such provider.
    #[error("provider {0} is not in the inventory database")]
    NoProvider(String),
}

/// Adds what was attempted to a database error.
pub(super) trait Attempt<T> {
    fn attempt(self, what: &'static str) -> Result<T, Error>;
}

impl<T> Attempt<T> for Result<T, sqlx::Error> {
    fn attempt(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Query { what, source })
    }
}
