//! The context file: where the services listen and the token they ask for. Written by who serves, read by the
//! commands that talk to them. Only its owner may read it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use serde_json::json;
use trust::Secret;
use url::Url;

use crate::client::{Client, ClientError};

/// What a context file holds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Context {
    /// Address of the controller's HTTP API.
    pub controller: Url,
    /// Address of the inventory's, if it is known.
    #[serde(default)]
    pub inventory: Option<Url>,
    /// The bearer token.
    pub token: Secret<String>,
}

/// Reads the context file and makes a client of it.
pub fn open(given: Option<&Path>) -> anyhow::Result<Client> {
    let path = path(given)?;
    Client::new(read(&path)?, path)
}

/// The file to use: `given`, else the one in the configuration folder of this user.
pub fn path(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    match given {
        Some(path) => Ok(path.to_owned()),
        None => Ok(home("XDG_CONFIG_HOME", ".config")?.join("longshore").join("context.json")),
    }
}

/// A folder of this user, by the XDG base directory specification.
pub fn home(variable: &str, default: &str) -> anyhow::Result<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    if let Some(path) = std::env::var_os(variable).map(PathBuf::from).filter(absolute) {
        return Ok(path);
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(absolute);
    home.map(|home| home.join(default))
        .ok_or_else(|| anyhow!("neither {variable} nor HOME is set; name files by flags"))
}

fn read(path: &Path) -> anyhow::Result<Context> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(ClientError::NoContext { file: path.to_owned() }.into());
        }
        Err(error) => return Err(error).with_context(|| format!("can't read the context file {}", path.display())),
    };
    // serde_json's errors can quote the text, and the text holds the token: only the place is told.
    serde_json::from_str(&text).map_err(|error| {
        anyhow!(
            "the context file {} is broken at line {}; start `longshore up` again, it writes a new one",
            path.display(),
            error.line()
        )
    })
}

/// Writes the file with mode 0600, its folder with 0700 if it isn't there. It appears whole or not at all.
pub fn write(path: &Path, context: &Context) -> anyhow::Result<()> {
    let text = json!({
        "controller": context.controller,
        "inventory": context.inventory,
        "token": context.token.expose(),
    });
    let beside = path.with_extension(format!("json.{}", std::process::id()));
    let written = (|| {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        writeln!(file, "{text:#}")?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    written
        .with_context(|| format!("can't write the context file {}; choose another one with --context", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn context() -> Context {
        Context {
            controller: Url::parse("http://127.0.0.1:7680").unwrap(),
            inventory: None,
            token: Secret::new("s3cret".to_owned()),
        }
    }

    #[test]
    fn what_was_written_is_read_and_only_the_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/context.json");
        write(&path, &context()).unwrap();
        assert_eq!(read(&path).unwrap(), context());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_another_mode_is_replaced_by_a_private_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("context.json");
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, &context()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_missing_file_says_how_to_get_one() {
        let error = read(Path::new("/nowhere/context.json")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/context.json") && error.contains("`longshore up`"), "{error}");
    }

    #[test]
    fn a_broken_file_does_not_show_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("context.json");
        fs::write(&path, "{\n\"controller\": \"s3cret\", \"token\": \"s3cret\"}").unwrap();
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(error.contains("line 2") && !error.contains("s3cret"), "{error}");
    }
}
