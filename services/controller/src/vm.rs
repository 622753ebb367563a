//! The virtual machine as it will be on the target: its name, its KubeVirt manifest, and the QEMU command that
//! runs the manifest's disks on this machine. All pure.

pub mod manifest;
pub mod name;
pub mod qemu;
