//! VMDK descriptor files: the small text that names a virtual disk's extents and its parent.
//!
//! Format: VMware's "Virtual Disk Format 5.0".

/// The largest size a descriptor is read with, in bytes; real ones have a few hundred.
pub const MAX_SIZE: usize = 64 * 1024;
/// The size of the sectors that extents are counted in, in bytes.
pub const SECTOR: u64 = 512;
/// The `parentCID` of a disk without parent.
const NO_PARENT: u32 = 0xFFFF_FFFF;

/// What a descriptor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Such as `vmfs` (thick and thin alike), `vmfsSparse`, `seSparse`, `vmfsRawDeviceMap`.
    pub create_type: String,
    /// The parent's content id; `None` if the disk has no parent.
    pub parent: Option<u32>,
    /// The parent's file, where it is named.
    pub parent_file: Option<String>,
    /// The parts of the disk in their order.
    pub extents: Vec<Extent>,
}

/// One part of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// `RW`, `RDONLY` or `NOACCESS`.
    pub access: String,
    /// Its length in sectors of 512 bytes.
    pub sectors: u64,
    /// Such as `VMFS`, `FLAT`, `VMFSSPARSE`, `ZERO`.
    pub kind: String,
    /// Its file, relative to the descriptor's folder; `None` for `ZERO`.
    pub file: Option<String>,
    /// Where it begins in that file, in sectors.
    pub offset: u64,
}

/// A text that is no descriptor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// Not text at all: most likely the disk itself.
    #[error("not a VMDK descriptor but binary data{}", if *sparse { " (a sparse VMDK)" } else { "" })]
    Binary {
        /// It begins like a hosted sparse extent.
        sparse: bool,
    },
    /// A line that must be there is not.
    #[error("the VMDK descriptor lacks {0}")]
    Lacks(&'static str),
    /// A line that can't be read.
    #[error("line {line} of the VMDK descriptor can't be read: \"{text}\"")]
    Line {
        /// Its number, counted from 1.
        line: usize,
        /// Its text.
        text: String,
    },
}

impl Descriptor {
    /// The disk's capacity in bytes.
    pub fn capacity(&self) -> u64 {
        self.extents.iter().map(|extent| extent.sectors.saturating_mul(SECTOR)).sum()
    }

    /// The file that is the disk byte by byte: the only extent of a disk without parent, from its start. `None` for
    /// any other kind of disk.
    pub fn plain_flat(&self) -> Option<&str> {
        let [extent] = self.extents.as_slice() else { return None };
        let flat = matches!(extent.kind.as_str(), "VMFS" | "FLAT") && extent.offset == 0 && extent.access == "RW";
        let plain = self.parent.is_none() && matches!(self.create_type.as_str(), "vmfs" | "monolithicFlat");
        extent.file.as_deref().filter(|_| flat && plain)
    }
}

/// Reads a descriptor's bytes.
pub fn parse(content: &[u8]) -> Result<Descriptor, DescriptorError> {
    // "KDMV" and "COWD" begin sparse extents.
    let sparse = content.starts_with(b"KDMV") || content.starts_with(b"COWD");
    let text = std::str::from_utf8(content).ok().filter(|text| !sparse && !text.contains('\0'));
    let text = text.ok_or(DescriptorError::Binary { sparse })?;
    let (mut create_type, mut parent, mut parent_file, mut extents) = (None, None, None, Vec::new());
    for (index, line) in text.lines().map(str::trim).enumerate() {
        let unreadable = || DescriptorError::Line { line: index + 1, text: line.to_owned() };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if ["RW ", "RDONLY ", "NOACCESS "].iter().any(|access| line.starts_with(access)) {
            extents.push(extent(line).ok_or_else(unreadable)?);
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match key.trim() {
            "createType" => create_type = Some(value.to_owned()),
            "parentCID" => parent = Some(u32::from_str_radix(value, 16).map_err(|_| unreadable())?),
            "parentFileNameHint" => parent_file = Some(value.to_owned()),
            _ => {}
        }
    }
    if extents.is_empty() {
        return Err(DescriptorError::Lacks("an extent"));
    }
    Ok(Descriptor {
        create_type: create_type.ok_or(DescriptorError::Lacks("createType"))?,
        parent: parent.filter(|id| *id != NO_PARENT),
        parent_file,
        extents,
    })
}

/// `RW 131072 VMFS "disk-flat.vmdk" 0`
fn extent(line: &str) -> Option<Extent> {
    let (head, tail) = line.split_once('"').unwrap_or((line, ""));
    let mut words = head.split_whitespace();
    let access = words.next()?.to_owned();
    let sectors = words.next()?.parse().ok()?;
    let kind = words.next()?.to_owned();
    if tail.is_empty() {
        return (kind == "ZERO").then_some(Extent { access, sectors, kind, file: None, offset: 0 });
    }
    let (file, rest) = tail.rsplit_once('"')?;
    let offset = rest.split_whitespace().next().map_or(Some(0), |offset| offset.parse().ok())?;
    Some(Extent { access, sectors, kind, file: Some(file.to_owned()), offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAT: &str = "# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=5e1f3a5b\nparentCID=ffffffff\n\
        isNativeSnapshot=\"no\"\ncreateType=\"vmfs\"\n\n# Extent description\nRW 131072 VMFS \"disk 1-flat.vmdk\"\n\n\
        # The Disk Data Base\n#DDB\nddb.adapterType = \"lsilogic\"\n";

    fn read(text: &str) -> Result<Descriptor, DescriptorError> {
        parse(text.as_bytes())
    }

    #[test]
    fn a_plain_flat_disk_names_its_file_and_capacity() {
        for text in [FLAT.to_owned(), FLAT.replace('\n', "\r\n"), FLAT.replace("vmdk\"", "vmdk\" 0")] {
            let disk = read(&text).unwrap();
            assert_eq!((disk.plain_flat(), disk.capacity()), (Some("disk 1-flat.vmdk"), 64 * 1024 * 1024));
            assert_eq!((disk.create_type.as_str(), disk.parent), ("vmfs", None));
        }
    }

    #[test]
    fn a_disk_with_a_parent_is_not_plain() {
        let text =
            FLAT.replace("ffffffff", "5e1f3a5a").replace("createType", "parentFileNameHint=\"base.vmdk\"\ncreateType");
        let disk = read(&text).unwrap();
        assert_eq!(
            (disk.parent, disk.parent_file.as_deref(), disk.plain_flat()),
            (Some(0x5e1f_3a5a), Some("base.vmdk"), None)
        );
    }

    #[test]
    fn sparse_mapped_and_divided_disks_are_not_plain() {
        for (from, to) in [
            ("RW 131072 VMFS ", "RW 131072 VMFSSPARSE "),
            ("\"vmfs\"", "\"vmfsRawDeviceMap\""),
            ("RW 131072", "RDONLY 131072"),
            ("flat.vmdk\"", "flat.vmdk\" 63"),
            ("flat.vmdk\"", "flat.vmdk\"\nRW 8 ZERO"),
        ] {
            assert_eq!(read(&FLAT.replace(from, to)).unwrap().plain_flat(), None, "{to}");
        }
        assert_eq!(read(&FLAT.replace("flat.vmdk\"", "flat.vmdk\"\nRW 8 ZERO")).unwrap().capacity(), 131_080 * 512);
    }

    #[test]
    fn what_is_no_descriptor_is_refused() {
        assert_eq!(parse(b"KDMV\x01\0\0\0"), Err(DescriptorError::Binary { sparse: true }));
        assert_eq!(parse(&[0xEB, 0x63, 0x90, 0, 0xFF]), Err(DescriptorError::Binary { sparse: false }));
        assert_eq!(read(""), Err(DescriptorError::Lacks("an extent")));
        assert_eq!(read(&FLAT.replace("createType", "other")), Err(DescriptorError::Lacks("createType")));
        let broken = read(&FLAT.replace("131072", "many")).unwrap_err();
        assert_eq!(broken, DescriptorError::Line { line: 10, text: "RW many VMFS \"disk 1-flat.vmdk\"".into() });
    }
}
