//! A file system of a given size for tests of full disks. Needs root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A mounted tmpfs, unmounted when dropped. Drop it after everything that has files open in it.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// `None` where mounting is not allowed.
    pub(crate) fn tmpfs(at: &Path, bytes: u64) -> Option<Self> {
        let size = format!("size={bytes}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazy, because a failing test may still have a file open in it.
        let status = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(status.is_ok_and(|status| status.success()), "{} is still mounted", self.0.display());
    }
}
