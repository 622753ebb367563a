//! The fingerprint of a certificate, as vSphere (SHA-1) and browsers (SHA-256) show it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha1::Digest;

/// A digest of a certificate's DER. Written as upper-case pairs separated by colons; read with or without colons, in
/// either case, 20 bytes being SHA-1 and 32 bytes SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Fingerprint {
    /// What vCenter and `openssl x509 -fingerprint -sha1` show.
    Sha1([u8; 20]),
    /// What browsers and `openssl x509 -fingerprint -sha256` show.
    Sha256([u8; 32]),
}

/// A text that is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is not a certificate fingerprint: expected 20 (SHA-1) or 32 (SHA-256) bytes in hexadecimal, such as \
     AB:CD:…, as printed by openssl x509 -noout -fingerprint"
)]
pub struct InvalidFingerprint {
    /// What was given.
    pub text: String,
}

impl Fingerprint {
    /// The SHA-1 fingerprint of a certificate in DER.
    pub fn sha1_of(der: &[u8]) -> Self {
        Self::Sha1(sha1::Sha1::digest(der).into())
    }

    /// The SHA-256 fingerprint of a certificate in DER.
    pub fn sha256_of(der: &[u8]) -> Self {
        Self::Sha256(sha2::Sha256::digest(der).into())
    }

    /// The fingerprint of another certificate in this one's algorithm, so that the two can be compared and shown.
    #[must_use]
    pub fn same_kind_of(&self, der: &[u8]) -> Self {
        match self {
            Self::Sha1(_) => Self::sha1_of(der),
            Self::Sha256(_) => Self::sha256_of(der),
        }
    }

    /// True if `der` is exactly the certificate this fingerprint names.
    pub fn matches(&self, der: &[u8]) -> bool {
        self.same_kind_of(der) == *self
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(digest) => digest,
            Self::Sha256(digest) => digest,
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.bytes().iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            write!(f, "{separator}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidFingerprint { text: text.to_owned() };
        let bytes = hexadecimal(text.trim()).ok_or_else(invalid)?;
        if let Ok(digest) = <[u8; 20]>::try_from(bytes.as_slice()) {
            return Ok(Self::Sha1(digest));
        }
        <[u8; 32]>::try_from(bytes.as_slice()).map(Self::Sha256).map_err(|_| invalid())
    }
}

/// Colons are taken only between whole bytes, so that a truncated or shifted paste is refused.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let pairs: Vec<&str> = if text.contains(':') {
        text.split(':').collect()
    } else {
        if !text.is_ascii() || !text.len().is_multiple_of(2) {
            return None;
        }
        (0..text.len()).step_by(2).filter_map(|start| text.get(start..start + 2)).collect()
    };
    pairs.into_iter().map(byte).collect()
}

fn byte(pair: &str) -> Option<u8> {
    // from_str_radix alone would take "+A".
    let two_digits = pair.len() == 2 && pair.bytes().all(|c| c.is_ascii_hexdigit());
    two_digits.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
}

impl TryFrom<String> for Fingerprint {
    type Error = InvalidFingerprint;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The digests of "abc" from FIPS 180-2.
    const SHA1_ABC: &str = "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D";
    const SHA256_ABC: &str =
        "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";

    #[test]
    fn a_fingerprint_is_shown_as_openssl_shows_it() {
        assert_eq!(Fingerprint::sha1_of(b"abc").to_string(), SHA1_ABC);
        assert_eq!(Fingerprint::sha256_of(b"abc").to_string(), SHA256_ABC);
    }

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons_in_either_case() {
        for text in [SHA1_ABC, SHA256_ABC] {
            let expected: Fingerprint = text.parse().unwrap();
            assert!(expected.matches(b"abc"));
            assert!(!expected.matches(b"abd"));
            for form in
                [text.to_lowercase(), text.replace(':', ""), format!("  {}\n", text.replace(':', "").to_lowercase())]
            {
                assert_eq!(form.parse::<Fingerprint>().unwrap(), expected, "{form}");
            }
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_refused_and_shown() {
        let shifted = SHA1_ABC.replace("A9:99", "A:999");
        let signed = SHA1_ABC.replace("A9:99", "+9:99");
        let short = &SHA1_ABC[..SHA1_ABC.len() - 3];
        for text in ["", ":", "AB", "hello", short, &shifted, &signed, &format!("{SHA1_ABC}:"), "ÄÄ"] {
            let error = text.parse::<Fingerprint>().unwrap_err();
            assert!(error.to_string().contains(&format!("\"{text}\"")), "{error}");
        }
    }
}
