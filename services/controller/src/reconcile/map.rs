//! NetworkMap and StorageMap: whether what they name exists on both sides.

use std::sync::Arc;

use contract::id::ProviderUid;
use forklift_api::network_map::NetworkType;
use forklift_api::provider::provider_type;
use forklift_api::{MapStatus, NetworkMap, Provider, ProviderPair, Ref, StorageMap, Time};
use kube::ResourceExt;

use super::{Outcome, settled};
use crate::conditions::renew;
use crate::context::Context;
use crate::error::Error;
use crate::index::{Index, ProviderIndex};
use crate::validate::findings::{Finding, Findings};
use crate::validate::mapping::{Lookup, Named, find};
use crate::validate::settings;

static SOURCE_PROVIDER: Finding = Finding::critical(
    "SourceProviderNotValid",
    "NotFound",
    "the source provider does not exist; create it or correct `spec.provider.source`",
);
static DESTINATION_PROVIDER: Finding = Finding::critical(
    "DestinationProviderNotValid",
    "NotFound",
    "the destination must be an existing provider of type openshift",
);
static NOT_READY: Finding = Finding::critical(
    "SourceProviderNotReady",
    "NotReady",
    "the inventory of the source provider is not there yet; see the provider's conditions",
);

/// How one kind of map words its findings.
struct Words {
    not_set: Finding,
    ambiguous: Finding,
    not_found: Finding,
}

static NETWORK: Words = Words {
    not_set: Finding::critical("SourceNetworkNotValid", "NotSet", "each source needs an `id` or a `name`"),
    ambiguous: Finding::critical(
        "SourceNetworkNotValid",
        "Ambiguous",
        "the name fits more than one network; use the `id`",
    ),
    not_found: Finding::warn("SourceNetworkNotValid", "NotFound", "the source has no such network"),
};
static STORAGE: Words = Words {
    not_set: Finding::critical("SourceStorageNotValid", "NotSet", "each source needs an `id` or a `name`"),
    ambiguous: Finding::critical(
        "SourceStorageNotValid",
        "Ambiguous",
        "the name fits more than one datastore; use the `id`",
    ),
    not_found: Finding::warn("SourceStorageNotValid", "NotFound", "the source has no such datastore"),
};
static STORAGE_CLASS: Finding = Finding::critical(
    "DestinationStorageNotValid",
    "NotFound",
    "no such storage class on the target; on one machine give it a directory by `--storage-class NAME=DIR`",
);
static NETWORK_NAME: Finding = Finding::critical(
    "DestinationNetworkNotValid",
    "NotSet",
    "a multus destination needs the `name` of a network attachment definition",
);

pub(crate) async fn network(map: Arc<NetworkMap>, context: Arc<Context>) -> Outcome {
    let namespace = map.namespace().unwrap_or_default();
    let Some(mut map) = context.store.get::<NetworkMap>(&namespace, &map.name_any()).await? else {
        return Ok(settled());
    };
    let mut findings = Findings::default();
    settings::network_map(&map, &mut findings);
    for pair in map.spec.map.iter().filter(|pair| pair.destination.type_ == NetworkType::Multus) {
        if pair.destination.name.as_deref().unwrap_or_default().is_empty() {
            findings.add(&NETWORK_NAME, pair.source.name.clone().or(pair.source.id.clone()));
        }
    }
    let source = source(&context, &map.spec.provider, &namespace, &mut findings).await?;
    let references = with_inventory(&context.index(), source.as_ref(), &mut findings, |inventory, findings| {
        let named = map.spec.map.iter().map(|pair| (pair.source.id.as_deref(), pair.source.name.as_deref()));
        resolve(inventory.networks.values(), named, &NETWORK, findings)
    });
    let status = status(&context, map.status.as_ref(), map.metadata.generation, findings, references);
    if map.status.as_ref() != Some(&status) {
        map.status = Some(status);
        context.store.replace_status(&map).await?;
    }
    Ok(settled())
}

pub(crate) async fn storage(map: Arc<StorageMap>, context: Arc<Context>) -> Outcome {
    let namespace = map.namespace().unwrap_or_default();
    let Some(mut map) = context.store.get::<StorageMap>(&namespace, &map.name_any()).await? else {
        return Ok(settled());
    };
    let mut findings = Findings::default();
    settings::storage_map(&map, &mut findings);
    let known = context.target.storage_classes();
    for pair in map.spec.map.iter().filter(|pair| !known.contains(&pair.destination.storage_class)) {
        findings
            .add(&STORAGE_CLASS, Some(format!("{} (there are: {})", pair.destination.storage_class, known.join(", "))));
    }
    let source = source(&context, &map.spec.provider, &namespace, &mut findings).await?;
    let references = with_inventory(&context.index(), source.as_ref(), &mut findings, |inventory, findings| {
        let named = map.spec.map.iter().map(|pair| (pair.source.id.as_deref(), pair.source.name.as_deref()));
        resolve(inventory.datastores.values(), named, &STORAGE, findings)
    });
    let status = status(&context, map.status.as_ref(), map.metadata.generation, findings, references);
    if map.status.as_ref() != Some(&status) {
        map.status = Some(status);
        context.store.replace_status(&map).await?;
    }
    Ok(settled())
}

async fn source(
    context: &Context,
    pair: &ProviderPair,
    namespace: &str,
    findings: &mut Findings,
) -> Result<Option<ProviderUid>, Error> {
    let destination: Option<Provider> = context.referred(&pair.destination, namespace).await?;
    if destination.is_none_or(|provider| provider.spec.type_ != provider_type::OPENSHIFT) {
        findings.add(&DESTINATION_PROVIDER, pair.destination.name.clone());
    }
    let source: Option<Provider> = context.referred(&pair.source, namespace).await?;
    if source.is_none() {
        findings.add(&SOURCE_PROVIDER, pair.source.name.clone());
    }
    Ok(source.and_then(|source| source.uid()).map(ProviderUid::from))
}

fn with_inventory(
    index: &Index,
    source: Option<&ProviderUid>,
    findings: &mut Findings,
    look: impl FnOnce(&ProviderIndex, &mut Findings) -> Vec<Ref>,
) -> Vec<Ref> {
    let Some(source) = source else { return Vec::new() };
    match index.provider(source).filter(|known| index.is_complete() && known.is_synced()) {
        Some(inventory) => look(inventory, findings),
        None => {
            findings.add(&NOT_READY, None);
            Vec::new()
        }
    }
}

fn resolve<'a, T: Named + 'a>(
    objects: impl Iterator<Item = &'a T> + Clone,
    wanted: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
    words: &Words,
    findings: &mut Findings,
) -> Vec<Ref> {
    let mut references = Vec::new();
    for (id, name) in wanted {
        let text = Some(name.or(id).unwrap_or_default().to_owned());
        if id.unwrap_or_default().is_empty() && name.unwrap_or_default().is_empty() {
            findings.add(&words.not_set, None);
            continue;
        }
        match find(objects.clone(), id, name) {
            Lookup::One(found) => references.push(Ref {
                id: Some(found.id().to_owned()),
                name: Some(found.name().to_owned()),
                ..Ref::default()
            }),
            Lookup::None => findings.add(&words.not_found, text),
            Lookup::Many(paths) => findings.add(&words.ambiguous, text.map(|t| format!("{t} ({})", paths.join(", ")))),
        }
    }
    references
}

fn status(
    context: &Context,
    old: Option<&MapStatus>,
    generation: Option<i64>,
    findings: Findings,
    references: Vec<Ref>,
) -> MapStatus {
    let now = Time(context.now());
    let mut status = old.cloned().unwrap_or_default();
    renew(&mut status.conditions, findings.conditions(&now), &now);
    status.observed_generation = generation;
    status.references = references;
    status
}
