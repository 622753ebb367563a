//! A small file system of its own, for disks that run full. Needs root; a test without it says that it was skipped.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted tmpfs; dropping it unmounts it.
pub struct Tmpfs {
    /// Where.
    pub path: PathBuf,
}

impl Tmpfs {
    /// Mounts one of `mib` MiB at `path`, or says why that can't be.
    pub fn mount(path: &Path, mib: u32) -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root may mount a tmpfs".to_owned());
        }
        fs::create_dir_all(path).unwrap();
        let size = format!("size={mib}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "longshore-test"]).arg(path).output();
        match mount {
            Ok(output) if output.status.success() => Ok(Self { path: path.to_owned() }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(format!("mount: {error}")),
        }
    }

    /// Writes a file that leaves no room; removing it makes room again.
    pub fn fill(&self) -> PathBuf {
        let path = self.path.join("somebody-elses-file");
        let mut file = File::create(&path).unwrap();
        // Until no page is left; a whole write may be refused where a part of it would fit.
        for piece in [vec![1; 1 << 20], vec![1; 4096]] {
            while file.write_all(&piece).is_ok() {}
        }
        path
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).status();
    }
}
