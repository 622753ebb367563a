//! What follows from a failed login. Pure. Whatever may have counted against the account is never repeated with the
//! same credentials; what failed before a password was sent is tried again.

use contract::inventory::Collection;
use vsphere::{Error, LoginError};

use super::Next;

/// What comes after a failed login.
pub(super) fn after(error: &LoginError) -> Next {
    let message = runtime::chain(error);
    match error {
        LoginError::Address(_) | LoginError::Tls(_) => Next::Park(Collection::SettingsRefused { message }, None),
        LoginError::InvalidCredentials { .. } | LoginError::Denied { .. } => {
            Next::Park(Collection::CredentialsRefused { message }, None)
        }
        LoginError::Failed { source, .. } if matches!(**source, Error::Refused { method: "Login", .. }) => {
            Next::Park(Collection::CredentialsRefused { message }, None)
        }
        LoginError::Certificate { presented, .. } => {
            Next::Retry(Some(Collection::CertificateRefused { message }), Some(presented.to_string()))
        }
        LoginError::CertificateUnknown { presented, .. } => {
            let fingerprint = presented.map(|fingerprint| fingerprint.to_string());
            Next::Retry(Some(Collection::CertificateRefused { message }), fingerprint)
        }
        LoginError::NotAVCenter { .. } | LoginError::TooOld { .. } => {
            Next::Retry(Some(Collection::SettingsRefused { message }), None)
        }
        LoginError::Unreachable { .. } | LoginError::Failed { .. } | LoginError::Ended => {
            Next::Retry(Some(Collection::Unreachable { message }), None)
        }
    }
}

/// The word for metrics.
pub(super) fn outcome(error: &LoginError) -> &'static str {
    match error {
        LoginError::InvalidCredentials { .. } | LoginError::Denied { .. } => "refused",
        _ => "failed",
    }
}

#[cfg(test)]
mod tests {
    use vsphere::{Fault, MoRef};

    use super::*;

    fn failed(method: &'static str) -> LoginError {
        let fault = Fault::Other { kind: "SystemError".to_owned(), message: "no".to_owned() };
        let object = MoRef::new("SessionManager", "SessionManager");
        let source = Box::new(Error::Refused { method, object, fault });
        LoginError::Failed { host: "vc".to_owned(), source }
    }

    #[test]
    fn what_may_count_against_the_account_is_not_repeated() {
        let wrong = LoginError::InvalidCredentials { host: "vc".to_owned(), user: "admin".to_owned() };
        for error in [wrong, failed("Login")] {
            assert!(matches!(after(&error), Next::Park(Collection::CredentialsRefused { .. }, None)), "{error}");
        }
    }

    #[test]
    fn what_failed_before_a_password_was_sent_is_tried_again() {
        assert!(matches!(
            after(&failed("RetrieveServiceContent")),
            Next::Retry(Some(Collection::Unreachable { .. }), None)
        ));
        let none = LoginError::NotAVCenter { url: "https://vc/sdk".to_owned(), found: "HTTP status 404".to_owned() };
        assert!(matches!(after(&none), Next::Retry(Some(Collection::SettingsRefused { .. }), None)));
    }

    #[test]
    fn another_certificate_is_told_with_both_fingerprints() {
        let print = |byte: &str| byte.repeat(20).parse().unwrap();
        let error = LoginError::Certificate { host: "vc".to_owned(), expected: print("AA"), presented: print("BB") };
        let Next::Retry(Some(Collection::CertificateRefused { message }), Some(seen)) = after(&error) else { panic!() };
        assert!(message.contains("AA:AA") && message.contains("BB:BB"), "{message}");
        assert!(seen.starts_with("BB:BB"));
    }
}
