//! The peers of demo and tests that have to be built, kept by the hash of their sources so that a checkout with
//! other sources builds another one.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell::{self, command, run};

/// The simulated vCenter.
pub fn vcenter() -> Result<PathBuf> {
    let folder = vcenter_sources();
    let binary = shell::cache()?.join("peers").join(format!("vcenter-{:016x}", hash(&folder)?));
    if !binary.is_file() {
        fs::create_dir_all(binary.parent().unwrap_or(&binary))?;
        let partial = binary.with_extension(format!("{}.partial", std::process::id()));
        run(command("go").args(["build", "-trimpath", "-o"]).arg(&partial).arg(".").current_dir(&folder))
            .context("the simulated vCenter could not be built")?;
        // Only a whole program gets the name that later runs trust.
        fs::rename(&partial, &binary)?;
    }
    Ok(binary)
}

/// Where its Go module is.
pub fn vcenter_sources() -> PathBuf {
    shell::root().join("tests/peers/vcenter")
}

fn hash(folder: &Path) -> Result<u64> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(folder).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file).with_context(|| file.display().to_string())?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|end| ["go", "mod", "sum", "json"].iter().any(|known| end == *known)) {
            files.push(path);
        }
    }
    Ok(())
}
