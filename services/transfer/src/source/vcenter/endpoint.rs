//! From a job's Provider and its Secret to where and how to log in. A job names its provider by name and UID: one
//! that was deleted and made anew is another one.

use contract::job::CopyRequested;
use forklift_api::Provider;
use forklift_api::provider::provider_type;
use store::{ProviderLogin, SecretObject, Secrets, Store};
use vsphere::Endpoint;

use crate::failure::{Failure, Reason};
use crate::source::NotConnected;

/// Reads both from the store.
pub(super) async fn read(store: &Store, secrets: &Secrets, job: &CopyRequested) -> Result<Endpoint, NotConnected> {
    let name = &job.provider_name;
    let invalid = |cause: &str| NotConnected::Failed(problem(name, cause));
    let provider: Option<Provider> = store.get(&job.namespace, name).await.map_err(NotConnected::Store)?;
    let provider = provider.ok_or_else(|| invalid("it does not exist any more; start the migration again"))?;
    if provider.metadata.uid.as_deref() != Some(job.provider.as_str()) {
        return Err(invalid("it was deleted and made anew; start the migration again"));
    }
    let reference = &provider.spec.secret;
    let namespace = reference.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    let namespace = namespace.unwrap_or(&job.namespace);
    let secret = reference.name.as_deref().ok_or_else(|| invalid("it names no Secret; set spec.secret"))?;
    let secret = secrets.get(namespace, secret).await.map_err(NotConnected::Store)?;
    let secret = secret.ok_or_else(|| invalid("its Secret does not exist; make it"))?;
    endpoint(name, &provider, &secret).map_err(NotConnected::Failed)
}

fn problem(provider: &str, cause: &str) -> Failure {
    Failure::new(Reason::ProviderNotValid, format!("provider {provider}: {cause}"))
}

fn endpoint(name: &str, provider: &Provider, secret: &SecretObject) -> Result<Endpoint, Failure> {
    if provider.spec.type_ != provider_type::VSPHERE {
        let cause = format!("its type is {}, this job is for {}", provider.spec.type_, provider_type::VSPHERE);
        return Err(problem(name, &cause));
    }
    let login = store::login(provider, secret).map_err(|error| problem(name, &error.to_string()))?;
    let ProviderLogin { url, user, password, tls } = login;
    Endpoint::new(&url, user, password, tls).map_err(|error| problem(name, &error.to_string()))
}

#[cfg(test)]
mod tests {
    use forklift_api::ProviderSpec;
    use trust::{Secret, TlsPolicy};

    use super::*;

    fn read_endpoint(type_: &str, entries: &[(&str, &str)]) -> Result<Endpoint, Failure> {
        let url = Some("https://vcenter.example/sdk".to_owned());
        let spec = ProviderSpec { type_: type_.to_owned(), url, ..ProviderSpec::default() };
        let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), Secret::new(value.as_bytes().to_vec()));
        let secret = SecretObject { data: entries.iter().map(entry).collect(), ..SecretObject::default() };
        endpoint("vc", &Provider::new("vc", spec), &secret)
    }

    #[test]
    fn a_secret_becomes_an_endpoint_with_its_trust() {
        let print = "ab".repeat(20);
        let endpoint = read_endpoint("vsphere", &[("user", "u"), ("password", "p"), ("thumbprint", &print)]).unwrap();
        assert_eq!((endpoint.user.as_str(), endpoint.password.expose().as_str()), ("u", "p"));
        assert_eq!(endpoint.tls, TlsPolicy::Fingerprint(print.parse().unwrap()));
    }

    #[test]
    fn what_cannot_be_used_names_the_provider_and_no_secret() {
        let login = [("user", "u"), ("password", "hunter2")];
        for (type_, entries, part) in [
            ("ovirt", login.to_vec(), "its type is ovirt"),
            ("vsphere", vec![("user", "u")], "lacks password"),
            ("vsphere", [&login[..], &[("thumbprint", "zz")]].concat(), "fingerprint"),
        ] {
            let failure = read_endpoint(type_, &entries).unwrap_err();
            assert_eq!(failure.reason, Reason::ProviderNotValid);
            assert!(failure.message.starts_with("provider vc: ") && failure.message.contains(part), "{failure}");
            assert!(!failure.message.contains("hunter2"), "{failure}");
        }
    }
}
