//! Which chunks to read, in requests of several chunks, and which to zero without reading. Pure.

use std::ops::Range;

/// Most chunks that are zeroed in one step, so that progress is seen and a cancel noticed.
const ZERO_STEP: u64 = 1024;

/// One step of a copy, as a range of chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Read from the source.
    Read(Range<u64>),
    /// Known to be zeros.
    Zero(Range<u64>),
    /// Proven to be at the target already.
    Keep(Range<u64>),
}

/// The steps of a copy, in order; every chunk is in exactly one.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    next: u64,
    chunks: u64,
    zero: &'a [Range<u64>],
    kept: &'a [bool],
    request: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Read,
    Zero,
    Keep,
}

impl<'a> Plan<'a> {
    /// Plans `chunks` chunks: `zero` are ranges known to be zero, ascending; `kept[i]` says that chunk `i` is at
    /// the target (missing: no); a read takes at most `request` chunks.
    pub(crate) fn new(chunks: u64, zero: &'a [Range<u64>], kept: &'a [bool], request: u64) -> Self {
        Self { next: 0, chunks, zero, kept, request: request.max(1) }
    }

    fn class(&mut self, chunk: u64) -> Class {
        let kept = usize::try_from(chunk).ok().and_then(|chunk| self.kept.get(chunk)).copied().unwrap_or(false);
        if kept {
            return Class::Keep;
        }
        while let [first, rest @ ..] = self.zero
            && first.end <= chunk
        {
            self.zero = rest;
        }
        if self.zero.first().is_some_and(|first| first.contains(&chunk)) { Class::Zero } else { Class::Read }
    }
}

impl Iterator for Plan<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let first = self.next;
        if first >= self.chunks {
            return None;
        }
        let class = self.class(first);
        let most = if class == Class::Read { self.request } else { ZERO_STEP };
        let end = first.saturating_add(most).min(self.chunks);
        let mut next = first + 1;
        while next < end && self.class(next) == class {
            next += 1;
        }
        self.next = next;
        Some(match class {
            Class::Read => Step::Read(first..next),
            Class::Zero => Step::Zero(first..next),
            Class::Keep => Step::Keep(first..next),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_are_cut_at_zeros_kept_chunks_and_the_request_size() {
        let kept = [false, false, true];
        let steps: Vec<_> = Plan::new(10, &[4..6, 9..10], &kept, 2).collect();
        let expected = [
            Step::Read(0..2),
            Step::Keep(2..3),
            Step::Read(3..4),
            Step::Zero(4..6),
            Step::Read(6..8),
            Step::Read(8..9),
            Step::Zero(9..10),
        ];
        assert_eq!(steps, expected);
    }

    proptest! {
        #[test]
        fn every_chunk_is_in_exactly_one_step(
            classes in prop::collection::vec((any::<bool>(), any::<bool>()), 0..60),
            request in 0u64..9,
        ) {
            let kept: Vec<bool> = classes.iter().map(|class| class.0).collect();
            let zero: Vec<_> = (0u64..).zip(&classes).filter(|(_, class)| class.1).map(|(at, _)| at..at + 1).collect();
            let mut at = 0;
            for step in Plan::new(classes.len() as u64, &zero, &kept, request) {
                let (range, class) = match step {
                    Step::Keep(range) => (range, (true, None)),
                    Step::Zero(range) => (range, (false, Some(true))),
                    Step::Read(range) => (range, (false, Some(false))),
                };
                prop_assert_eq!(range.start, at);
                prop_assert!(range.start < range.end);
                at = range.end;
                for chunk in range {
                    let found = classes[chunk as usize];
                    prop_assert_eq!(found.0, class.0);
                    prop_assert!(class.1.is_none_or(|zero| zero == found.1));
                }
            }
            prop_assert_eq!(at, classes.len() as u64);
        }
    }
}
