//! Random disks: data, zeros that a source calls allocated, and holes it knows of, in runs of 4 KiB blocks.

use proptest::prelude::*;

use crate::chunk::BLOCK;
use crate::extent::{Extent, ExtentKind};

/// What a run of blocks is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No block of it is zero.
    Data,
    /// Zeros that must be read to be known.
    Written,
    /// Zeros that the source tells of.
    Hole,
    /// Data that the source says nothing about.
    Silent,
}

/// A disk.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    runs: Vec<(usize, Kind)>,
    tail: usize,
}

/// Layouts of up to some 6 MiB, with runs long enough to have whole chunks of zeros.
pub(super) fn layout() -> impl Strategy<Value = Layout> {
    let kind = prop_oneof![Just(Kind::Data), Just(Kind::Written), Just(Kind::Hole), Just(Kind::Silent)];
    let blocks = prop_oneof![1usize..8, 200usize..600];
    let tail = prop_oneof![Just(0), 1usize..BLOCK];
    (prop::collection::vec((blocks, kind), 0..6), tail).prop_map(|(runs, tail)| Layout { runs, tail })
}

impl Layout {
    pub(super) fn of(runs: &[(usize, Kind)], tail: usize) -> Self {
        Self { runs: runs.to_vec(), tail }
    }

    /// The oracle.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (blocks, kind) in &self.runs {
            for _ in 0..*blocks {
                let mut block = [0; BLOCK];
                if matches!(kind, Kind::Data | Kind::Silent) {
                    // Its own number, so that no two blocks are alike and a swapped one is seen.
                    block[..8].copy_from_slice(&(bytes.len() as u64 + 1).to_le_bytes());
                }
                bytes.extend_from_slice(&block);
            }
        }
        bytes.resize(bytes.len() + self.tail, 0);
        bytes
    }

    /// Bytes that must be allocated at a target.
    pub(super) fn data_bytes(&self) -> u64 {
        let data = self.runs.iter().filter(|(_, kind)| matches!(kind, Kind::Data | Kind::Silent));
        data.map(|(blocks, _)| (blocks * BLOCK) as u64).sum()
    }

    pub(super) fn extents(&self) -> Vec<Extent> {
        let mut offset = 0;
        let mut extents = Vec::new();
        for (blocks, kind) in &self.runs {
            let length = (blocks * BLOCK) as u64;
            match kind {
                Kind::Data | Kind::Written => extents.push(Extent { offset, length, kind: ExtentKind::Allocated }),
                Kind::Hole => extents.push(Extent { offset, length, kind: ExtentKind::Zero }),
                Kind::Silent => {}
            }
            offset += length;
        }
        extents
    }
}
