//! The conditions of a Provider, from what the inventory reports of it.

use contract::inventory::{Collection, ProviderState};
use forklift_api::provider::{phase, provider_type};
use forklift_api::{Category, Condition, Provider, Time, Truth};

use super::findings::{Finding, Findings};
use super::settings;

static TYPE: Finding = Finding::critical(
    "ProviderTypeNotSupported",
    "NotSupported",
    "this provider type is not supported; Longshore migrates from `vsphere` to `openshift`",
);
static UNKNOWN_TYPE: Finding = Finding::critical(
    "ProviderTypeNotSupported",
    "NotSupported",
    "there is no such provider type; use `vsphere` or `openshift`",
);
static NO_URL: Finding = Finding::critical("UrlNotValid", "NotSet", "`spec.url` is missing; give `https://HOST/sdk`");
static REMOTE: Finding = Finding::critical(
    "UrlNotValid",
    "NotSupported",
    "remote clusters are not implemented yet; leave `spec.url` empty for this machine",
);
static NO_SECRET: Finding = Finding::critical(
    "SecretNotValid",
    "NotFound",
    "the Secret does not exist; create it with the keys `user` and `password`",
);

/// Phase and conditions of a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// `status.phase`.
    pub phase: &'static str,
    /// `status.conditions`.
    pub conditions: Vec<Condition>,
}

/// Judges a provider; `state` is the inventory's newest word on it, if it is about this generation and secret.
pub fn judge(provider: &Provider, secret_exists: bool, state: Option<&ProviderState>, now: &Time) -> Verdict {
    let mut findings = Findings::default();
    settings::provider(provider, &mut findings);
    let spec = &provider.spec;
    let url = spec.url.as_deref().unwrap_or_default();
    let named = Some(spec.type_.clone());
    match spec.type_.as_str() {
        provider_type::OPENSHIFT if !url.is_empty() => findings.add(&REMOTE, Some(url.to_owned())),
        provider_type::VSPHERE if url.is_empty() => findings.add(&NO_URL, None),
        provider_type::VSPHERE if !secret_exists => findings.add(&NO_SECRET, spec.secret.name.clone()),
        provider_type::VSPHERE | provider_type::OPENSHIFT => {}
        other if provider_type::KNOWN.contains(&other) => findings.add(&TYPE, named),
        _ => findings.add(&UNKNOWN_TYPE, named),
    }
    if findings.blocked() {
        return Verdict { phase: phase::VALIDATION_FAILED, conditions: finish(findings.conditions(now), false, now) };
    }
    let mut conditions = findings.conditions(now);
    conditions.push(Condition::new("Validated", Category::Advisory, now.clone()).reason("Completed"));
    if spec.type_ == provider_type::OPENSHIFT {
        conditions.push(tested(now));
        conditions.push(Condition::new("InventoryCreated", Category::Required, now.clone()).reason("Completed"));
        return Verdict { phase: phase::READY, conditions: finish(conditions, true, now) };
    }
    let (phase, found) = collection(state.map(|state| &state.collection), now);
    conditions.extend(found);
    Verdict { phase, conditions: finish(conditions, phase == phase::READY, now) }
}

fn collection(collection: Option<&Collection>, now: &Time) -> (&'static str, Vec<Condition>) {
    let condition = |type_, category| Condition::new(type_, category, now.clone());
    let failed = |type_: &str, reason: &str, message: &str| {
        vec![Condition::new(type_, Category::Critical, now.clone()).reason(reason).message(message)]
    };
    match collection {
        None => (
            phase::STAGING,
            vec![
                condition("LoadInventory", Category::Advisory)
                    .reason("Pending")
                    .message("the inventory service has not tried this provider yet"),
            ],
        ),
        Some(Collection::Loading) => (
            phase::STAGING,
            vec![
                tested(now),
                condition("LoadInventory", Category::Advisory)
                    .reason("Started")
                    .message("the first full set is being loaded"),
            ],
        ),
        Some(Collection::Synced) => {
            (phase::READY, vec![tested(now), condition("InventoryCreated", Category::Required).reason("Completed")])
        }
        Some(Collection::CredentialsRefused { message }) => {
            (phase::CONNECTION_FAILED, failed("ConnectionAuthFailed", "CredentialsRefused", message))
        }
        Some(Collection::CertificateRefused { message }) => {
            (phase::CONNECTION_FAILED, failed("ConnectionTestFailed", "CertificateRefused", message))
        }
        Some(Collection::SettingsRefused { message }) => {
            (phase::VALIDATION_FAILED, failed("SecretNotValid", "DataErr", message))
        }
        Some(Collection::Unreachable { message }) => {
            (phase::CONNECTION_FAILED, failed("ConnectionTestFailed", "Unreachable", message))
        }
    }
}

fn tested(now: &Time) -> Condition {
    Condition::new("ConnectionTestSucceeded", Category::Required, now.clone()).reason("Tested")
}

/// Adds `Ready`, True or False.
fn finish(mut conditions: Vec<Condition>, ready: bool, now: &Time) -> Vec<Condition> {
    conditions.push(ready_condition(ready, now));
    conditions
}

/// The condition `Ready` of any resource.
pub fn ready_condition(ready: bool, now: &Time) -> Condition {
    let mut condition = Condition::new("Ready", Category::Required, now.clone());
    condition.status = if ready { Truth::True } else { Truth::False };
    condition.message(if ready { "ready" } else { "not ready; see the other conditions" })
}

#[cfg(test)]
mod tests {
    use forklift_api::Conditions;

    use super::*;

    fn provider(type_: &str, url: &str) -> Provider {
        let mut provider = Provider::new("p", forklift_api::ProviderSpec::default());
        provider.spec.type_ = type_.into();
        provider.spec.url = Some(url.into());
        provider
    }

    fn state(collection: Collection) -> ProviderState {
        ProviderState {
            provider: "p".into(),
            generation: 1,
            secret_version: "1".into(),
            revision: contract::revision::Revision::default(),
            collection,
            fingerprint: None,
            vm_count: 0,
        }
    }

    fn now() -> Time {
        Time(jiff::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_synced_vcenter_is_ready_and_a_loading_one_is_not() {
        let vcenter = provider("vsphere", "https://vc/sdk");
        let ready = judge(&vcenter, true, Some(&state(Collection::Synced)), &now());
        assert!(ready.conditions.is_true("Ready") && ready.conditions.is_true("InventoryCreated"));
        let loading = judge(&vcenter, true, Some(&state(Collection::Loading)), &now());
        assert!(!loading.conditions.is_true("Ready") && loading.conditions.is_true("ConnectionTestSucceeded"));
    }

    #[test]
    fn a_refused_password_is_a_critical_condition_with_its_message() {
        let refused = state(Collection::CredentialsRefused { message: "user `u` was refused".into() });
        let verdict = judge(&provider("vsphere", "https://vc/sdk"), true, Some(&refused), &now());
        let condition = verdict.conditions.find("ConnectionAuthFailed").unwrap();
        assert!(condition.blocks());
        assert_eq!(condition.message.as_deref(), Some("user `u` was refused"));
    }

    #[test]
    fn what_is_not_supported_says_so() {
        for (type_, url, secret, condition) in [
            ("ovirt", "https://e", true, "ProviderTypeNotSupported"),
            ("vmware", "https://e", true, "ProviderTypeNotSupported"),
            ("vsphere", "", true, "UrlNotValid"),
            ("vsphere", "https://e", false, "SecretNotValid"),
            ("openshift", "https://api", true, "UrlNotValid"),
        ] {
            let verdict = judge(&provider(type_, url), secret, None, &now());
            assert!(verdict.conditions.is_true(condition), "{type_} {condition}");
            assert!(!verdict.conditions.is_true("Ready"));
        }
    }

    #[test]
    fn the_host_provider_is_ready_at_once() {
        assert!(judge(&provider("openshift", ""), false, None, &now()).conditions.is_true("Ready"));
    }
}
