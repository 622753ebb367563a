//! Lists the built-in rules: writes a table of (path in the bundle, text) of every `rules/<provider>/*.rhai`, which
//! `src/bundle/embedded.rs` includes. Whether a rule is right is not decided here but by the bundle's own checks.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let rules = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../rules").canonicalize()?;
    println!("cargo::rerun-if-changed={}", rules.display());
    let mut table = String::from("&[\n");
    for provider in ["vsphere", "ovirt"] {
        let folder = rules.join(provider);
        println!("cargo::rerun-if-changed={}", folder.display());
        for file in rule_files(&folder)? {
            let name = file.file_name().ok_or("a rule file without a name")?.to_string_lossy().into_owned();
            writeln!(table, "    ({:?}, include_str!({:?})),", format!("{provider}/{name}"), file)?;
        }
    }
    table.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("rules.rs"), table)?;
    Ok(())
}

/// The `.rhai` files of a folder, sorted by name; none if there is no such folder.
fn rule_files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rhai") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
