//! The data directory: private to its owner, one subfolder a service with a lock that names its holder, and the
//! token of the HTTP listeners. What lies in the subfolders belongs to the services.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use trust::Secret;

/// Bytes of randomness in a generated token.
const TOKEN_BYTES: usize = 32;

/// An open data directory. Clones name the same one.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
}

/// A subfolder held by this process until it is dropped, or the process ends in any way.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

/// What can't be done with a data directory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder could not be made.
    #[error("can't create the folder {}; choose another one with --data-dir", .path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        #[allow(missing_docs)]
        source: io::Error,
    },
    /// Another process works on the folder.
    #[error("{} is in use by {holder}; stop it first, or choose another folder with --data-dir", .path.display())]
    Held {
        /// The folder.
        path: PathBuf,
        /// `process 123`, or `another process` if it left no number.
        holder: String,
    },
    /// The lock file could not be opened or written.
    #[error("can't lock {}", .path.display())]
    Lock {
        /// The folder.
        path: PathBuf,
        #[allow(missing_docs)]
        source: io::Error,
    },
    /// The token could not be read or made.
    #[error("can't read or create the token in {}", .path.display())]
    Token {
        /// The token's file.
        path: PathBuf,
        #[allow(missing_docs)]
        source: io::Error,
    },
    /// The token's file has nothing in it.
    #[error("the token in {} is empty; delete the file, a new one is made at the next start", .path.display())]
    EmptyToken {
        /// The token's file.
        path: PathBuf,
    },
}

impl DataDir {
    /// Opens the folder; makes it with mode 0700 if it isn't there.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        create(&path)?;
        Ok(Self { path })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.path
    }

    /// A path inside the folder; makes nothing.
    pub fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.path.join(inside)
    }

    /// Makes the subfolder `name` (0700) and locks it for this process, without waiting.
    pub fn lock(&self, name: &str) -> Result<Lock, Error> {
        let path = self.path(name);
        create(&path)?;
        let failed = |source| Error::Lock { path: path.clone(), source };
        let mut file = private().create(true).truncate(false).read(true).open(path.join("lock")).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::Held { holder: holder(&mut file), path }),
            Err(errno) => return Err(failed(errno.into())),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Lock { path, _file: file })
    }

    /// The token that HTTP clients of this machine show: read from `token`, made (mode 0600) if there is none.
    /// Several processes that start at once get the same.
    pub fn token(&self) -> Result<Secret<String>, Error> {
        let path = self.path("token");
        let failed = |source| Error::Token { path: path.clone(), source };
        if !path.try_exists().map_err(failed)? {
            make_token(&path).map_err(failed)?;
        }
        let text = fs::read_to_string(&path).map_err(failed)?;
        match text.trim() {
            "" => Err(Error::EmptyToken { path }),
            token => Ok(Secret::new(token.to_owned())),
        }
    }
}

impl Lock {
    /// The locked subfolder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn create(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| Error::Create { path: path.to_owned(), source })
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        _ => "another process".to_owned(),
    }
}

/// Writes the token beside its place and links it there: whoever links first wins, and nobody sees half of it.
fn make_token(path: &Path) -> io::Result<()> {
    let mut random = [0; TOKEN_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let beside = path.with_extension(std::process::id().to_string());
    let mut file = private().create(true).truncate(true).open(&beside)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folder_subfolder_and_token_are_private() {
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::open(root.path().join("a/b")).unwrap();
        let lock = data.lock("inventory").unwrap();
        data.token().unwrap();
        assert_eq!((mode(data.root()), mode(lock.path()), mode(&data.path("token"))), (0o700, 0o700, 0o600));
    }

    #[test]
    fn a_second_lock_names_the_holder_and_a_freed_one_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::open(root.path()).unwrap();
        let lock = data.lock("transfer").unwrap();
        let error = data.lock("transfer").unwrap_err().to_string();
        assert!(error.contains(&format!("in use by process {}", std::process::id())), "{error}");
        data.lock("inventory").unwrap();
        drop(lock);
        data.lock("transfer").unwrap();
    }

    #[test]
    fn the_token_is_made_once_and_long() {
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::open(root.path()).unwrap();
        let first = data.token().unwrap();
        assert_eq!(first.expose().len(), 2 * TOKEN_BYTES);
        assert_eq!(data.token().unwrap(), first);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_token_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::open(root.path()).unwrap();
        fs::write(data.path("token"), "\n").unwrap();
        assert!(matches!(data.token(), Err(Error::EmptyToken { .. })));
    }
}
