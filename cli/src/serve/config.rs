//! The configuration of everything that runs: one file can serve all commands. Flags are stronger than LONGSHORE_*
//! variables, and those than the file.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use runtime::telemetry::Format;
use serde::Deserialize;
use serde_json::{Value, json};
use trust::Secret;
use url::Url;

use crate::args::{CommonArgs, StorageClass};
use crate::context::home;

/// Where `longshore up` listens unless told otherwise.
pub const UP_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7680);
/// Where a service alone listens unless told otherwise: on a free port, which it prints.
pub const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// All that can be configured.
#[derive(Debug, Deserialize)]
pub struct Config {
    /// Folder of all state; absolute after [`load`].
    #[serde(default)]
    pub data_dir: PathBuf,
    /// Address of the HTTP listener.
    pub listen: SocketAddr,
    /// Server of the bus; without it `up` starts one.
    #[serde(default)]
    pub nats_url: Option<Secret<String>>,
    /// The nats-server program to start.
    #[serde(default)]
    pub nats_server: Option<PathBuf>,
    /// How log lines look.
    #[serde(default)]
    pub log_format: Format,
    /// What is logged.
    #[serde(default = "default_log")]
    pub log: String,
    /// Where the commands find the inventory, for a controller started by itself.
    #[serde(default)]
    pub inventory_url: Option<Url>,
    /// Section of the inventory service.
    #[serde(default)]
    pub inventory: inventory::Options,
    /// Section of the validation service.
    #[serde(default)]
    pub validation: validation::Options,
    /// Section of the controller.
    #[serde(default)]
    pub controller: controller::Options,
    /// Section of the transfer service.
    #[serde(default)]
    pub transfer: transfer::Options,
}

fn default_log() -> String {
    "info".to_owned()
}

/// Reads the configuration; `overrides` are flags of the one command, nulls are flags that were not given.
pub fn load(args: &CommonArgs, overrides: Value, listen: SocketAddr) -> anyhow::Result<Config> {
    let mut flags = json!({
        "data_dir": args.data_dir,
        "listen": args.listen,
        "nats_url": args.nats_url,
        "log_format": args.log_format.map(|format| format.word()),
        "log": args.log,
    });
    if let (Some(flags), Value::Object(more)) = (flags.as_object_mut(), overrides) {
        flags.extend(more);
    }
    let defaults = json!({ "listen": listen });
    let mut config: Config =
        runtime::config::load_over(&defaults, args.config.as_deref(), runtime::config::PREFIX, flags)?;
    if config.data_dir.as_os_str().is_empty() {
        config.data_dir = home("XDG_DATA_HOME", ".local/share")?.join("longshore");
    }
    config.data_dir = absolute(&config.data_dir)?;
    config.inventory.data.clone_from(&config.data_dir);
    config.controller.data.clone_from(&config.data_dir);
    Ok(config)
}

/// Storage classes of flags, if there are any. A folder on the command line is meant from where the command was typed; one in the
/// file, from the data folder.
pub fn folders(classes: &[StorageClass]) -> anyhow::Result<Option<BTreeMap<String, PathBuf>>> {
    let mut folders = BTreeMap::new();
    for StorageClass { name, folder } in classes {
        if folders.insert(name.clone(), absolute(folder)?).is_some() {
            bail!("--storage-class {name} is given twice");
        }
    }
    Ok((!folders.is_empty()).then_some(folders))
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("can't make {} absolute", path.display()))
}

impl Config {
    /// A service alone starts no bus of its own.
    pub fn needs_bus(&self, service: &str) -> anyhow::Result<()> {
        if self.nats_url.is_none() {
            bail!(
                "longshore {service} needs a bus: set LONGSHORE_NATS_URL or --nats-url; `longshore up` starts one itself"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn loaded(file: &str, line: &str) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("longshore.toml");
        std::fs::write(&path, file)?;
        let line = format!("longshore up --config {} {line}", path.display());
        let Command::Up(args) = Cli::try_parse_from(line.split_whitespace())?.command else { bail!("not up") };
        let controller = json!({ "storage_classes": folders(&args.storage_classes)? });
        load(&args.common, json!({ "nats_server": args.nats_server, "controller": controller }), UP_LISTEN)
    }

    #[test]
    fn flags_are_stronger_than_the_file_and_defaults_hold_for_the_rest() {
        let config =
            loaded("listen = '127.0.0.1:1'\nlog = 'debug'\n", "--listen 127.0.0.1:2 --data-dir /srv/x").unwrap();
        assert_eq!(config.listen, "127.0.0.1:2".parse().unwrap());
        assert_eq!((config.log.as_str(), config.log_format), ("debug", Format::Text));
        assert_eq!(config.controller.data, Path::new("/srv/x"));
        assert_eq!(config.inventory.data, Path::new("/srv/x"));
        assert_eq!(loaded("", "").unwrap().listen, UP_LISTEN);
    }

    #[test]
    fn storage_classes_come_from_flag_and_file() {
        let file = "[controller.storage_classes]\nslow = 'disks/slow'\n";
        let config = loaded(file, "--storage-class fast=/srv/nvme").unwrap();
        let classes: Vec<_> =
            config.controller.storage_classes.iter().map(|(n, f)| (n.as_str(), f.as_path())).collect();
        assert_eq!(classes, [("fast", Path::new("/srv/nvme")), ("slow", Path::new("disks/slow"))]);
        let relative = loaded("", "--storage-class here=disks").unwrap();
        assert!(relative.controller.storage_classes["here"].is_absolute());
        assert!(loaded("", "--storage-class a=/x --storage-class a=/y").is_err());
    }

    #[test]
    fn without_any_the_controllers_own_classes_hold() {
        assert!(!loaded("", "").unwrap().controller.storage_classes.is_empty());
    }

    #[test]
    fn a_misspelled_key_of_a_service_is_an_error_with_its_place() {
        let error = loaded("[transfer]\njob = 1\n", "").unwrap_err().to_string();
        assert!(error.contains("`transfer.job`") && error.contains("longshore.toml"), "{error}");
    }
}
