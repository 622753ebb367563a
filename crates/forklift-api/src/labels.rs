//! Names of labels and annotations on the objects that a migration makes, as Forklift writes them, so that what
//! finds Forklift's objects finds ours.

/// UID of the Plan.
pub const PLAN: &str = "plan";
/// UID of the Migration.
pub const MIGRATION: &str = "migration";
/// Identity of the VM at its source, such as `vm-42`.
pub const VM_ID: &str = "vmID";
/// UUID of the VM at its source.
pub const VM_UUID: &str = "vmUUID";
/// Name of the Plan.
pub const PLAN_NAME: &str = "plan-name";
/// Namespace of the Plan.
pub const PLAN_NAMESPACE: &str = "plan-namespace";
/// Which part of the machinery an object serves, such as `virt-v2v`.
pub const APP: &str = "forklift.app";
/// What a ConfigMap or Secret is for.
pub const USE: &str = "use";
/// What kind of help an object is.
pub const RESOURCE: &str = "resource";

/// On Secrets: the provider type they were made for.
pub const CREATED_FOR_PROVIDER_TYPE: &str = "createdForProviderType";

/// On a step or task: the unit of its progress.
pub const UNIT: &str = "unit";
/// The value of [`UNIT`] where progress counts mebibytes.
pub const UNIT_MB: &str = "MB";
/// On a Provider: the transfer network of its plans.
pub const DEFAULT_TRANSFER_NETWORK: &str = "forklift.konveyor.io/defaultTransferNetwork";
/// On a VirtualMachine: the identity of the VM at its source.
pub const ORIGINAL_ID: &str = "original-ID";
/// On a VirtualMachine: the name shown by the OpenShift console.
pub const DISPLAY_NAME: &str = "openshift.io/display-name";
/// UID of the source Provider.
pub const PROVIDER: &str = "provider";
/// Name of the source Provider.
pub const PROVIDER_NAME: &str = "provider-name";
/// Namespace of the source Provider.
pub const PROVIDER_NAMESPACE: &str = "provider-namespace";
