//! How a Provider and its Secret become what a client needs to connect. Pure, so that the inventory, the
//! controller and the transfer service can't differ in what they trust. It opens nothing and checks no login.

use std::fmt;

use super::{Provider, secret_key};

/// Plain data to build a client of. Its `Debug` shows no credential; wrap the password at once.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderConnection {
    /// `spec.url`, trimmed, not empty, with a scheme of http or https.
    pub url: String,
    /// Login name.
    pub user: String,
    /// Its password, byte for byte as in the Secret.
    pub password: String,
    /// What the server's certificate is checked against.
    pub trust: ConnectionTrust,
}

/// What the Secret says about the server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionTrust {
    /// Nothing: the system's authorities decide.
    System,
    /// `ca.crt`, or the older `cacert`: PEM.
    Ca(Vec<u8>),
    /// `thumbprint`: exactly this certificate, as text that is not parsed here.
    Fingerprint(String),
    /// `insecureSkipVerify: true` and nothing stricter: the certificate is not checked.
    Insecure,
}

/// A Provider or Secret that can't be used. `Display` says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// `spec.url` is absent or empty.
    #[error("the Provider has no url; set spec.url, such as https://vcenter.example/sdk")]
    UrlNotSet,
    /// `spec.url` is no http(s) address.
    #[error(
        "the Provider's url `{url}` is not an http or https address; set spec.url, such as https://vcenter.example/sdk"
    )]
    UrlMalformed {
        /// What it is now.
        url: String,
    },
    /// Keys that the Secret must have.
    #[error("the Provider's Secret lacks {}; add what is missing", .keys.join(" and "))]
    Missing {
        /// The keys, in the order of their meaning.
        keys: Vec<&'static str>,
    },
    /// A key that must be text is none.
    #[error("`{key}` in the Provider's Secret is not UTF-8 text; write it again")]
    NotText {
        /// The key.
        key: &'static str,
    },
    /// `insecureSkipVerify` is neither true nor false.
    #[error("`insecureSkipVerify` in the Provider's Secret must be `true` or `false`")]
    BadFlag,
}

impl fmt::Debug for ProviderConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderConnection").field("url", &self.url).field("trust", &self.trust).finish_non_exhaustive()
    }
}

/// Reads `provider` and its Secret, whose values `value` gives by key.
///
/// Of several ways to trust, the strictest wins: a fingerprint (which names one certificate) over an authority
/// (which allows many); `insecureSkipVerify: true` never weakens either.
pub fn connection<'a>(
    provider: &Provider,
    value: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<ProviderConnection, ConnectionError> {
    let url = url(provider)?;
    let text = |key| optional_text(key, value(key));
    let (user, password) = (text(secret_key::USER)?, text(secret_key::PASSWORD)?);
    let (Some(user), Some(password)) = (&user, &password) else {
        let lacks = [(secret_key::USER, user.is_none()), (secret_key::PASSWORD, password.is_none())];
        let keys = lacks.into_iter().filter_map(|(key, lacks)| lacks.then_some(key)).collect();
        return Err(ConnectionError::Missing { keys });
    };
    let insecure = text(secret_key::INSECURE_SKIP_VERIFY)?.map_or(Ok(false), flag)?;
    let fingerprint = text(secret_key::THUMBPRINT)?.map(str::trim).filter(|text| !text.is_empty());
    let authority = [secret_key::CACERT, secret_key::CACERT_OLD]
        .into_iter()
        .filter_map(&value)
        .find(|pem| !pem.trim_ascii().is_empty());
    let trust = match (fingerprint, authority) {
        (Some(fingerprint), _) => ConnectionTrust::Fingerprint(fingerprint.to_owned()),
        (None, Some(pem)) => ConnectionTrust::Ca(pem.to_vec()),
        (None, None) if insecure => ConnectionTrust::Insecure,
        (None, None) => ConnectionTrust::System,
    };
    Ok(ProviderConnection { url, user: (*user).to_owned(), password: (*password).to_owned(), trust })
}

fn url(provider: &Provider) -> Result<String, ConnectionError> {
    let url = provider.spec.url.as_deref().unwrap_or_default().trim();
    if url.is_empty() {
        return Err(ConnectionError::UrlNotSet);
    }
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let sound =
        host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !url.contains(char::is_whitespace));
    // What stands before an @ may be a password: it is refused elsewhere, and never shown.
    let shown = if url.contains('@') { "…@…" } else { url };
    if sound { Ok(url.to_owned()) } else { Err(ConnectionError::UrlMalformed { url: shown.to_owned() }) }
}

/// `None` for an absent or empty value: both mean that nothing was said.
fn optional_text<'a>(key: &'static str, value: Option<&'a [u8]>) -> Result<Option<&'a str>, ConnectionError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    std::str::from_utf8(value).map(Some).map_err(|_| ConnectionError::NotText { key })
}

fn flag(text: &str) -> Result<bool, ConnectionError> {
    match text.trim() {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        _ => Err(ConnectionError::BadFlag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProviderSpec;

    fn provider(url: &str) -> Provider {
        Provider::new("vc", ProviderSpec { url: Some(url.to_owned()), ..ProviderSpec::default() })
    }

    fn read(entries: &[(&str, &str)]) -> Result<ProviderConnection, ConnectionError> {
        let value = |key: &str| entries.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_bytes());
        connection(&provider("https://vc/sdk"), value)
    }

    #[test]
    fn user_and_password_are_taken_byte_for_byte() {
        let connection = read(&[("user", "a@b"), ("password", " x\n")]).unwrap();
        assert_eq!((connection.user.as_str(), connection.password.as_str()), ("a@b", " x\n"));
        assert_eq!((connection.url.as_str(), connection.trust), ("https://vc/sdk", ConnectionTrust::System));
    }

    #[test]
    fn every_missing_key_is_named_at_once() {
        assert_eq!(read(&[]), Err(ConnectionError::Missing { keys: vec!["user", "password"] }));
        assert_eq!(read(&[("user", "a"), ("password", "")]), Err(ConnectionError::Missing { keys: vec!["password"] }));
    }

    #[test]
    fn the_strictest_trust_that_was_said_wins() {
        let login = [("user", "a"), ("password", "b")];
        let with = |more: &[(&'static str, &'static str)]| read(&[&login[..], more].concat()).unwrap().trust;
        let (ca, old) = (("ca.crt", "new"), ("cacert", "old"));
        let print = ("thumbprint", " AA:BB\n");
        assert_eq!(with(&[old]), ConnectionTrust::Ca(b"old".to_vec()));
        assert_eq!(with(&[old, ca]), ConnectionTrust::Ca(b"new".to_vec()));
        assert_eq!(with(&[ca, print]), ConnectionTrust::Fingerprint("AA:BB".to_owned()));
        let insecure = ("insecureSkipVerify", "true\n");
        assert_eq!(with(&[insecure]), ConnectionTrust::Insecure);
        assert_eq!(with(&[insecure, ca]), ConnectionTrust::Ca(b"new".to_vec()));
        assert_eq!(with(&[insecure, print]), ConnectionTrust::Fingerprint("AA:BB".to_owned()));
        assert_eq!(with(&[ca, ("insecureSkipVerify", "false")]), ConnectionTrust::Ca(b"new".to_vec()));
    }

    #[test]
    fn a_flag_that_is_no_flag_is_not_taken_for_false() {
        let entries = [("user", "a"), ("password", "b"), ("insecureSkipVerify", "yes")];
        assert_eq!(read(&entries), Err(ConnectionError::BadFlag));
    }

    #[test]
    fn an_url_without_a_host_or_scheme_is_malformed() {
        let none = |_: &str| None;
        assert_eq!(connection(&provider("  "), none), Err(ConnectionError::UrlNotSet));
        for url in ["vcenter", "ftp://vc/sdk", "https://", "https:///sdk", "https://v c/"] {
            assert_eq!(connection(&provider(url), none), Err(ConnectionError::UrlMalformed { url: url.to_owned() }));
        }
    }

    #[test]
    fn no_credential_is_printed() {
        let connection = read(&[("user", "admin"), ("password", "hunter2")]).unwrap();
        let shown = format!("{connection:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("admin"), "{shown}");
    }
}
