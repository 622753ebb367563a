//! Comparing two disks byte by byte, and how much of the second is allocated.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// What the comparison of a disk found.
pub struct Comparison {
    /// Bytes compared, all of them equal.
    pub bytes: u64,
    /// Bytes the target takes on its medium.
    pub allocated: u64,
}

/// Equal to the last byte, or an error that names the first difference.
pub fn compare(source: &Path, target: &Path) -> Result<Comparison> {
    const PIECE: usize = 1 << 20;
    let open = |path: &Path| File::open(path).with_context(|| path.display().to_string());
    let (mut left, mut right) = (open(source)?, open(target)?);
    let (length, found) = (left.metadata()?.len(), right.metadata()?);
    if length != found.len() {
        bail!("{} has {length} bytes, {} has {}", source.display(), target.display(), found.len());
    }
    let (mut a, mut b) = (vec![0; PIECE], vec![0; PIECE]);
    let mut offset = 0;
    while offset < length {
        let piece = usize::try_from(length - offset).unwrap_or(PIECE).min(PIECE);
        left.read_exact(&mut a[..piece])?;
        right.read_exact(&mut b[..piece])?;
        if let Some(at) = (0..piece).find(|at| a[*at] != b[*at]) {
            bail!("{} differs from {} at byte {}", target.display(), source.display(), offset + at as u64);
        }
        offset += piece as u64;
    }
    Ok(Comparison { bytes: length, allocated: found.blocks() * 512 })
}
