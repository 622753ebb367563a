//! Comparing two disks byte by byte, and how much room they take.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bytes that a file takes on its medium.
pub fn allocated(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).blocks() * 512
}

/// Equal to the last byte, or a failed test that names the first difference.
pub fn assert_equal(source: &Path, target: &Path) {
    let [left, right] = [source, target].map(read);
    assert_eq!(left.len(), right.len(), "{} and {} differ in length", source.display(), target.display());
    let difference = left.iter().zip(&right).position(|(a, b)| a != b);
    assert_eq!(difference, None, "{} differs from {} at this byte", target.display(), source.display());
}

/// Bytes of 4 KiB blocks that hold anything but zeros: what a thrifty copy allocates at least.
pub fn data(path: &Path) -> u64 {
    read(path).chunks(4096).filter(|block| block.iter().any(|byte| *byte != 0)).map(|block| block.len() as u64).sum()
}

fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    bytes
}
