//! Arguments of the commands that talk to running services.

use clap::{Args, Subcommand, ValueEnum};

const APPLY_EXAMPLES: &str = "Examples:
  longshore apply -f plan.yaml
  cat *.yaml | longshore apply -n migrations -f -";

const GET_EXAMPLES: &str = "Examples:
  longshore get plans
  longshore get plan web -o yaml
  longshore get providers -A -o wide
  longshore get inventory vms --provider vcenter";

const INVENTORY_EXAMPLES: &str = "Examples:
  longshore get inventory vms --provider vcenter
  longshore get inventory vms web-1 --provider vcenter -o yaml
  longshore get inventory datastores -p vcenter -o json";

const DELETE_EXAMPLES: &str = "Examples:
  longshore delete migration web-1
  longshore delete secrets vcenter other -n migrations";

const WATCH_EXAMPLES: &str = "Examples:
  longshore watch plan web
  longshore watch plan web -n migrations | tee web.log

Ends with 0 when the plan's migration succeeded and with 4 when it did not.";

const VERSION_EXAMPLES: &str = "Examples:
  longshore version
  longshore version -o json";

/// How objects are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A line an object.
    #[default]
    Table,
    /// The table with more columns.
    Wide,
    /// The whole objects.
    Json,
    /// The whole objects.
    Yaml,
    /// Only their names, as `kind.group/name`.
    Name,
}

/// How a small answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlainOutput {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = APPLY_EXAMPLES)]
pub struct ApplyArgs {
    /// YAML or JSON file, with any number of documents; `-` reads from stdin.
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Namespace of objects that name none.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
}

#[derive(Debug, Args)]
#[command(after_help = GET_EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct GetArgs {
    #[command(subcommand)]
    pub what: Option<GetWhat>,
    #[command(flatten)]
    pub resource: ResourceArgs,
}

#[derive(Debug, Args)]
pub struct ResourceArgs {
    /// Kind of the objects: `plan`, `plans`, `provider`, `secret` …
    #[arg(required = true)]
    pub kind: Option<String>,
    /// Names; without one, all objects of the kind.
    pub names: Vec<String>,
    /// Namespace.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Objects of all namespaces.
    #[arg(short = 'A', long, conflicts_with = "names")]
    pub all_namespaces: bool,
    /// How to write them.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum GetWhat {
    /// What a provider has, with the concerns of its VMs.
    Inventory(InventoryArgs),
}

#[derive(Debug, Args)]
#[command(after_help = INVENTORY_EXAMPLES)]
pub struct InventoryArgs {
    /// Kind of the provider's objects.
    #[arg(value_enum)]
    pub kind: InventoryKind,
    /// Name or id; without one, all objects of the kind.
    pub name: Option<String>,
    /// Name of the Provider.
    #[arg(short, long)]
    pub provider: String,
    /// Namespace of the Provider.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// How to write them.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// Kinds of the inventory, as in its paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InventoryKind {
    /// Virtual machines.
    #[value(alias = "vm")]
    Vms,
    /// ESXi hosts.
    #[value(alias = "host")]
    Hosts,
    /// Networks and port groups.
    #[value(alias = "network")]
    Networks,
    /// Datastores.
    #[value(aliases = ["datastore", "storage"])]
    Datastores,
}

#[derive(Debug, Args)]
#[command(after_help = DELETE_EXAMPLES)]
pub struct DeleteArgs {
    /// Kind of the objects.
    pub kind: String,
    /// Their names.
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Namespace.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// An object that does not exist is no error.
    #[arg(long)]
    pub ignore_not_found: bool,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(subcommand)]
    pub what: WatchWhat,
}

#[derive(Debug, Subcommand)]
pub enum WatchWhat {
    /// Follow the migration of a plan until it ends.
    #[command(after_help = WATCH_EXAMPLES)]
    Plan {
        /// Name of the Plan.
        name: String,
        /// Its namespace.
        #[arg(short, long, default_value = "default")]
        namespace: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = VERSION_EXAMPLES)]
pub struct VersionArgs {
    /// How to write it.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: PlainOutput,
}
