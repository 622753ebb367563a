//! The table of kinds that Longshore serves: names, schema and columns, all from the types themselves.

use std::sync::LazyLock;

use kube::core::CustomResourceExt;
use serde_json::Value;

/// One kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// API group, such as `forklift.konveyor.io`.
    pub group: String,
    /// API version, such as `v1beta1`.
    pub version: String,
    /// `Plan`.
    pub kind: String,
    /// `plans`.
    pub plural: String,
    /// `plan`.
    pub singular: String,
    /// Other names that a command line takes.
    pub short_names: Vec<String>,
    /// Whether its objects lie in namespaces (today: all do).
    pub namespaced: bool,
    /// Structural OpenAPI v3 schema of the whole object.
    pub schema: Value,
    /// What a table of its objects shows besides the name.
    pub columns: Vec<Column>,
}

/// One column of a table of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// `string`, `date` and so on.
    pub type_: String,
    /// Kubernetes' JSON path, such as `.status.conditions[?(@.type=='Ready')].status`.
    pub json_path: String,
}

impl Kind {
    /// The kind of a Rust type, from its derive.
    pub fn of<K: CustomResourceExt>() -> Self {
        let spec = K::crd().spec;
        let version = spec.versions.into_iter().next();
        let (name, columns, schema) = version.map_or_else(Default::default, |v| {
            (v.name, v.additional_printer_columns, v.schema.and_then(|s| s.open_api_v3_schema))
        });
        Self {
            group: spec.group,
            version: name,
            kind: spec.names.kind,
            plural: spec.names.plural,
            singular: spec.names.singular.unwrap_or_default(),
            short_names: spec.names.short_names.unwrap_or_default(),
            namespaced: spec.scope == "Namespaced",
            // A schema that can't be written as JSON doesn't exist; the golden test looks at each.
            schema: schema.and_then(|s| serde_json::to_value(s).ok()).unwrap_or_default(),
            columns: columns.unwrap_or_default().into_iter().map(Column::from).collect(),
        }
    }

    /// `forklift.konveyor.io/v1beta1`.
    pub fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// Whether a person's word (kind, plural, singular, short name, in any case) means this kind.
    pub fn is_called(&self, word: &str) -> bool {
        let names = [&self.kind, &self.plural, &self.singular];
        let full = format!("{}.{}", self.plural, self.group);
        names.into_iter().chain(&self.short_names).chain([&full]).any(|name| name.eq_ignore_ascii_case(word))
    }
}

impl From<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceColumnDefinition>
    for Column
{
    fn from(
        column: k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceColumnDefinition,
    ) -> Self {
        Self { name: column.name, type_: column.type_, json_path: column.json_path }
    }
}

/// All kinds that Longshore serves.
pub fn kinds() -> &'static [Kind] {
    static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
        vec![
            Kind::of::<crate::Provider>(),
            Kind::of::<crate::NetworkMap>(),
            Kind::of::<crate::StorageMap>(),
            Kind::of::<crate::Plan>(),
            Kind::of::<crate::Migration>(),
            Kind::of::<crate::VirtualMachineImport>(),
        ]
    });
    &KINDS
}

/// The kind that `word` means: kind, plural, singular or short name, in any case.
pub fn find(word: &str) -> Option<&'static Kind> {
    kinds().iter().find(|kind| kind.is_called(word))
}
