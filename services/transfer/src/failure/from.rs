//! Which error of which crate is which reason.

use blockcopy::{CopyError, ManifestError, SourceFault, TargetError, VerifyError};
use vsphere::{Fault, LoginError};

use super::{Failure, Reason};

/// A login that failed.
pub(crate) fn login(provider: &str, error: &LoginError) -> Failure {
    let reason = match error {
        LoginError::InvalidCredentials { .. } | LoginError::Denied { .. } => Reason::CredentialsRefused,
        LoginError::Certificate { .. } | LoginError::CertificateUnknown { .. } => Reason::CertificateRefused,
        LoginError::Unreachable { .. } | LoginError::Failed { .. } | LoginError::Ended => Reason::SourceUnreachable,
        _ => Reason::ProviderNotValid,
    };
    Failure::because(reason, format_args!("provider {provider}"), error)
}

/// A call to the vCenter that failed.
pub(crate) fn vcenter(about: &str, error: &vsphere::Error) -> Failure {
    let reason = match (error, error.fault()) {
        (_, Some(Fault::NoPermission { .. })) => Reason::AccessDenied,
        (_, Some(Fault::ManagedObjectNotFound { .. })) => Reason::SourceChanged,
        (vsphere::Error::Renewal(source), _) => return login(about, source),
        (vsphere::Error::Certificate { .. }, _) => Reason::CertificateRefused,
        _ => Reason::SourceUnreachable,
    };
    Failure::because(reason, about, error)
}

/// A target that could not be opened, written or read.
pub(crate) fn target(about: &str, error: &TargetError) -> Failure {
    let reason = match error {
        TargetError::Full { .. } => Reason::TargetFull,
        TargetError::Locked { .. } | TargetError::Replaced { .. } => Reason::TargetLocked,
        TargetError::Open { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Reason::TargetMissing,
        _ => Reason::TargetFailed,
    };
    Failure::because(reason, about, error)
}

/// A copy that stopped by itself.
pub(crate) fn copying(about: &str, error: &CopyError) -> Failure {
    let reason = match error {
        CopyError::Source { source, .. } => read(&source.fault),
        CopyError::Target(error) => return target(about, error),
        CopyError::Length { .. } => Reason::SourceChanged,
        CopyError::Extents(_) => Reason::SourceMisbehaves,
        _ => Reason::TargetFailed,
    };
    Failure::because(reason, about, error)
}

/// What a fault of a source means.
pub(crate) fn read(fault: &SourceFault) -> Reason {
    match fault {
        SourceFault::Unauthorized | SourceFault::Renewal(_) => Reason::CredentialsRefused,
        SourceFault::Forbidden => Reason::AccessDenied,
        SourceFault::Certificate(_) => Reason::CertificateRefused,
        SourceFault::Unreachable { .. } | SourceFault::Server { .. } => Reason::SourceUnreachable,
        SourceFault::NotFound | SourceFault::LengthChanged { .. } => Reason::SourceChanged,
        _ => Reason::SourceMisbehaves,
    }
}

/// A disk that was not proven.
pub(crate) fn verifying(about: &str, error: &VerifyError) -> Failure {
    match error {
        VerifyError::Target(error) => target(about, error),
        _ => Failure::because(Reason::VerificationFailed, about, error),
    }
}

/// A manifest that could not be kept.
pub(crate) fn manifest(about: &str, error: &ManifestError) -> Failure {
    let full = |source: &std::io::Error| source.kind() == std::io::ErrorKind::StorageFull;
    let reason = match error {
        ManifestError::Write { source, .. } if full(source) => Reason::TargetFull,
        _ => Reason::TargetFailed,
    };
    Failure::because(reason, about, error)
}

#[cfg(test)]
mod tests {
    use blockcopy::SourceError;

    use super::*;

    #[test]
    fn a_full_disk_says_what_to_do_and_where() {
        let error = CopyError::Target(TargetError::Full { path: "/images/web.img".into() });
        let failure = copying("VM web, disk-2000", &error);
        assert_eq!(failure.reason, Reason::TargetFull);
        assert_eq!(
            failure.message,
            "VM web, disk-2000: no space is left for the target /images/web.img; make room in its folder"
        );
    }

    #[test]
    fn a_source_fault_keeps_its_offset_and_object() {
        let source = SourceError { object: "[ds] web/web-flat.vmdk".to_owned(), fault: SourceFault::NotFound };
        let failure = copying("VM web, disk-2000", &CopyError::Source { offset: 4096, source });
        assert_eq!(failure.reason, Reason::SourceChanged);
        assert_eq!(
            failure.message,
            "VM web, disk-2000: the source failed at byte 4096: can't read [ds] web/web-flat.vmdk: it does not exist \
             (404)"
        );
    }

    #[test]
    fn a_missing_target_is_told_from_a_broken_one() {
        let open = |kind: std::io::ErrorKind| TargetError::Open { path: "/d".into(), source: kind.into() };
        assert_eq!(target("d", &open(std::io::ErrorKind::NotFound)).reason, Reason::TargetMissing);
        assert_eq!(target("d", &open(std::io::ErrorKind::PermissionDenied)).reason, Reason::TargetFailed);
    }
}
