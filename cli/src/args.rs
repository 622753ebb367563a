//! The command line: names, flags, help. It decides nothing else.

mod client;
mod serve;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use client::{
    ApplyArgs, DeleteArgs, GetArgs, GetWhat, InventoryArgs, InventoryKind, Output, PlainOutput, ResourceArgs,
    VersionArgs, WatchArgs, WatchWhat,
};
pub use serve::{CommonArgs, ControllerArgs, ServiceArgs, StorageClass, UpArgs};

use crate::exit;

/// Moves virtual machines from VMware vSphere to KubeVirt. Nothing on a source changes until a Migration exists.
#[derive(Debug, Parser)]
#[command(name = "longshore", version, after_help = exit::HELP, arg_required_else_help = true)]
pub struct Cli {
    /// File with the server's addresses and token [default: longshore/context.json under $XDG_CONFIG_HOME].
    #[arg(long, global = true, value_name = "FILE", env = "LONGSHORE_CONTEXT")]
    pub context: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine: bus, four services, one listener.
    Up(UpArgs),
    /// Run the inventory service alone.
    Inventory(ServiceArgs),
    /// Run the validation service alone.
    Validation(ServiceArgs),
    /// Run the controller alone.
    Controller(ControllerArgs),
    /// Run the transfer service alone.
    Transfer(ServiceArgs),
    /// Create or replace the objects of a YAML file.
    Apply(ApplyArgs),
    /// Show objects, or what the providers have.
    Get(GetArgs),
    /// Delete objects.
    Delete(DeleteArgs),
    /// Follow something until it ends.
    Watch(WatchArgs),
    /// Show the version.
    Version(VersionArgs),
}

#[cfg(test)]
mod tests;
