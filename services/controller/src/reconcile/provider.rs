//! Provider: what the inventory found of it becomes its conditions. The inventory alone tests a login.

use std::sync::Arc;

use contract::id::ProviderUid;
use forklift_api::{Conditions, Provider, Time};
use kube::ResourceExt;

use super::{Outcome, settled};
use crate::context::Context;
use crate::validate::provider::judge;

pub(crate) async fn reconcile(provider: Arc<Provider>, context: Arc<Context>) -> Outcome {
    let namespace = provider.namespace().unwrap_or_default();
    let Some(mut provider) = context.store.get::<Provider>(&namespace, &provider.name_any()).await? else {
        return Ok(settled());
    };
    let secret = match provider.spec.secret.name.as_deref() {
        Some(name) => {
            let namespace = provider.spec.secret.namespace.as_deref().unwrap_or(&namespace);
            context.secrets.get(namespace, name).await?
        }
        None => None,
    };
    let secret_version = secret.as_ref().map(|secret| secret.resource_version().to_owned());
    let uid = ProviderUid::from(provider.uid().unwrap_or_default());
    let state = context.index().provider(&uid).and_then(|known| known.state.clone());
    // What was found with an older spec or an older password says nothing about this one.
    let current = state.filter(|state| {
        Some(state.generation) == provider.metadata.generation && Some(&state.secret_version) == secret_version.as_ref()
    });
    let now = Time(context.now());
    let verdict = judge(&provider, secret.is_some(), current.as_ref(), &now);
    let mut status = provider.status.clone().unwrap_or_default();
    status.conditions.renew(verdict.conditions);
    status.phase = Some(verdict.phase.to_owned());
    status.observed_generation = provider.metadata.generation;
    status.secret_resource_version = secret_version;
    status.fingerprint = current.and_then(|state| state.fingerprint).or(status.fingerprint);
    if provider.status.as_ref() != Some(&status) {
        provider.status = Some(status);
        context.store.replace_status(&provider).await?;
    }
    Ok(settled())
}
