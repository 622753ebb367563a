//! Arguments of the commands that run services. Everything here can stand in the configuration file, too.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

const UP_EXAMPLES: &str = "Examples:
  longshore up
  longshore up --data-dir /srv/longshore --storage-class fast=/srv/nvme
  longshore up --nats-url nats://user:password@127.0.0.1:4222

Ctrl-C stops everything in order, a second Ctrl-C at once.";

const SERVICE_EXAMPLES: &str = "Example:
  LONGSHORE_NATS_URL=nats://user:password@127.0.0.1:4222 longshore inventory --data-dir /srv/longshore

Processes on one data directory share its token; each locks a subfolder of its own.";

const CONTROLLER_EXAMPLES: &str = "Example:
  longshore controller --data-dir /srv/longshore --listen 127.0.0.1:7681 \\
    --inventory-url http://127.0.0.1:7682 --storage-class fast=/srv/nvme

It writes the context file for `longshore apply`, `get`, `delete` and `watch`.";

/// How log lines on stderr look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// A storage class of the target `local`: a name and the folder its volumes lie in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageClass {
    /// As StorageMaps name it.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
}

/// What every command that runs a service takes.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// TOML file; flags and LONGSHORE_* variables are stronger.
    #[arg(long, value_name = "FILE", env = "LONGSHORE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder for all state [default: longshore under $XDG_DATA_HOME].
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address of the HTTP listener; port 0 takes a free one [default: port 7680 of 127.0.0.1 for `up`, else a free one].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Server of the bus. A URL with a password is better set as LONGSHORE_NATS_URL: flags are seen by all users.
    #[arg(long, value_name = "URL")]
    pub nats_url: Option<String>,
    /// Log lines as text or JSON.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What is logged: a level, or `info,bus=debug`.
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = UP_EXAMPLES)]
pub struct UpArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    /// A storage class of the target `local`; may be repeated [default: local=disks, in the data folder].
    #[arg(long = "storage-class", value_name = "NAME=DIR", value_parser = storage_class)]
    pub storage_classes: Vec<StorageClass>,
    /// The nats-server program to start, if it is not on the PATH.
    #[arg(long, value_name = "FILE", conflicts_with = "nats_url")]
    pub nats_server: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = SERVICE_EXAMPLES)]
pub struct ServiceArgs {
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Debug, Args)]
#[command(after_help = CONTROLLER_EXAMPLES)]
pub struct ControllerArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    /// A storage class of the target `local`; may be repeated [default: local=disks, in the data folder].
    #[arg(long = "storage-class", value_name = "NAME=DIR", value_parser = storage_class)]
    pub storage_classes: Vec<StorageClass>,
    /// Where `longshore get inventory` finds the inventory service.
    #[arg(long, value_name = "URL")]
    pub inventory_url: Option<String>,
}

fn storage_class(text: &str) -> Result<StorageClass, String> {
    match text.split_once('=') {
        Some((name, folder)) if !name.is_empty() && !folder.is_empty() => {
            Ok(StorageClass { name: name.to_owned(), folder: PathBuf::from(folder) })
        }
        _ => Err("write NAME=DIR, such as fast=/srv/nvme".to_owned()),
    }
}
