//! A manifest as bytes. All numbers are little-endian; each part carries its own BLAKE3, so that a torn or foreign
//! file is refused, never half believed.
//!
//! ```text
//! header   magic "LONGSHMF" 8 · version u16 = 1 · reserved u16 = 0 · state bytes u32 · chunk bytes u64 · length u64
//!          · state (UTF-8, may be empty) · BLAKE3 over all of the header so far 32
//! segment  hashes of up to 1,024 chunks, 32 each (32 zero bytes: not copied yet) · BLAKE3 over them 32
//! ```
//! Segments follow one another until every chunk has its place; nothing follows the last.

use super::{Manifest, SourceState};
use crate::chunk::{self, CHUNK, Hash};

/// Chunks of a segment: 32 KiB of hashes for 1 GiB of disk, small enough to travel by itself.
pub const SEGMENT: usize = 1024;

const MAGIC: &[u8; 8] = b"LONGSHMF";
const VERSION: u16 = 1;
const HASH: usize = 32;
const MISSING: [u8; HASH] = [0; HASH];

/// Bytes that are no manifest of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Another kind of file.
    #[error("it is not a Longshore manifest")]
    Foreign,
    /// Written by a newer Longshore.
    #[error("it has format version {found}, this Longshore reads version {VERSION}; use the newer Longshore")]
    Version {
        /// Its version.
        found: u16,
    },
    /// Chunks of another size.
    #[error("its chunks have {found} bytes, this Longshore's have {CHUNK}")]
    Chunk {
        /// Its chunk size.
        found: u64,
    },
    /// Cut off, or something follows its end.
    #[error("it ends at the wrong place; it was cut off or written over")]
    Length,
    /// A part's hash is not that of its bytes.
    #[error("its part at byte {at} is damaged")]
    Damaged {
        /// Where the part begins.
        at: usize,
    },
}

impl Manifest {
    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let state = self.state.as_ref().map_or("", |state| &state.0).as_bytes();
        let mut out = Vec::with_capacity(96 + state.len() + self.hashes.len() * (HASH + 1));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&u32::try_from(state.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&CHUNK.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(state);
        seal(&mut out, 0);
        for segment in self.hashes.chunks(SEGMENT) {
            let start = out.len();
            for hash in segment {
                out.extend_from_slice(hash.as_ref().map_or(&MISSING[..], Hash::as_slice));
            }
            seal(&mut out, start);
        }
        out
    }

    /// Reads the bytes of a file.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.take(MAGIC.len()).map_err(|_| FormatError::Foreign)? != MAGIC {
            return Err(FormatError::Foreign);
        }
        let version = u16::from_le_bytes(reader.array()?);
        if version != VERSION {
            return Err(FormatError::Version { found: version });
        }
        let _reserved: [u8; 2] = reader.array()?;
        let state_len = u32::from_le_bytes(reader.array()?);
        let (chunk, length) = (u64::from_le_bytes(reader.array()?), u64::from_le_bytes(reader.array()?));
        let state = reader.take(usize::try_from(state_len).unwrap_or(usize::MAX))?;
        reader.check_seal(0)?;
        if chunk != CHUNK {
            return Err(FormatError::Chunk { found: chunk });
        }
        let state = std::str::from_utf8(state).map_err(|_| FormatError::Damaged { at: 0 })?;
        let hashes = reader.hashes(chunk::count(length))?;
        Ok(Self { length, state: SourceState::new(state), hashes })
    }
}

fn seal(out: &mut Vec<u8>, start: usize) {
    let hash = blake3::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(hash.as_bytes());
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let end = self.at.checked_add(count).ok_or(FormatError::Length)?;
        let taken = self.bytes.get(self.at..end).ok_or(FormatError::Length)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        self.take(N)?.try_into().map_err(|_| FormatError::Length)
    }

    fn check_seal(&mut self, start: usize) -> Result<(), FormatError> {
        let hash = blake3::hash(self.bytes.get(start..self.at).unwrap_or_default());
        let found: [u8; HASH] = self.array()?;
        if hash == found { Ok(()) } else { Err(FormatError::Damaged { at: start }) }
    }

    fn hashes(&mut self, chunks: u64) -> Result<Vec<Option<Hash>>, FormatError> {
        // A header that promises more than the file has must not make us reserve memory for it.
        let chunks = usize::try_from(chunks).map_err(|_| FormatError::Length)?;
        if chunks > self.bytes.len() / HASH {
            return Err(FormatError::Length);
        }
        let mut hashes = Vec::with_capacity(chunks);
        while hashes.len() < chunks {
            let start = self.at;
            for _ in 0..SEGMENT.min(chunks - hashes.len()) {
                let hash: [u8; HASH] = self.array()?;
                hashes.push((hash != MISSING).then(|| Hash::from_bytes(hash)));
            }
            self.check_seal(start)?;
        }
        if self.at == self.bytes.len() { Ok(hashes) } else { Err(FormatError::Length) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(chunks: u64, state: &str) -> Manifest {
        let mut manifest = Manifest::new(chunks * CHUNK + 5, SourceState::new(state));
        for index in (0..chunks).filter(|index| index % 3 != 1) {
            manifest.set(index, blake3::hash(&index.to_le_bytes()));
        }
        manifest
    }

    #[test]
    fn a_manifest_of_several_segments_is_read_back() {
        for (chunks, state) in [(0, ""), (1023, "52 4f"), (1024, ""), (2049, "späte")] {
            let manifest = sample(chunks, state);
            assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
        }
    }

    #[test]
    fn another_file_version_or_chunk_size_is_named() {
        let mut bytes = sample(1, "").encode();
        assert_eq!(Manifest::decode(b"{}"), Err(FormatError::Foreign));
        bytes[8] = 2;
        assert_eq!(Manifest::decode(&bytes), Err(FormatError::Version { found: 2 }));
    }

    #[test]
    fn a_header_that_promises_too_much_reserves_nothing() {
        let mut bytes = sample(1, "").encode()[..32].to_vec();
        bytes[24..32].copy_from_slice(&u64::MAX.to_le_bytes());
        seal(&mut bytes, 0);
        assert_eq!(Manifest::decode(&bytes), Err(FormatError::Length));
    }

    proptest! {
        #[test]
        fn a_cut_or_changed_file_is_never_believed(at in 0usize..4000, bit in 0u8..8) {
            let bytes = sample(100, "state").encode();
            let at = at % bytes.len();
            prop_assert!(Manifest::decode(&bytes[..at]).is_err());
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            prop_assert!(Manifest::decode(&changed).is_err());
            prop_assert!(Manifest::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
    }
}
