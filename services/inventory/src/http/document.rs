//! Documents as HTTP shows them: the stored one cut to the wanted detail, with revision, link and concerns. Pure.

use contract::assessment::VmAssessed;
use contract::id::ProviderUid;
use contract::revision::Revision;
use serde_json::{Map, Value, json};

use super::query::Detail;
use crate::database::{KnownProvider, Object};
use crate::kind::Kind;

const BRIEF: [&str; 5] = ["id", "variant", "parent", "path", "name"];
const TABLE_OF_VMS: [&str; 5] = ["isTemplate", "powerState", "host", "networks", "disks"];

/// One object. `revision` and `revisionValidated` are numbers as Forklift's are; they compare within one
/// `revisionEpoch`.
pub(super) fn object(
    provider_type: &str,
    provider: &ProviderUid,
    object: Object,
    assessed: Option<&VmAssessed>,
    detail: Detail,
) -> Value {
    let Object { key, mut document, revision, .. } = object;
    let is_vm = key.kind == Kind::Vm;
    document.retain(|field, _| match detail {
        Detail::All => true,
        Detail::Table if !is_vm => true,
        Detail::Table => BRIEF.contains(&field.as_str()) || TABLE_OF_VMS.contains(&field.as_str()),
        Detail::Brief => BRIEF.contains(&field.as_str()),
    });
    let link = format!("providers/{provider_type}/{provider}/{}/{}", key.kind.plural(), key.id);
    document.insert("selfLink".to_owned(), link.into());
    document.insert("revision".to_owned(), revision.n.into());
    document.insert("revisionEpoch".to_owned(), revision.epoch.into());
    if is_vm && detail >= Detail::Table {
        add_concerns(&mut document, revision, assessed);
    }
    Value::Object(document)
}

fn add_concerns(document: &mut Map<String, Value>, revision: Revision, assessed: Option<&VmAssessed>) {
    let concerns = assessed.map(|assessed| &assessed.concerns);
    document.insert("concerns".to_owned(), json!(concerns.map_or(&[][..], Vec::as_slice)));
    let judged = assessed.map(|assessed| assessed.vm_revision).filter(|judged| judged.epoch == revision.epoch);
    document.insert("revisionValidated".to_owned(), judged.map_or(0, |judged| judged.n).into());
}

/// One provider with its numbers of objects and how its collection stands.
pub(super) fn provider(known: &KnownProvider) -> Value {
    let KnownProvider { row, state, counts, synced } = known;
    let mut document = json!({
        "uid": row.uid,
        "namespace": row.namespace,
        "name": row.name,
        "type": row.kind,
        "selfLink": format!("providers/{}/{}", row.kind, row.uid),
        "object": row.resource,
        "synced": synced,
        "collection": state.as_ref().map(|state| &state.collection),
        "fingerprint": state.as_ref().and_then(|state| state.fingerprint.as_ref()),
    });
    if let Value::Object(document) = &mut document {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is_published()) {
            let count = counts.get(&kind).copied().unwrap_or_default();
            document.insert(format!("{kind}Count"), count.into());
        }
    }
    document
}
