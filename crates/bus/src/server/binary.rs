//! Finds the nats-server program and refuses one that is too old.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::options::ServerError;
use crate::version::{self, Version};

const NAME: &str = "nats-server";
/// Printing a version takes milliseconds; a busy machine gets more.
const ANSWER: Duration = Duration::from_secs(20);

/// The program to run, checked.
pub(super) async fn find(given: Option<&Path>) -> Result<PathBuf, ServerError> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let candidates = candidates(
        given,
        variable("LONGSHORE_NATS_SERVER").as_deref(),
        variable("PATH").as_deref(),
        variable("HOME").as_deref(),
    );
    let Some(binary) = candidates.iter().find(|path| path.is_file()) else {
        let looked: Vec<_> = candidates.iter().map(|path| path.display().to_string()).collect();
        return Err(ServerError::Missing { looked: looked.join(", ") });
    };
    check(binary).await?;
    Ok(binary.clone())
}

/// Where to look, in order. One that is named explicitly is the only one.
fn candidates(
    given: Option<&Path>,
    variable: Option<&OsStr>,
    path: Option<&OsStr>,
    home: Option<&OsStr>,
) -> Vec<PathBuf> {
    if let Some(named) = given.or(variable.map(Path::new)) {
        return vec![named.to_owned()];
    }
    let path = path.map(std::env::split_paths).into_iter().flatten();
    let pip = home.map(|home| Path::new(home).join(".local/bin"));
    path.chain(pip).map(|folder| folder.join(NAME)).collect()
}

async fn check(binary: &Path) -> Result<(), ServerError> {
    let unusable = |said: String| ServerError::Unusable { binary: binary.to_owned(), said };
    let mut command = tokio::process::Command::new(binary);
    command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(ANSWER, command.output())
        .await
        .map_err(|_| unusable(format!("no answer to --version within {} s", ANSWER.as_secs())))?
        .map_err(|error| unusable(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let found = Version::parse(said.trim())
        .ok_or_else(|| unusable(format!("--version says `{}`", said.lines().next().unwrap_or_default())))?;
    if found < version::OLDEST {
        return Err(ServerError::TooOld { binary: binary.to_owned(), found });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_program_is_the_only_candidate() {
        let os = |text| Some(OsStr::new(text));
        assert_eq!(candidates(Some(Path::new("/a")), os("/b"), os("/c"), os("/d")), [PathBuf::from("/a")]);
        assert_eq!(candidates(None, os("/b"), os("/c"), os("/d")), [PathBuf::from("/b")]);
        let looked = candidates(None, None, os("/c:/e"), os("/d"));
        assert_eq!(looked, ["/c/nats-server", "/e/nats-server", "/d/.local/bin/nats-server"].map(PathBuf::from));
    }
}
