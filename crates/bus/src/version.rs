//! The version of a nats-server, from its INFO or its `--version` line, and the oldest one that will do.

use std::fmt;

/// `major.minor.patch`, ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

/// Per-message time to live, which tombstones and leases need, came with 2.11.
pub(crate) const OLDEST: Version = Version { major: 2, minor: 11, patch: 0 };

impl Version {
    /// Finds `2.15.1` in texts such as `nats-server: v2.15.1` or `2.12.0-beta.1`.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.split_whitespace().last()?.trim_start_matches('v');
        let mut numbers = word.split(['.', '-', '+']).map(str::parse);
        let mut number = || numbers.next()?.ok();
        Some(Self { major: number()?, minor: number()?, patch: number()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_line_and_from_info() {
        let expected = Version { major: 2, minor: 15, patch: 1 };
        assert_eq!(Version::parse("nats-server: v2.15.1\n"), Some(expected));
        assert_eq!(Version::parse("2.15.1-beta.2"), Some(expected));
        for unreadable in ["", "nats-server", "v2.15", "two.one.zero"] {
            assert_eq!(Version::parse(unreadable), None, "{unreadable}");
        }
    }

    #[test]
    fn versions_are_ordered_by_number_not_by_text() {
        assert!(Version::parse("2.9.21") < Some(OLDEST));
        assert!(Version::parse("2.11.0") >= Some(OLDEST));
    }
}
