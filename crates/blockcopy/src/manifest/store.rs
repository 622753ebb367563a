//! A manifest in a file: replaced as a whole, and durable once saved.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{FormatError, Manifest};
use crate::blocking;

/// What failed with a manifest's file.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It could not be read.
    #[error("can't read the manifest {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its content is not a manifest.
    #[error("{} can't be used as a manifest; delete it, and the disk is copied from its start", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: FormatError,
    },
    /// It could not be written.
    #[error("can't write the manifest {}; see to space and rights in its folder", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Manifest {
    /// Writes the file beside its place, makes it durable, and moves it there; then makes the folder durable.
    /// A crash leaves the old file or the new one.
    pub async fn save(&self, path: &Path) -> Result<(), ManifestError> {
        let (bytes, to) = (self.encode(), path.to_owned());
        let written = blocking::run(move || replace(&to, &bytes)).await.and_then(|result| result);
        written.map_err(|source| ManifestError::Write { path: path.to_owned(), source })
    }

    /// Reads a file; `None` if there is none.
    pub async fn load(path: &Path) -> Result<Option<Self>, ManifestError> {
        let from = path.to_owned();
        let bytes = match blocking::run(move || std::fs::read(from)).await.and_then(|result| result) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ManifestError::Read { path: path.to_owned(), source }),
        };
        let decoded = Self::decode(&bytes);
        decoded.map(Some).map_err(|source| ManifestError::Format { path: path.to_owned(), source })
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    });
    if written.is_err() {
        // The first error is the one to report; what is left is overwritten by the next attempt.
        let _leftover = std::fs::remove_file(&temporary);
    }
    written?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::SourceState;

    #[tokio::test]
    async fn a_saved_manifest_is_loaded_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk-2000.img.manifest");
        assert_eq!(Manifest::load(&path).await.unwrap(), None);
        let manifest = Manifest::new(7, SourceState::new("s"));
        manifest.save(&path).await.unwrap();
        manifest.save(&path).await.unwrap();
        assert_eq!(Manifest::load(&path).await.unwrap(), Some(manifest));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_failed_save_names_the_file_and_keeps_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.manifest");
        std::fs::create_dir(&path).unwrap();
        let error = Manifest::new(7, None).save(&path).await.unwrap_err();
        assert!(error.to_string().contains("disk.manifest"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_file_of_something_else_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.manifest");
        std::fs::write(&path, "hello").unwrap();
        let error = Manifest::load(&path).await.unwrap_err();
        assert!(matches!(error, ManifestError::Format { source: FormatError::Foreign, .. }), "{error}");
    }
}
