//! Noticing changed Secret files, also those that another process wrote: the folder is looked at every two seconds.
//! File names carry namespace and name, escaped.

use std::collections::{BTreeMap, VecDeque};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use futures::StreamExt as _;

use super::object::id;
use super::{SecretChange, SecretChanges};
use crate::Error;

/// How often the folder is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// What tells one content of a file from another: it is always replaced by a new file.
type Stamp = (u64, i64, i64, u64);

/// Namespace and name of each Secret.
pub(super) type Found = BTreeMap<(String, String), Stamp>;

/// All changes under `dir`, beginning with what is there.
pub(super) fn watch(dir: PathBuf) -> SecretChanges {
    let state = Watch { dir, known: Found::new(), ready: VecDeque::new(), first: true };
    futures::stream::unfold(state, |mut state| async move { Some((state.next().await, state)) }).boxed()
}

struct Watch {
    dir: PathBuf,
    known: Found,
    ready: VecDeque<SecretChange>,
    first: bool,
}

impl Watch {
    async fn next(&mut self) -> Result<SecretChange, Error> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(change);
            }
            if !std::mem::take(&mut self.first) {
                tokio::time::sleep(INTERVAL).await;
            }
            let dir = self.dir.clone();
            let scanned = tokio::task::spawn_blocking(move || scan(&dir)).await;
            let found = scanned
                .unwrap_or_else(|error| Err(io::Error::other(error)))
                .map_err(|source| Error::Watch { what: id("*", "*").to_string(), source: source.into() })?;
            self.ready.extend(differences(&self.known, &found));
            self.known = found;
        }
    }
}

fn differences(old: &Found, new: &Found) -> Vec<SecretChange> {
    let changed = new
        .iter()
        .filter(|(key, stamp)| old.get(*key) != Some(*stamp))
        .map(|((namespace, name), _)| SecretChange::Changed { namespace: namespace.clone(), name: name.clone() });
    let removed = old
        .keys()
        .filter(|key| !new.contains_key(*key))
        .map(|(namespace, name)| SecretChange::Removed { namespace: namespace.clone(), name: name.clone() });
    changed.chain(removed).collect()
}

/// Every Secret file under `dir`; other files are passed over.
pub(super) fn scan(dir: &Path) -> io::Result<Found> {
    let mut found = Found::new();
    for folder in entries(dir)? {
        let folder = folder?;
        let Some(namespace) = folder.file_name().to_str().and_then(unescape) else { continue };
        if !folder.file_type()?.is_dir() {
            continue;
        }
        for file in entries(&folder.path())? {
            let file = file?;
            let file_name = file.file_name();
            let name = file_name.to_str().and_then(|name| name.strip_suffix(".json")).and_then(unescape);
            if let (Some(name), Ok(meta)) = (name, file.metadata()) {
                found.insert((namespace.clone(), name), (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()));
            }
        }
    }
    Ok(found)
}

/// The entries of a folder; none if it isn't there.
fn entries(dir: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>> + use<>> {
    let list = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        other => Some(other?),
    };
    Ok(list.into_iter().flatten())
}

/// A file name for any text: everything but small ASCII letters, digits and `-` becomes `=XX`, byte by byte.
pub(super) fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let byte = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("={b:02X}") };
    text.bytes().map(byte).collect()
}

/// The text of an escaped file name; nothing for a foreign one.
fn unescape(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut parts = name.split('=');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty() && escape(text) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_says_which_secret_it_is_and_leads_nowhere_else() {
        for text in ["vc", "a.b", "../../etc/passwd", "Ä b", "="] {
            let name = escape(text);
            assert!(!name.contains(['/', '.']), "{name}");
            assert_eq!(unescape(&name).as_deref(), Some(text));
        }
        for foreign in ["", "=", "=2", "=zz", "=61", "a.b", "A"] {
            assert_eq!(unescape(foreign), None, "{foreign}");
        }
    }
}
