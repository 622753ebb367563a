//! What a source says about its bytes without reading them, and which whole chunks need no reading for it.

use std::ops::Range;

use crate::chunk::{self, CHUNK};

/// A stretch of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub offset: u64,
    /// Bytes, at least one.
    pub length: u64,
    /// What is known.
    pub kind: ExtentKind,
}

/// What is known of a stretch. (Warm migration adds "unchanged since".)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtentKind {
    /// Something was written there; it may still be zeros.
    Allocated,
    /// Reads as zeros, and needs no reading.
    Zero,
    /// Nothing is known: it must be read.
    Unknown,
}

/// Extents that can't be believed, because to skip by them could lose data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source's extents overlap, are out of order or pass its end at byte {at}; this is a bug of the source")]
pub struct BadExtents {
    /// Where the first wrong one begins.
    pub at: u64,
}

/// The ranges of chunks that lie wholly in zero extents, ascending. What no extent covers is unknown.
pub(crate) fn zero_chunks(extents: &[Extent], length: u64) -> Result<Vec<Range<u64>>, BadExtents> {
    let mut zero: Vec<Range<u64>> = Vec::new();
    let mut covered = 0;
    for extent in extents {
        let at = extent.offset;
        let end = at.checked_add(extent.length).filter(|end| at >= covered && *end > at && *end <= length);
        covered = end.ok_or(BadExtents { at })?;
        match (extent.kind, zero.last_mut()) {
            (ExtentKind::Zero, Some(last)) if last.end == at => last.end = covered,
            (ExtentKind::Zero, _) => zero.push(at..covered),
            (ExtentKind::Allocated | ExtentKind::Unknown, _) => {}
        }
    }
    let whole = |bytes: Range<u64>| {
        let end = if bytes.end == length { chunk::count(length) } else { bytes.end / CHUNK };
        bytes.start.div_ceil(CHUNK)..end
    };
    Ok(zero.into_iter().map(whole).filter(|chunks| !chunks.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(offset: u64, length: u64, kind: ExtentKind) -> Extent {
        Extent { offset, length, kind }
    }

    #[test]
    fn only_chunks_wholly_inside_zeros_are_skipped() {
        let length = 5 * CHUNK + 10;
        let extents = [
            extent(10, CHUNK, ExtentKind::Zero),
            extent(CHUNK + 10, 2 * CHUNK, ExtentKind::Zero),
            extent(3 * CHUNK + 10, 5, ExtentKind::Allocated),
            extent(4 * CHUNK, CHUNK + 10, ExtentKind::Zero),
        ];
        assert_eq!(zero_chunks(&extents, length), Ok(vec![1..3, 4..6]));
    }

    #[test]
    fn a_gap_is_unknown_and_read() {
        let zero = |offset, length| extent(offset, length, ExtentKind::Zero);
        let extents = [zero(0, CHUNK), zero(CHUNK + 1, CHUNK - 1), zero(2 * CHUNK, CHUNK)];
        assert_eq!(zero_chunks(&extents, 3 * CHUNK), Ok(vec![0..1, 2..3]));
    }

    #[test]
    fn extents_that_cannot_be_believed_are_refused() {
        let zero = |offset, length| extent(offset, length, ExtentKind::Zero);
        for (wrong, at) in [
            (vec![zero(5, 5), zero(0, 5)], 0),
            (vec![zero(0, 5), zero(4, 5)], 4),
            (vec![zero(0, 101)], 0),
            (vec![zero(7, 0)], 7),
            (vec![zero(u64::MAX, 2)], u64::MAX),
        ] {
            assert_eq!(zero_chunks(&wrong, 100), Err(BadExtents { at }));
        }
    }
}
