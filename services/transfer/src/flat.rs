//! From a disk's descriptor to the one flat file that holds its bytes. Pure; anything but one plain extent of the
//! whole length is refused.

use vsphere::DatastorePath;
use vsphere::descriptor;

use crate::failure::{Failure, Reason};
use runtime::chain;

/// The flat file that `content`, the descriptor at `path`, names. `about` begins the text of a refusal.
pub(crate) fn locate(
    about: &str,
    path: &DatastorePath,
    content: &[u8],
    capacity: u64,
) -> Result<DatastorePath, Failure> {
    let unsupported = |cause: String| Failure::new(Reason::UnsupportedBacking, format!("{about}: {path}: {cause}"));
    let parsed = descriptor::parse(content).map_err(|error| unsupported(chain(&error)))?;
    let Some(flat) = parsed.plain_flat() else {
        let parent = if parsed.parent.is_some() { " with a parent" } else { "" };
        let cause = format!(
            "it is a {}{parent} of {} extents, not one plain flat file; consolidate or clone the disk first",
            parsed.create_type,
            parsed.extents.len(),
        );
        return Err(unsupported(cause));
    };
    if parsed.capacity() != capacity {
        let is = parsed.capacity();
        let text = format!("{about}: {path} speaks of {is} bytes, the VM of {capacity}; start the migration again");
        return Err(Failure::new(Reason::SourceChanged, text));
    }
    path.sibling(flat).map_err(|error| unsupported(chain(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTOR: &str = "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"vmfs\"\n\
        RW 2048 VMFS \"web 1-flat.vmdk\"\n";

    fn located(descriptor: &str, capacity: u64) -> Result<String, Failure> {
        let path = "[ds1] web 1/web 1.vmdk".parse().unwrap();
        locate("VM web, disk-2000", &path, descriptor.as_bytes(), capacity).map(|path| path.to_string())
    }

    #[test]
    fn the_flat_file_lies_beside_its_descriptor() {
        assert_eq!(located(DESCRIPTOR, 1 << 20).unwrap(), "[ds1] web 1/web 1-flat.vmdk");
    }

    #[test]
    fn another_length_than_the_vm_says_is_a_change() {
        assert_eq!(located(DESCRIPTOR, 1 << 21).unwrap_err().reason, Reason::SourceChanged);
    }

    #[test]
    fn a_delta_a_second_extent_or_a_foreign_path_is_refused() {
        let delta = DESCRIPTOR.replace("parentCID=ffffffff", "parentCID=00000001");
        let two = format!("{DESCRIPTOR}RW 2048 VMFS \"web 2-flat.vmdk\"\n");
        let elsewhere = DESCRIPTOR.replace("web 1-flat", "/vmfs/volumes/other/x-flat");
        for descriptor in [delta.as_str(), two.as_str(), elsewhere.as_str(), "KDMV"] {
            let failure = located(descriptor, 1 << 20).unwrap_err();
            assert_eq!(failure.reason, Reason::UnsupportedBacking, "{failure}");
            assert!(failure.message.starts_with("VM web, disk-2000: [ds1] web 1/web 1.vmdk: "), "{failure}");
        }
    }
}
