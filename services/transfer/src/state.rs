//! What a vCenter says about a VM at one moment, as far as it decides whether its disks may be read. Read from
//! property values without judging; what can't be read is `Unknown` or empty, never a guess.

use vsphere::{MoRef, Object, Value};

/// Properties of the VM that are needed.
pub(crate) const VM_PATHS: &[&str] = &[
    "name",
    "runtime.powerState",
    "runtime.connectionState",
    "snapshot",
    "config.changeVersion",
    "config.modified",
    "config.hardware.device",
];
/// Properties of each datastore that are needed.
pub(crate) const DATASTORE_PATHS: &[&str] = &["summary.name", "summary.type", "summary.accessible"];

/// A VM at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VmState {
    /// Its name.
    pub name: String,
    /// On or off.
    pub power: Power,
    /// `runtime.connectionState`: only a `connected` VM's other values are current.
    pub connection: String,
    /// It has a snapshot.
    pub snapshot: bool,
    /// `config.changeVersion` and `config.modified`: a change of its configuration changes these.
    pub version: String,
    /// Its disks.
    pub disks: Vec<DiskState>,
}

/// Whether a VM runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Power {
    /// `poweredOff`.
    Off,
    /// `poweredOn`.
    On,
    /// `suspended`: its memory is on disk, its disks are in use.
    Suspended,
    /// Not said.
    #[default]
    Unknown,
}

/// A virtual disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskState {
    /// Device key.
    pub key: i32,
    /// Its label, such as `Hard disk 1`.
    pub label: String,
    /// Length in bytes.
    pub capacity: u64,
    /// What it lies on.
    pub backing: Backing,
    /// The datastore of its file.
    pub datastore: DatastoreState,
}

/// What a disk lies on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backing {
    /// Type, such as `VirtualDiskFlatVer2BackingInfo`.
    pub kind: String,
    /// `[datastore] folder/disk.vmdk`.
    pub file: String,
    /// It is a delta on another file.
    pub parent: bool,
    /// `contentId`: changes when a disk is opened and written.
    pub content: String,
    /// Its datastore.
    pub datastore: Option<String>,
}

/// A datastore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatastoreState {
    /// Its name.
    pub name: String,
    /// `VMFS`, `NFS`, `NFS41`, `vsan`, …
    pub kind: String,
    /// Whether any host reaches it.
    pub accessible: bool,
}

impl VmState {
    /// Reads a VM's properties; datastores are added by [`VmState::add_datastore`].
    pub(crate) fn read(vm: &Object) -> Self {
        let text = |path| vm.text(path).unwrap_or_default();
        let devices = vm.list("config.hardware.device");
        Self {
            name: text("name").to_owned(),
            power: Power::read(text("runtime.powerState")),
            connection: text("runtime.connectionState").to_owned(),
            snapshot: vm.get("snapshot").is_some(),
            version: format!("{} {}", text("config.changeVersion"), text("config.modified")),
            disks: devices.into_iter().filter_map(DiskState::read).collect(),
        }
    }

    /// References to the datastores of its disks, each once.
    pub(crate) fn datastores(&self) -> Vec<MoRef> {
        let mut ids: Vec<_> = self.disks.iter().filter_map(|disk| disk.backing.datastore.as_ref()).collect();
        ids.sort();
        ids.dedup();
        ids.into_iter().map(|id| MoRef::new("Datastore", id.as_str())).collect()
    }

    /// Notes what is known of a datastore at each disk on it.
    pub(crate) fn add_datastore(&mut self, datastore: &Object) {
        let id = &datastore.reference.value;
        let state = DatastoreState {
            name: datastore.text("summary.name").unwrap_or_default().to_owned(),
            kind: datastore.text("summary.type").unwrap_or_default().to_owned(),
            accessible: datastore.boolean("summary.accessible").unwrap_or(false),
        };
        for disk in self.disks.iter_mut().filter(|disk| disk.backing.datastore.as_ref() == Some(id)) {
            disk.datastore = state.clone();
        }
    }
}

impl Power {
    fn read(text: &str) -> Self {
        match text {
            "poweredOff" => Self::Off,
            "poweredOn" => Self::On,
            "suspended" => Self::Suspended,
            _ => Self::Unknown,
        }
    }
}

impl DiskState {
    fn read(device: &Value) -> Option<Self> {
        if device.type_name() != Some("VirtualDisk") {
            return None;
        }
        let kib = || device.integer("capacityInKB").map(|kib| kib.saturating_mul(1024));
        let bytes = device.integer("capacityInBytes").or_else(kib);
        let text = |path| device.text(path).unwrap_or_default().to_owned();
        Some(Self {
            key: i32::try_from(device.integer("key")?).ok()?,
            label: text("deviceInfo.label"),
            capacity: bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
            backing: Backing {
                kind: device.get("backing").and_then(Value::type_name).unwrap_or_default().to_owned(),
                file: text("backing.fileName"),
                parent: device.get("backing.parent").is_some(),
                content: text("backing.contentId"),
                datastore: device.moref("backing.datastore").map(|datastore| datastore.value),
            },
            datastore: DatastoreState::default(),
        })
    }
}
