//! The small form of a copy that is under way: which chunks are done and one hash over theirs. It says whether a
//! manifest is the one that it was made of; the hashes themselves are in the manifest.

use serde::{Deserialize, Serialize};

use crate::chunk::{CHUNK, Hash};
use crate::manifest::{Manifest, SourceState};

/// JSON fit for a key-value bucket: a disk without holes in its progress takes some 200 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// Length of the disk in bytes.
    pub length: u64,
    /// Bytes of a chunk.
    pub chunk: u64,
    /// Runs of chunks that are done: `[first, count]`, ascending.
    pub done: Vec<(u64, u64)>,
    /// BLAKE3 over the hashes of the chunks that are done, in hex.
    pub root: String,
    /// The state the source was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SourceState>,
}

impl Checkpoint {
    /// The checkpoint of `manifest`, complete or not.
    pub fn of(manifest: &Manifest) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut done: Vec<(u64, u64)> = Vec::new();
        for (index, hash) in manifest.known() {
            hasher.update(hash.as_bytes());
            match done.last_mut() {
                Some((first, count)) if *first + *count == index => *count += 1,
                _ => done.push((index, 1)),
            }
        }
        let root = Hash::to_hex(&hasher.finalize()).to_string();
        Self { length: manifest.length(), chunk: CHUNK, done, root, state: manifest.state().cloned() }
    }

    /// Whether `manifest` has exactly the chunks and hashes of this checkpoint.
    pub fn matches(&self, manifest: &Manifest) -> bool {
        *self == Self::of(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_knows_its_manifest_again() {
        let mut manifest = Manifest::new(5 * CHUNK, SourceState::new("52 3a"));
        for index in [0, 1, 3] {
            manifest.set(index, blake3::hash(&[1]));
        }
        let checkpoint = Checkpoint::of(&manifest);
        assert_eq!(checkpoint.done, [(0, 2), (3, 1)]);
        let json = serde_json::to_string(&checkpoint).unwrap();
        assert_eq!(serde_json::from_str::<Checkpoint>(&json).unwrap(), checkpoint);
        assert!(checkpoint.matches(&manifest));
        manifest.set(1, blake3::hash(&[2]));
        assert!(!checkpoint.matches(&manifest));
    }
}
