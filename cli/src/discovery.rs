//! The kinds that the server knows, by all their names. The command line has no table of its own, so that it
//! never knows more or less than the server.

use anyhow::anyhow;
use serde::Deserialize;
use serde_json::Value;

use crate::client::{Client, ClientError};

/// All kinds of a server.
#[derive(Clone, Debug, Deserialize)]
pub struct Kinds {
    resources: Vec<Kind>,
}

/// One kind, as `/apis` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// API group; empty for Secrets.
    pub group: String,
    /// API version.
    pub version: String,
    /// Plural name, as in paths.
    pub name: String,
    /// Singular name.
    pub singular_name: String,
    /// `Plan`.
    pub kind: String,
    /// Other names.
    #[serde(default)]
    pub short_names: Vec<String>,
    /// What a table shows besides the name.
    #[serde(default)]
    pub columns: Vec<Column>,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// Heading.
    pub name: String,
    /// `date` is shown as an age, all else as it is.
    #[serde(rename = "type")]
    pub type_: String,
    /// Kubernetes' JSON path.
    pub json_path: String,
}

impl Kinds {
    /// Asks the server.
    pub async fn fetch(client: &Client) -> anyhow::Result<Self> {
        Ok(serde_json::from_value(client.get("/apis").await?)?)
    }

    /// The kind that a person's word means, in any case, also as `plans.forklift.konveyor.io`.
    pub fn find(&self, word: &str) -> anyhow::Result<&Kind> {
        let found = self.resources.iter().find(|kind| kind.is_called(word));
        found.ok_or_else(|| {
            let words = self.resources.iter().flat_map(|kind| [&kind.singular_name, &kind.name]);
            missing(&format!("there is no kind `{word}`"), word, words)
        })
    }

    /// The kind of a manifest.
    pub fn of(&self, api_version: &str, kind: &str) -> anyhow::Result<&Kind> {
        let same = |known: &&Kind| known.kind == kind && known.api_version() == api_version;
        if let Some(found) = self.resources.iter().find(same) {
            return Ok(found);
        }
        if let Some(other) = self.resources.iter().find(|known| known.kind == kind) {
            return Err(anyhow!("kind `{kind}` has apiVersion `{}`, not `{api_version}`", other.api_version()));
        }
        Err(missing(
            &format!("the server knows no kind `{kind}` of `{api_version}`"),
            kind,
            self.resources.iter().map(|known| &known.kind),
        ))
    }
}

impl Kind {
    /// `forklift.konveyor.io/v1beta1`, or `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Path of the objects in a namespace.
    pub fn collection(&self, namespace: &str) -> String {
        format!("{}/namespaces/{}/{}", self.root(), escaped(namespace), self.name)
    }

    /// Path of the objects in all namespaces.
    pub fn everywhere(&self) -> String {
        format!("{}/{}", self.root(), self.name)
    }

    /// Path of one object.
    pub fn object(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), escaped(name))
    }

    /// `plan.forklift.konveyor.io/web`, as kubectl writes it.
    pub fn named(&self, name: &str) -> String {
        if self.group.is_empty() {
            format!("{}/{name}", self.singular_name)
        } else {
            format!("{}.{}/{name}", self.singular_name, self.group)
        }
    }

    fn root(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }

    fn is_called(&self, word: &str) -> bool {
        let qualified = [&self.name, &self.singular_name].map(|name| format!("{name}.{}", self.group));
        let names = [&self.name, &self.singular_name, &self.kind];
        names.into_iter().chain(&self.short_names).chain(&qualified).any(|name| name.eq_ignore_ascii_case(word))
    }
}

/// What a person typed as a name must not reach another path.
fn escaped(segment: &str) -> String {
    url::form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20")
}

fn missing<'a>(what: &str, word: &str, known: impl Iterator<Item = &'a String>) -> anyhow::Error {
    let known: Vec<&String> = known.collect();
    let near = |name: &&&String| strsim::damerau_levenshtein(&name.to_lowercase(), &word.to_lowercase());
    let hint = match known.iter().min_by_key(near) {
        Some(name) if near(&name) <= 2 => format!("did you mean `{name}`?"),
        _ => format!("known are {}", known.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")),
    };
    ClientError::NotFound(format!("{what}; {hint}")).into()
}

/// Name and namespace of an object.
pub fn name_of(object: &Value) -> (&str, &str) {
    let metadata = &object["metadata"];
    (metadata["name"].as_str().unwrap_or_default(), metadata["namespace"].as_str().unwrap_or_default())
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;

    /// Two kinds and Secrets, as a server tells them.
    pub fn kinds() -> Kinds {
        let column = |name: &str, type_: &str, path: &str| json!({ "name": name, "type": type_, "jsonPath": path });
        serde_json::from_value(json!({ "resources": [
            { "group": "forklift.konveyor.io", "version": "v1beta1", "name": "plans", "singularName": "plan",
              "kind": "Plan", "columns": [
                column("READY", "string", ".status.conditions[?(@.type=='Ready')].status"),
                column("AGE", "date", ".metadata.creationTimestamp"),
              ] },
            { "group": "v2v.kubevirt.io", "version": "v1beta1", "name": "virtualmachineimports",
              "singularName": "virtualmachineimport", "kind": "VirtualMachineImport", "shortNames": ["vmimport"] },
            { "group": "", "version": "v1", "name": "secrets", "singularName": "secret", "kind": "Secret" },
        ]}))
        .unwrap()
    }

    #[test]
    fn a_kind_is_found_by_each_of_its_names() {
        let kinds = kinds();
        for word in ["plan", "Plans", "PLAN", "plans.forklift.konveyor.io"] {
            assert_eq!(kinds.find(word).unwrap().kind, "Plan", "{word}");
        }
        assert_eq!(kinds.find("vmimport").unwrap().kind, "VirtualMachineImport");
    }

    #[test]
    fn a_near_miss_is_answered_with_what_was_meant() {
        let kinds = kinds();
        assert_eq!(kinds.find("plna").unwrap_err().to_string(), "there is no kind `plna`; did you mean `plan`?");
        assert!(kinds.find("elephant").unwrap_err().to_string().contains("known are plan, plans, "));
        let error = kinds.of("forklift.konveyor.io/v1beta1", "Plann").unwrap_err().to_string();
        assert!(error.ends_with("did you mean `Plan`?"), "{error}");
        let error = kinds.of("forklift.konveyor.io/v1alpha1", "Plan").unwrap_err().to_string();
        assert_eq!(
            error,
            "kind `Plan` has apiVersion `forklift.konveyor.io/v1beta1`, not `forklift.konveyor.io/v1alpha1`"
        );
    }

    #[test]
    fn paths_are_kubernetes_and_a_name_stays_in_its_segment() {
        let kinds = kinds();
        let plan = kinds.find("plan").unwrap();
        assert_eq!(
            plan.object("a", "b/../c d"),
            "/apis/forklift.konveyor.io/v1beta1/namespaces/a/plans/b%2F..%2Fc%20d"
        );
        assert_eq!(plan.everywhere(), "/apis/forklift.konveyor.io/v1beta1/plans");
        assert_eq!(kinds.find("secret").unwrap().collection("a"), "/api/v1/namespaces/a/secrets");
    }
}
