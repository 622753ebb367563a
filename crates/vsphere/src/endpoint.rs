//! Where a vCenter or ESXi host is and how to log in to it.

use std::fmt;
use std::str::FromStr;

use trust::{Secret, TlsPolicy};
use url::Url;

/// All that a login needs.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The address of the SDK.
    pub url: SdkUrl,
    /// The user, such as `administrator@vsphere.local`.
    pub user: String,
    /// The password.
    pub password: Secret<String>,
    /// Which server certificate is accepted.
    pub tls: TlsPolicy,
}

impl Endpoint {
    /// An endpoint from the texts of a Provider and its Secret.
    pub fn new(
        url: &str,
        user: impl Into<String>,
        password: Secret<String>,
        tls: TlsPolicy,
    ) -> Result<Self, InvalidUrl> {
        Ok(Self { url: url.parse()?, user: user.into(), password, tls })
    }
}

/// The address of an SDK. Read from `https://host/sdk`, `https://host[:port]`, with or without a final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdkUrl {
    sdk: Url,
    host: String,
}

/// A text that can't be the address of an SDK.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" can't be the address of a vCenter or ESXi host: {problem}; give https://HOST/sdk")]
pub struct InvalidUrl {
    /// What was given, without user and password.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

impl SdkUrl {
    /// The URL that SOAP calls go to; its path ends in `/sdk`.
    pub fn sdk(&self) -> &Url {
        &self.sdk
    }

    /// Host name or address, IPv6 in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 443 unless given.
    pub fn port(&self) -> u16 {
        self.sdk.port_or_known_default().unwrap_or(443)
    }

    /// The URL of another path on the same server. `path` and `query` are already percent-encoded.
    pub(crate) fn sibling(&self, path: &str, query: &str) -> Url {
        let mut url = self.sdk.clone();
        url.set_path(path);
        url.set_query(Some(query));
        url
    }
}

impl FromStr for SdkUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = Url::parse(text.trim());
        // What can't be parsed may hold a password that can't be cut out, so nothing of such a text is shown.
        let shown = match (&parsed, text.contains('@')) {
            (_, false) => text.to_owned(),
            (Ok(url), true) => without_user(url),
            (Err(_), true) => "…@…".to_owned(),
        };
        let invalid = |problem: String| InvalidUrl { text: shown.clone(), problem };
        let mut sdk = parsed.map_err(|error| invalid(error.to_string()))?;
        if sdk.scheme() != "https" {
            return Err(invalid(format!("its scheme is {}, and passwords travel only over https", sdk.scheme())));
        }
        if !sdk.username().is_empty() || sdk.password().is_some() {
            return Err(invalid("it holds a user or password, which belong into the Secret".to_owned()));
        }
        let host = sdk.host_str().map(ToOwned::to_owned).ok_or_else(|| invalid("it has no host".to_owned()))?;
        match sdk.path().trim_end_matches('/') {
            "" | "/sdk" => sdk.set_path("/sdk"),
            other => return Err(invalid(format!("its path is {other}"))),
        }
        sdk.set_query(None);
        sdk.set_fragment(None);
        Ok(Self { sdk, host })
    }
}

fn without_user(url: &Url) -> String {
    let mut url = url.clone();
    let removed = url.set_username("").and_then(|()| url.set_password(None));
    if removed.is_ok() { url.to_string() } else { format!("{}:…", url.scheme()) }
}

impl fmt::Display for SdkUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sdk.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_and_without_sdk() {
        for text in ["https://vc.example", "https://vc.example/", "https://vc.example/sdk", " https://vc.example/sdk/ "]
        {
            let url: SdkUrl = text.parse().unwrap();
            assert_eq!(
                (url.to_string().as_str(), url.host(), url.port()),
                ("https://vc.example/sdk", "vc.example", 443)
            );
        }
        let url: SdkUrl = "https://[::1]:8989".parse().unwrap();
        assert_eq!((url.to_string().as_str(), url.host(), url.port()), ("https://[::1]:8989/sdk", "[::1]", 8989));
    }

    #[test]
    fn an_unfit_address_is_refused_with_its_problem() {
        for (text, problem) in [
            ("vc.example/sdk", "relative URL"),
            ("http://vc.example/sdk", "only over https"),
            ("https://vc.example/ui", "its path is /ui"),
            ("https://", "host"),
        ] {
            let error = text.parse::<SdkUrl>().unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains(text), "{error}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        for text in ["https://root:hunter2@vc.example/sdk", "https://root:hunter2@[bad/sdk", "mailto:hunter2@vc"] {
            let error = format!("{:?}", text.parse::<SdkUrl>().unwrap_err());
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
