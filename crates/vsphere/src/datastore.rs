//! Files on datastores: their names, their URLs, and reading what belongs to them over HTTPS.

mod file;
mod path;

pub use file::{DatastoreFile, FileError};
pub use path::{DatastorePath, InvalidDatastorePath};
