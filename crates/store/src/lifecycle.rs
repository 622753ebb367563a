//! What a create, replace, status update or deletion makes of an object: the rules of a Kubernetes API server for
//! custom resources, as pure functions. Time and uid are passed in; nothing is read or written here.

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::object::{finalizers, is_being_deleted, meta_mut, meta_str, set_meta};
use crate::schema::Checker;
use crate::{Error, ObjectId, Preconditions, Problem};

/// Metadata that only the store sets; what a writer says of them is replaced by what was there.
const KEPT: [&str; 5] = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];

/// Metadata that means nothing here.
const DROPPED: [&str; 2] = ["managedFields", "selfLink"];

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(crate) enum Change {
    /// It is as wanted already.
    Nothing(Value),
    /// Write this.
    Write(Value),
    /// Remove it; this is its last state.
    Remove(Value),
}

/// Why nothing is to be done.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    Invalid(Vec<Problem>),
    Conflict(String),
}

impl Refusal {
    pub fn about(self, object: &ObjectId) -> Error {
        let object = object.clone();
        match self {
            Self::Invalid(problems) => Error::Invalid { object, problems },
            Self::Conflict(cause) => Error::Conflict { object, cause },
        }
    }

    fn invalid(path: &str, message: &str) -> Self {
        Self::Invalid(vec![Problem::at(path, message)])
    }
}

/// A new object as it is to be stored.
pub(crate) fn create(checker: &Checker, mut object: Value, uid: Uuid, now: Timestamp) -> Result<Value, Refusal> {
    if meta_str(&object, "resourceVersion").is_some_and(|version| !version.is_empty()) {
        return Err(Refusal::invalid("metadata.resourceVersion", "must not be set on an object to be created"));
    }
    if meta_str(&object, "name").unwrap_or_default().is_empty()
        && let Some(stem) = meta_str(&object, "generateName").filter(|stem| !stem.is_empty())
    {
        let name = format!("{stem}{}", &uid.simple().to_string()[..8]);
        set_meta(&mut object, "name", name);
    }
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(meta) = meta_mut(&mut object) {
        KEPT.iter().chain(&DROPPED).chain(&["resourceVersion"]).for_each(|field| drop(meta.remove(*field)));
    }
    let mut object = checker.admit(object).map_err(Refusal::Invalid)?;
    set_meta(&mut object, "uid", uid.to_string());
    set_meta(&mut object, "creationTimestamp", written(now));
    set_meta(&mut object, "generation", 1);
    Ok(object)
}

/// An object that takes the place of `old`, with old's status.
pub(crate) fn replace(checker: &Checker, old: &Value, mut new: Value) -> Result<Change, Refusal> {
    check_versions(old, &new)?;
    if let Some(meta) = meta_mut(&mut new) {
        DROPPED.iter().for_each(|field| drop(meta.remove(*field)));
        for field in KEPT {
            match old.pointer(&format!("/metadata/{field}")) {
                Some(value) => meta.insert(field.to_owned(), value.clone()),
                None => meta.remove(field),
            };
        }
    }
    if let Some(fields) = new.as_object_mut() {
        match old.get("status") {
            Some(status) => fields.insert("status".to_owned(), status.clone()),
            None => fields.remove("status"),
        };
    }
    let mut new = checker.admit(new).map_err(Refusal::Invalid)?;
    if is_being_deleted(old) {
        let before = finalizers(old);
        if finalizers(&new).iter().any(|f| !before.contains(f)) {
            return Err(Refusal::invalid("metadata.finalizers", "none can be added while the object is being deleted"));
        }
        if finalizers(&new).is_empty() {
            return Ok(Change::Remove(new));
        }
    }
    if intent(old) != intent(&new) {
        let generation = old.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
        set_meta(&mut new, "generation", generation + 1);
    }
    Ok(if *old == new { Change::Nothing(new) } else { Change::Write(new) })
}

/// `old` with the status of `new`, of which nothing else counts.
pub(crate) fn replace_status(checker: &Checker, old: Value, new: Value) -> Result<Change, Refusal> {
    check_versions(&old, &new)?;
    let mut next = old.clone();
    if let (Some(fields), Value::Object(mut sent)) = (next.as_object_mut(), new) {
        match sent.remove("status").filter(|status| !status.is_null()) {
            Some(status) => fields.insert("status".to_owned(), status),
            None => fields.remove("status"),
        };
    }
    let next = checker.admit(next).map_err(Refusal::Invalid)?;
    Ok(if old == next { Change::Nothing(old) } else { Change::Write(next) })
}

/// What a deletion makes of `old`.
pub(crate) fn delete(mut old: Value, preconditions: &Preconditions, now: Timestamp) -> Result<Change, Refusal> {
    for (field, wanted) in [("uid", &preconditions.uid), ("resourceVersion", &preconditions.resource_version)] {
        let found = meta_str(&old, field).unwrap_or_default();
        if let Some(wanted) = wanted
            && wanted != found
        {
            return Err(Refusal::Conflict(format!("its {field} is {found}, not {wanted}")));
        }
    }
    if finalizers(&old).is_empty() {
        return Ok(Change::Remove(old));
    }
    if is_being_deleted(&old) {
        return Ok(Change::Nothing(old));
    }
    set_meta(&mut old, "deletionTimestamp", written(now));
    Ok(Change::Write(old))
}

/// The bytes of an object in the store: without its resourceVersion, which is the revision of its key.
pub(crate) fn stored_form(object: &Value) -> Result<Vec<u8>, serde_json::Error> {
    let mut object = object.clone();
    if let Some(meta) = meta_mut(&mut object) {
        meta.remove("resourceVersion");
    }
    serde_json::to_vec(&object)
}

fn check_versions(old: &Value, new: &Value) -> Result<(), Refusal> {
    let found = meta_str(old, "resourceVersion").unwrap_or_default();
    match meta_str(new, "resourceVersion").filter(|version| !version.is_empty()) {
        None => {
            return Err(Refusal::invalid(
                "metadata.resourceVersion",
                "must be the one that was read, so that no other change is lost",
            ));
        }
        Some(sent) if sent != found => {
            return Err(Refusal::Conflict(format!("it has resourceVersion {found} now, not {sent}")));
        }
        Some(_) => {}
    }
    let (is, sent) = (meta_str(old, "uid").unwrap_or_default(), meta_str(new, "uid").unwrap_or_default());
    if !sent.is_empty() && sent != is {
        return Err(Refusal::Conflict(format!("its uid is {is}, not {sent}: it was made anew")));
    }
    Ok(())
}

/// What an author wants, of which `generation` counts the versions: all but metadata and status.
fn intent(object: &Value) -> Map<String, Value> {
    let mut fields = object.as_object().cloned().unwrap_or_default();
    fields.remove("metadata");
    fields.remove("status");
    fields
}

/// A time as Kubernetes writes it: whole seconds.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
