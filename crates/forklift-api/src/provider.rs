//! Kind Provider: where VMs come from (vSphere, oVirt) or go to (openshift; an empty url is this cluster or, on one
//! machine, the `local` target).

mod connection;

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, ObjectRef};

pub use connection::{ConnectionError, ConnectionTrust, ProviderConnection, connection};

/// What the user says about a provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, JsonSchema)]
#[kube(
    group = "forklift.konveyor.io",
    version = "v1beta1",
    kind = "Provider",
    namespaced,
    status = "ProviderStatus",
    doc = "A source of virtual machines, or the target they go to.",
    derive = "PartialEq",
    derive = "Default",
    printcolumn(name = "TYPE", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "STATUS", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "READY", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(
        name = "CONNECTED",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='ConnectionTestSucceeded')].status"
    ),
    printcolumn(
        name = "INVENTORY",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='InventoryCreated')].status"
    ),
    printcolumn(name = "URL", type_ = "string", json_path = ".spec.url"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ProviderSpec {
    /// vsphere, ovirt or openshift; see [`provider_type`].
    #[serde(rename = "type")]
    pub type_: String,
    /// Where its API is, such as `https://vcenter.example/sdk`; empty for the host provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The Secret with its credentials and trust.
    pub secret: ObjectRef,
    /// Settings of this provider; see [`setting`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// What Longshore found about a provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderStatus {
    /// One word for the state; see [`phase`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// What holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The generation that the conditions are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// SHA-1 of the certificate that the server showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// A helper service of this provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ObjectRef>,
    /// The Secret's version that was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_resource_version: Option<String>,
}

/// Values of `spec.type`.
pub mod provider_type {
    /// VMware vCenter or ESXi.
    pub const VSPHERE: &str = "vsphere";
    /// Red Hat Virtualization or oVirt.
    pub const OVIRT: &str = "ovirt";
    /// A cluster with KubeVirt, or the local target.
    pub const OPENSHIFT: &str = "openshift";
    /// All that Forklift knows, so that a typing error can be told from something not done here.
    pub const KNOWN: &[&str] = &["openshift", "vsphere", "ovirt", "openstack", "ova", "ec2", "hyperv", "nutanix"];
}

/// Values of `status.phase`.
pub mod phase {
    /// Being looked at.
    pub const STAGING: &str = "Staging";
    /// The spec or its secret can't be used.
    pub const VALIDATION_FAILED: &str = "ValidationFailed";
    /// The server can't be reached or refused us.
    pub const CONNECTION_FAILED: &str = "ConnectionFailed";
    /// Logged in and inventoried.
    pub const READY: &str = "Ready";
}

/// Keys of `spec.settings`.
pub mod setting {
    /// vcenter (default) or esxi.
    pub const SDK_ENDPOINT: &str = "sdkEndpoint";
    /// Image with VMware's VDDK.
    pub const VDDK_INIT_IMAGE: &str = "vddkInitImage";
}

/// Keys of the credentials Secret.
pub mod secret_key {
    /// Login name.
    pub const USER: &str = "user";
    /// Its password.
    pub const PASSWORD: &str = "password";
    /// PEM of the certificate authority; [`CACERT_OLD`] is read too.
    pub const CACERT: &str = "ca.crt";
    /// The older name of [`CACERT`].
    pub const CACERT_OLD: &str = "cacert";
    /// Fingerprint of the server's certificate.
    pub const THUMBPRINT: &str = "thumbprint";
    /// `true`: the certificate is not checked.
    pub const INSECURE_SKIP_VERIFY: &str = "insecureSkipVerify";
}
