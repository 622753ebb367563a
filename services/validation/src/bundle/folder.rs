//! Reads a folder of rules from disk. Follows links, for a mounted ConfigMap is made of them; skips names that
//! begin with a dot, for it has those too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::header::Provider;
use super::problem::{BundleError, Problem};
use super::rule::LARGEST;

/// Path in the bundle and text of every rule file in `folder`.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<String, String>, BundleError> {
    let mut files = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, path) in entries(folder)? {
        if path.is_dir() {
            let known = Provider::ALL.iter().any(|provider| provider.folder() == name);
            for (file, path) in entries(&path)?.into_iter().filter(|(file, _)| is_rule(file)) {
                let file = format!("{name}/{file}");
                match read_rule(&file, &path, known)? {
                    Ok(text) => _ = files.insert(file, text),
                    Err(problem) => problems.push(problem),
                }
            }
        } else if is_rule(&name) {
            problems.push(misplaced(&name));
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(BundleError::Rules { problems }) }
}

fn read_rule(file: &str, path: &Path, known: bool) -> Result<Result<String, Problem>, BundleError> {
    if !known {
        return Ok(Err(misplaced(file)));
    }
    let size = fs::metadata(path).map_err(failed(path))?.len();
    if size > LARGEST as u64 {
        return Ok(Err(Problem::new(file, format!("it has {size} bytes; a rule has at most {LARGEST}"))));
    }
    let bytes = fs::read(path).map_err(failed(path))?;
    Ok(String::from_utf8(bytes).map_err(|_| Problem::new(file, "it is not UTF-8 text")))
}

fn misplaced(file: &str) -> Problem {
    let folders = Provider::ALL.map(Provider::folder).join(" or ");
    Problem::new(file, format!("a rule lies in the folder of its provider: {folders}"))
}

fn is_rule(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "rhai")
}

/// Name and path of everything in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, BundleError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> BundleError + '_ {
    move |source| BundleError::Read { path: path.to_owned(), source }
}
