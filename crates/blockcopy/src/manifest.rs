//! The hash of every chunk of a disk, and the state the source was in when they were read. Complete, it proves a
//! copy; incomplete, it is what a next attempt can keep. How it lies in a file is in `format`.

mod format;
mod store;

use serde::{Deserialize, Serialize};

use crate::chunk::{self, Hash};

pub use format::{FormatError, SEGMENT};
pub use store::ManifestError;

/// A token for the state of a source, given by whoever can know it (a change id; the ledger's proof that a VM
/// stayed off and its configuration unchanged). Two equal tokens mean equal bytes; nothing else is read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceState(String);

impl SourceState {
    /// The token, or `None` for an empty one, which proves nothing.
    pub fn new(token: impl Into<String>) -> Option<Self> {
        let token = token.into();
        (!token.is_empty()).then_some(Self(token))
    }

    /// The token's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Hashes by chunk; some may still be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    length: u64,
    state: Option<SourceState>,
    hashes: Vec<Option<Hash>>,
}

impl Manifest {
    /// A manifest of `length` bytes without any hash.
    pub fn new(length: u64, state: Option<SourceState>) -> Self {
        let chunks = usize::try_from(chunk::count(length)).unwrap_or(usize::MAX);
        Self { length, state, hashes: vec![None; chunks] }
    }

    /// Length of the disk in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The state the source was in.
    pub fn state(&self) -> Option<&SourceState> {
        self.state.as_ref()
    }

    /// The hash of chunk `index`, if it was copied.
    pub fn hash(&self, index: u64) -> Option<Hash> {
        usize::try_from(index).ok().and_then(|index| self.hashes.get(index).copied().flatten())
    }

    /// Records the hash of a chunk; an index behind the end is nothing to record.
    pub fn set(&mut self, index: u64, hash: Hash) {
        if let Some(slot) = usize::try_from(index).ok().and_then(|index| self.hashes.get_mut(index)) {
            *slot = Some(hash);
        }
    }

    /// The chunks that have a hash, ascending.
    pub fn known(&self) -> impl Iterator<Item = (u64, Hash)> {
        (0..).zip(&self.hashes).filter_map(|(index, hash)| hash.map(|hash| (index, hash)))
    }

    /// Whether every chunk has its hash.
    pub fn is_complete(&self) -> bool {
        self.hashes.iter().all(Option::is_some)
    }

    /// BLAKE3 over the hashes of all chunks in order; `None` while one is missing.
    pub fn root(&self) -> Option<Hash> {
        let mut hasher = blake3::Hasher::new();
        for hash in &self.hashes {
            hasher.update((*hash)?.as_bytes());
        }
        Some(hasher.finalize())
    }

    /// Whether both speak of a source in one and the same proven state.
    pub(crate) fn same_state(&self, state: Option<&SourceState>) -> bool {
        self.state.is_some() && self.state.as_ref() == state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::CHUNK;

    #[test]
    fn the_root_is_the_hash_over_all_chunk_hashes() {
        let mut manifest = Manifest::new(CHUNK + 1, None);
        let (a, b) = (blake3::hash(b"a"), blake3::hash(b"b"));
        manifest.set(1, b);
        assert_eq!((manifest.root(), manifest.is_complete()), (None, false));
        manifest.set(0, a);
        let expected = blake3::hash(&[*a.as_bytes(), *b.as_bytes()].concat());
        assert_eq!(manifest.root(), Some(expected));
    }

    #[test]
    fn no_state_is_never_the_same_state() {
        let (state, other) = (SourceState::new("a"), SourceState::new("b"));
        assert_eq!(SourceState::new(""), None);
        assert!(!Manifest::new(0, None).same_state(None));
        assert!(!Manifest::new(0, state.clone()).same_state(None));
        assert!(!Manifest::new(0, state.clone()).same_state(other.as_ref()));
        assert!(Manifest::new(0, state.clone()).same_state(state.as_ref()));
    }
}
