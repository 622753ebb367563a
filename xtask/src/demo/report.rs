//! What the demo tells at its end: what was found, what the rules said, what was moved, the proof, and where it is.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::compare::compare;
use super::{NAMESPACE, VM};

/// What the report is made of.
pub struct Facts<'a> {
    /// The list of VirtualMachineImports.
    pub imports: &'a Value,
    /// The provider's VMs.
    pub inventory: &'a Value,
    /// The migrated VM as the simulated vCenter holds it.
    pub source: &'a Value,
    /// The demo's folder.
    pub folder: &'a Path,
    /// The `longshore` program.
    pub binary: &'a Path,
    /// The nats-server it starts.
    pub nats_server: &'a Path,
}

/// The condition of this type.
pub fn condition<'a>(object: &'a Value, type_: &str) -> Option<&'a Value> {
    list(&object["status"]["conditions"]).find(|condition| condition["type"] == type_)
}

pub fn print(facts: &Facts<'_>) -> Result<()> {
    println!("\n# Report");
    concerns(facts.inventory);
    let import = list(&facts.imports["items"]).next().context("the migration left no VirtualMachineImport")?;
    let status = &import["status"]["longshore"];
    println!("\n{VM} was shut down, copied and handed over; the source is {}.", text(&facts.source["power"]));
    for disk in list(&status["disks"]) {
        let source = list(&facts.source["disks"]).find(|source| source["key"] == disk["key"]);
        let source = source.context("a disk of the import is not at the source")?;
        proof(disk, Path::new(text(&source["path"])))?;
    }
    let manifest = text(&status["manifest"]);
    println!("\nVirtualMachine  {manifest}");
    println!("Run it with     sh {}", PathBuf::from(manifest).with_file_name("run.sh").display());
    println!("\nTo look further:");
    println!("  less {}", facts.folder.join("longshore.log").display());
    println!(
        "  {} up --data-dir {} --nats-server {}    # the same state again; then in a second terminal:",
        facts.binary.display(),
        facts.folder.join("data").display(),
        facts.nats_server.display()
    );
    println!(
        "  {} get virtualmachineimports -n {NAMESPACE} -o yaml    # phases, ledger, hashes",
        facts.binary.display()
    );
    Ok(())
}

fn concerns(inventory: &Value) {
    let vms = inventory.as_array().or_else(|| inventory["items"].as_array());
    let vms: Vec<&Value> = vms.into_iter().flatten().collect();
    println!("{} VMs were found. What the rules say of them:", vms.len());
    for vm in vms {
        for concern in list(&vm["concerns"]) {
            println!(
                "  {:<14} {:<12} {} ({})",
                text(&vm["name"]),
                text(&concern["category"]),
                text(&concern["label"]),
                text(&concern["id"])
            );
        }
    }
}

fn proof(disk: &Value, source: &Path) -> Result<()> {
    let target = Path::new(text(&disk["path"]));
    let compared = compare(source, target)?;
    let number = |field: &str| disk["proof"][field].as_i64().unwrap_or(0);
    println!("\n{}", text(&disk["file"]));
    println!("  at      {}", target.display());
    println!(
        "  bytes   {} in all; {} read, {} of them zero and skipped, {} written, {} allocated",
        compared.bytes,
        number("readBytes"),
        number("zeroBytes"),
        number("writtenBytes"),
        compared.allocated
    );
    println!("  proof   equal to the source byte by byte; BLAKE3 {}", text(&disk["proof"]["rootHash"]));
    println!("          every chunk's hash in {}", text(&disk["proof"]["manifest"]));
    Ok(())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
