//! What a chunk is, its hash, and which parts of it are zero.

use std::ops::Range;
use std::sync::LazyLock;

pub use blake3::Hash;

/// Bytes of a chunk: the unit of hashing, proof and resume. Chunks are aligned at 0; the last may be shorter.
pub const CHUNK: u64 = 1 << 20;
/// Zeros are found in runs of this many bytes, the block of the usual file systems.
pub const BLOCK: usize = 4096;

const CHUNK_LEN: usize = 1 << 20;

/// Zeros to compare with and to answer holes with.
pub(crate) static ZEROS: [u8; CHUNK_LEN] = [0; CHUNK_LEN];

static ZERO_HASH: LazyLock<Hash> = LazyLock::new(|| blake3::hash(&ZEROS));

/// A stretch of a buffer that is wholly zero or wholly data (by blocks).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where in the buffer.
    pub range: Range<usize>,
    /// Nothing but zeros.
    pub zero: bool,
}

/// How many chunks `length` bytes have.
pub fn count(length: u64) -> u64 {
    length.div_ceil(CHUNK)
}

/// The bytes of chunk `index` of something of `length` bytes; empty behind the end.
pub fn span(index: u64, length: u64) -> Range<u64> {
    let start = index.saturating_mul(CHUNK).min(length);
    start..start.saturating_add(CHUNK).min(length)
}

/// Whether `data` has no byte but zero.
pub fn is_zero(data: &[u8]) -> bool {
    data.chunks(CHUNK_LEN).all(|part| ZEROS.starts_with(part))
}

/// BLAKE3 of one chunk. A full chunk of zeros costs a comparison only.
pub fn hash(data: &[u8]) -> Hash {
    if data.len() == CHUNK_LEN && is_zero(data) { *ZERO_HASH } else { blake3::hash(data) }
}

/// BLAKE3 of `length` zeros, at most a chunk.
pub(crate) fn zero_hash(length: u64) -> Hash {
    let zeros = usize::try_from(length).ok().and_then(|length| ZEROS.get(..length)).unwrap_or(&ZEROS);
    hash(zeros)
}

/// Cuts `data` into runs of zero and data, in order and without gaps.
pub fn runs(data: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut start = 0;
    for block in data.chunks(BLOCK) {
        let (zero, end) = (is_zero(block), start + block.len());
        match runs.last_mut() {
            Some(last) if last.zero == zero => last.range.end = end,
            _ => runs.push(Run { range: start..end, zero }),
        }
        start = end;
    }
    runs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_chunk_is_shorter() {
        assert_eq!((count(0), count(1), count(CHUNK), count(CHUNK + 1)), (0, 1, 1, 2));
        assert_eq!(span(1, CHUNK + 7), CHUNK..CHUNK + 7);
        assert!(span(2, CHUNK + 7).is_empty());
    }

    #[test]
    fn the_hash_of_zeros_is_that_of_blake3() {
        assert_eq!(hash(&ZEROS), blake3::hash(&ZEROS));
        assert_eq!(zero_hash(CHUNK), blake3::hash(&ZEROS));
        assert_eq!(zero_hash(512), blake3::hash(&[0; 512]));
    }

    #[test]
    fn one_set_bit_makes_its_block_data_and_no_other() {
        let mut data = vec![0; 4 * BLOCK + 100];
        data[2 * BLOCK] = 1;
        let expected = [(0..2 * BLOCK, true), (2 * BLOCK..3 * BLOCK, false), (3 * BLOCK..4 * BLOCK + 100, true)];
        let found: Vec<_> = runs(&data).into_iter().map(|run| (run.range, run.zero)).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn runs_cover_everything_once_and_zero_means_zero(blocks in prop::collection::vec(any::<bool>(), 0..9), tail in 0..BLOCK) {
            let mut data: Vec<u8> = blocks.iter().flat_map(|data| [u8::from(*data); BLOCK]).collect();
            data.extend(std::iter::repeat_n(0, tail));
            let mut at = 0;
            for run in runs(&data) {
                prop_assert_eq!(run.range.start, at);
                prop_assert_eq!(is_zero(&data[run.range.clone()]), run.zero);
                at = run.range.end;
            }
            prop_assert_eq!(at, data.len());
        }
    }
}
