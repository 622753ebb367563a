//! Kind StorageMap: which source datastore or storage domain becomes which storage class.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{MapStatus, ProviderPair, Ref};

/// Pairs of storage between two providers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, JsonSchema)]
#[kube(
    group = "forklift.konveyor.io",
    version = "v1beta1",
    kind = "StorageMap",
    namespaced,
    status = "MapStatus",
    doc = "Which source storage becomes which storage class.",
    derive = "PartialEq",
    derive = "Default",
    printcolumn(name = "READY", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
pub struct StorageMapSpec {
    /// Source and target provider.
    pub provider: ProviderPair,
    /// One entry a datastore or storage domain.
    pub map: Vec<StoragePair>,
}

/// One source storage and its target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoragePair {
    /// The source storage.
    pub source: Ref,
    /// The target storage.
    pub destination: DestinationStorage,
    /// Let the storage array copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offload_plugin: Option<OffloadPlugin>,
}

/// A target storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DestinationStorage {
    /// The storage class; with the local target the name of a configured directory.
    pub storage_class: String,
    /// Access mode of the volumes; absent: the storage profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_mode: Option<AccessMode>,
    /// Mode of the volumes; absent: the storage profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_mode: Option<VolumeMode>,
}

/// Who may mount a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessMode {
    /// One node.
    ReadWriteOnce,
    /// Many nodes.
    ReadWriteMany,
    /// Many nodes, to read.
    ReadOnlyMany,
}

/// How a volume is seen by its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VolumeMode {
    /// A file system with `disk.img`.
    Filesystem,
    /// A device.
    Block,
}

/// Copying by the storage array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OffloadPlugin {
    /// By the ESXi host's XCOPY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vsphere_xcopy_config: Option<XcopyConfig>,
    /// By import into a CSI driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csi_volume_import: Option<CsiVolumeImport>,
}

/// Copying by the ESXi host's XCOPY.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct XcopyConfig {
    /// Name of the Secret with the array's credentials.
    pub secret_ref: String,
    /// The array.
    pub storage_vendor_product: XcopyProduct,
    /// ESXi hosts that do the copying.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dedicated_migration_hosts: Vec<String>,
}

/// Arrays whose volumes Forklift lets ESXi copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum XcopyProduct {
    Flashsystem,
    Vantara,
    Ontap,
    Primera3par,
    PureFlashArray,
    Powerflex,
    Powermax,
    Powerstore,
    Infinibox,
}

/// Copying by import into a CSI driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CsiVolumeImport {
    /// Name of the Secret with the array's credentials.
    pub secret_ref: String,
    /// The array.
    pub storage_vendor_product: CsiProduct,
}

/// Arrays whose volumes Forklift imports into a CSI driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum CsiProduct {
    Primera3par,
    Ontap,
}
