//! The version of a bundle: SHA-256 over its sorted paths and bytes. Lengths are hashed too, so that no two
//! different bundles look alike. Tests beside the rules don't count: they change no verdict.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

pub(super) fn of(files: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    for part in files.iter().flat_map(|(path, text)| [path, text]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(files: &[(&str, &str)]) -> String {
        of(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn the_order_of_the_files_does_not_matter_and_every_byte_does() {
        let base = version(&[("a", "1"), ("b", "2")]);
        assert_eq!(base.len(), 64);
        assert_eq!(base, version(&[("b", "2"), ("a", "1")]));
        for other in [version(&[("a", "1"), ("b", "3")]), version(&[("a", "1"), ("c", "2")]), version(&[("a", "1b2")])]
        {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn bytes_that_move_from_a_path_to_a_text_make_another_version() {
        assert_ne!(version(&[("ab", "c")]), version(&[("a", "bc")]));
    }
}
