package main

// The text descriptors of VMDK files, as ESXi writes them.

import (
	"fmt"
	"strings"
)

const sector = 512

// flatDescriptor describes a disk whose data lies in one extent: a flat file beside it, or an object of a vSAN.
func flatDescriptor(size int64, extent, adapter, uuid string, thin bool) string {
	thinProvisioned := ""
	if thin {
		thinProvisioned = "ddb.thinProvisioned = \"1\"\n"
	}
	return fmt.Sprintf(`# Disk DescriptorFile
version=1
encoding="UTF-8"
CID=fffffffe
parentCID=ffffffff
createType="vmfs"

# Extent description
RW %d VMFS "%s"

# The Disk Data Base
#DDB

ddb.adapterType = "%s"
ddb.geometry.cylinders = "%d"
ddb.geometry.heads = "255"
ddb.geometry.sectors = "63"
%sddb.uuid = "%s"
ddb.virtualHWVersion = "13"
`, size/sector, extent, adapter, size/sector/255/63, thinProvisioned, diskUUID(uuid))
}

// deltaDescriptor describes what a snapshot puts on top of a disk.
func deltaDescriptor(size int64, id int, extent, parent string) string {
	return fmt.Sprintf(`# Disk DescriptorFile
version=1
encoding="UTF-8"
CID=%08x
parentCID=fffffffe
createType="vmfsSparse"
parentFileNameHint="%s"

# Extent description
RW %d VMFSSPARSE "%s"

# The Disk Data Base
#DDB

`, id, parent, size/sector, extent)
}

// diskUUID writes a UUID as descriptors do: "60 00 C2 9c 11 22 33 44-55 66 …".
func diskUUID(uuid string) string {
	digits := strings.ReplaceAll(uuid, "-", "")
	if len(digits) != 32 {
		return uuid
	}
	var b strings.Builder
	for i := 0; i < 32; i += 2 {
		if i == 16 {
			b.WriteByte('-')
		} else if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(digits[i : i+2])
	}
	return b.String()
}
