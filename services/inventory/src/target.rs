//! What a Provider and its Secret ask the inventory to do. Pure.

use contract::id::ProviderUid;
use forklift_api::Provider;
use forklift_api::provider::provider_type;
use store::{ProviderLogin, SecretObject};
use vsphere::Endpoint;

/// The version of a provider's settings and credentials: a login is tried once for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// Generation of the Provider.
    pub generation: i64,
    /// Version of its Secret; empty when there is none.
    pub secret: String,
}

/// One provider to be followed.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// UID of the Provider.
    pub uid: ProviderUid,
    /// `namespace/name`, for logs.
    pub name: String,
    /// Of what it was made.
    pub version: Version,
    /// How to connect, or why that can't be.
    pub endpoint: Result<Endpoint, String>,
}

/// Whether the inventory has anything to do with a provider: what VMs only go to has no inventory.
pub(crate) fn is_source(provider: &Provider) -> bool {
    provider.spec.type_ != provider_type::OPENSHIFT
}

/// What `provider` and its Secret ask for; `None` for an object without UID, which no store gives.
pub(crate) fn target(provider: &Provider, secret: Option<&SecretObject>) -> Option<Target> {
    let metadata = &provider.metadata;
    let uid = ProviderUid::from(metadata.uid.clone()?);
    let (namespace, name) = (metadata.namespace.as_deref()?, metadata.name.as_deref()?);
    let version = Version {
        generation: metadata.generation.unwrap_or_default(),
        secret: secret.and_then(|secret| secret.metadata.resource_version.clone()).unwrap_or_default(),
    };
    Some(Target { uid, name: format!("{namespace}/{name}"), version, endpoint: endpoint(provider, secret) })
}

/// Namespace and name of a Provider's Secret; without a namespace it lies in the Provider's.
pub(crate) fn secret_name(provider: &Provider) -> (&str, &str) {
    let reference = &provider.spec.secret;
    let namespace = reference.namespace.as_deref().or(provider.metadata.namespace.as_deref());
    (namespace.unwrap_or_default(), reference.name.as_deref().unwrap_or_default())
}

fn endpoint(provider: &Provider, secret: Option<&SecretObject>) -> Result<Endpoint, String> {
    let kind = provider.spec.type_.as_str();
    if kind != provider_type::VSPHERE {
        return Err(format!(
            "providers of type `{kind}` are not supported by this version; set spec.type to `vsphere`"
        ));
    }
    let secret = secret.ok_or_else(|| {
        let (namespace, name) = secret_name(provider);
        format!("the Secret {namespace}/{name} was not found; create it, or correct spec.secret")
    })?;
    let ProviderLogin { url, user, password, tls } =
        store::login(provider, secret).map_err(|error| error.to_string())?;
    Endpoint::new(&url, user, password, tls).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use forklift_api::ProviderSpec;
    use trust::{Secret, TlsPolicy};

    use super::*;

    fn provider(kind: &str) -> Provider {
        let url = Some("https://vc.example/sdk".to_owned());
        let mut provider = Provider::new("vc", ProviderSpec { type_: kind.to_owned(), url, ..ProviderSpec::default() });
        provider.metadata.namespace = Some("ns".to_owned());
        provider.metadata.uid = Some("p-1".to_owned());
        provider.metadata.generation = Some(3);
        provider.spec.secret.name = Some("login".to_owned());
        provider
    }

    fn secret(more: &[(&str, &str)]) -> SecretObject {
        let mut secret = SecretObject::default();
        secret.metadata.resource_version = Some("9".to_owned());
        for (key, value) in [("user", "admin"), ("password", "hunter2")].iter().chain(more) {
            secret.data.insert((*key).to_owned(), Secret::new(value.as_bytes().to_vec()));
        }
        secret
    }

    fn refusal(kind: &str, secret: Option<&SecretObject>) -> String {
        target(&provider(kind), secret).unwrap().endpoint.unwrap_err()
    }

    #[test]
    fn a_target_names_its_version_and_shows_no_password() {
        let target = target(&provider("vsphere"), Some(&secret(&[]))).unwrap();
        assert_eq!(target.version, Version { generation: 3, secret: "9".to_owned() });
        assert_eq!(target.name, "ns/vc");
        assert!(!format!("{target:?}").contains("hunter2"));
        assert_eq!(target.endpoint.unwrap().tls, TlsPolicy::System);
    }

    #[test]
    fn trust_comes_from_the_secret() {
        let tls =
            |more: &[(&str, &str)]| target(&provider("vsphere"), Some(&secret(more))).unwrap().endpoint.unwrap().tls;
        let print = "AB".repeat(20);
        assert_eq!(tls(&[("thumbprint", &print)]), TlsPolicy::Fingerprint(print.parse().unwrap()));
        assert_eq!(tls(&[("cacert", "pem")]), TlsPolicy::Ca(b"pem".to_vec()));
        assert_eq!(tls(&[("insecureSkipVerify", "true")]), TlsPolicy::Insecure);
    }

    #[test]
    fn settings_that_can_not_be_used_are_said_with_what_to_do() {
        assert!(refusal("ovirt", None).contains("`ovirt` are not supported"));
        assert!(refusal("vsphere", None).contains("ns/login was not found; create it"));
        assert!(refusal("vsphere", Some(&secret(&[("thumbprint", "junk")]))).contains("fingerprint"));
        assert!(!is_source(&provider("openshift")) && is_source(&provider("ovirt")));
    }
}
