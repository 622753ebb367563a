package main

// A VM's disks as files: a descriptor that can always be read, and its data beside it. A disk is a chain of elements, the
// last of which the VM writes; snapshot.go adds and removes elements.

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/vmware/govmomi/vim25/types"
)

// disk is a virtual disk's state.
type disk struct {
	spec       Disk
	key        int32
	controller int32
	unit       int32
	uuid       string
	shared     bool // the files belong to another VM too
	chain      []*element
	next       int // number of the next delta; never used again
}

// element is one link of a disk's chain.
type element struct {
	name    string // datastore path of the descriptor, "[ds] dir/x.vmdk"
	extent  string // file with the data on the datastore as /folder shows it; empty if it shows none
	content string // file with the raw content up to this element, on this machine
}

func (d *disk) top() *element { return d.chain[len(d.chain)-1] }

// makeDisk writes descriptor and content of the i-th disk, or finds those of the disk that it shares.
func (v *vCenter) makeDisk(m *machine, i int, folderOn func(string) (string, error)) (*disk, error) {
	spec := m.spec.Disks[i]
	if spec.File != "" {
		return v.shareDisk(m, spec)
	}
	folder, err := folderOn(spec.Datastore)
	if err != nil {
		return nil, err
	}
	base := sanitize(m.spec.Name)
	if i > 0 {
		base = fmt.Sprintf("%s_%d", base, i)
	}
	store := v.find(m.dc.path, spec.Datastore)
	d := &disk{spec: spec, uuid: uuid.NewSHA1(uuid.NameSpaceURL, []byte(store.dir+folder+base)).String()}
	e := &element{name: fmt.Sprintf("[%s] %s/%s.vmdk", spec.Datastore, folder, base)}
	shown := base + "-flat.vmdk"
	switch {
	case store.kind == "vsan":
		shown = "vsan://" + uuid.NewString()
		e.content = filepath.Join(v.options.dir, "content", d.uuid+".raw")
	case spec.RDM != "":
		shown = base + "-rdmp.vmdk"
		e.content = filepath.Join(v.options.dir, "content", d.uuid+".raw")
	default:
		e.content = filepath.Join(store.dir, folder, shown)
		e.extent = e.content
	}
	text := flatDescriptor(int64(spec.Size), shown, adapterType(spec.Controller), d.uuid, !spec.Thick)
	if err := os.WriteFile(filepath.Join(store.dir, folder, base+".vmdk"), []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write descriptor: %w", err)
	}
	d.chain = []*element{e}
	return d, writeContent(e.content, spec.Size, spec.Content)
}

// shareDisk attaches a disk of another VM.
func (v *vCenter) shareDisk(m *machine, spec Disk) (*disk, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, other := range v.machines {
		for _, d := range other.disks {
			if d.chain[0].name == spec.File && other.dc == m.dc {
				d.shared = true
				spec.Size, spec.Datastore = d.spec.Size, d.spec.Datastore
				base := *d.chain[0]
				return &disk{spec: spec, uuid: d.uuid, shared: true, chain: []*element{&base}}, nil
			}
		}
	}
	return nil, fmt.Errorf("no VM has a disk %q", spec.File)
}

// removeFiles removes what lies on datastores and in the content directory.
func (d *disk) removeFiles(v *vCenter, m *machine) {
	for _, e := range d.chain {
		e.remove(v, m.dc)
	}
	if first, err := v.resolve(m.dc.path, d.chain[0].name); err == nil {
		_ = os.Remove(path.Dir(first)) // only if nothing else lies there
	}
}

func (e *element) remove(v *vCenter, dc *datacenter) {
	if file, err := v.resolve(dc.path, e.name); err == nil {
		_ = os.Remove(file)
	}
	_ = os.Remove(e.content)
	if e.extent != "" {
		_ = os.Remove(e.extent)
	}
}

// backing renders the chain up to element i as the API shows it.
func (d *disk) backing(i int) types.BaseVirtualDeviceBackingInfo {
	if d.spec.RDM != "" {
		b := &types.VirtualDiskRawDiskMappingVer1BackingInfo{
			DeviceName: "vml.0200000000" + strings.ReplaceAll(d.uuid, "-", ""), LunUuid: strings.ReplaceAll(d.uuid, "-", ""),
			CompatibilityMode: d.spec.RDM, DiskMode: d.spec.Mode, Uuid: d.uuid, Sharing: d.spec.Sharing,
		}
		b.FileName = d.chain[i].name
		return b
	}
	return d.flat(i)
}

func (d *disk) flat(i int) *types.VirtualDiskFlatVer2BackingInfo {
	thin, no := !d.spec.Thick, false
	b := &types.VirtualDiskFlatVer2BackingInfo{
		DiskMode: d.spec.Mode, ThinProvisioned: &thin, Uuid: d.uuid, Sharing: or(d.spec.Sharing, "sharingNone"),
		Split: &no, WriteThrough: &no, EagerlyScrub: &no, DigestEnabled: &no,
	}
	b.FileName = d.chain[i].name
	if i > 0 {
		b.Parent = d.flat(i - 1)
	}
	return b
}

// holder finds the VM whose data a file of a datastore holds.
func (v *vCenter) holder(extent string) *machine {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.machines {
		for _, d := range m.disks {
			for _, e := range d.chain {
				if e.extent != "" && e.extent == extent {
					return m
				}
			}
		}
	}
	return nil
}

// locked says whether a running VM has the file open for writing.
func (v *vCenter) locked(extent string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for ref, m := range v.machines {
		if v.powerOf(ref) != types.VirtualMachinePowerStatePoweredOn {
			continue
		}
		for _, d := range m.disks {
			if d.top().extent == extent {
				return true
			}
		}
	}
	return false
}

func adapterType(controller string) string {
	switch controller {
	case "ide":
		return "ide"
	case "buslogic":
		return "buslogic"
	}
	return "lsilogic"
}
