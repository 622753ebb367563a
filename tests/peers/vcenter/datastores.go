package main

// Datastores: a directory each, shown with the type and details of a real one.

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// datastore is a datastore's directory on this machine.
type datastore struct {
	ref    types.ManagedObjectReference
	dcPath string
	name   string
	kind   string
	dir    string
}

func (v *vCenter) buildDatastore(ctx context.Context, dc *datacenter, spec Datastore) error {
	d := &datastore{dcPath: dc.path, name: spec.Name, kind: or(spec.Type, "VMFS")}
	d.dir = filepath.Join(v.options.dir, "datastores", sanitize(dc.path), sanitize(spec.Name))
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	for i, host := range dc.hosts {
		system, err := host.ConfigManager().DatastoreSystem(ctx)
		if err != nil {
			return err
		}
		made, err := system.CreateLocalDatastore(ctx, spec.Name, d.dir)
		if err != nil {
			return err
		}
		if i == 0 { // the others only mount it, for which the simulator answers no reference
			d.ref = made.Reference()
		}
	}
	registry := v.model.Map()
	ds := registry.Get(d.ref).(*simulator.Datastore)
	common := *ds.Info.GetDatastoreInfo()
	capacity := int64(or(spec.Capacity, 1<<40))
	common.FreeSpace = capacity
	registry.AtomicUpdate(v.background(), ds, []types.PropertyChange{
		{Name: "info", Val: datastoreInfo(common, d.kind, capacity)},
		{Name: "summary.capacity", Val: capacity},
		{Name: "summary.freeSpace", Val: capacity},
		{Name: "summary.multipleHostAccess", Val: len(dc.hosts) > 1},
		{Name: "summary.type", Val: d.kind},
	})
	v.datastores = append(v.datastores, d)
	return nil
}

func datastoreInfo(common types.DatastoreInfo, kind string, capacity int64) types.BaseDatastoreInfo {
	volume := types.HostFileSystemVolume{Type: kind, Name: common.Name, Capacity: capacity}
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(common.Url)).String()
	switch kind {
	case "NFS", "NFS41":
		return &types.NasDatastoreInfo{DatastoreInfo: common, Nas: &types.HostNasVolume{
			HostFileSystemVolume: volume, RemoteHost: "nfs.example.test", RemotePath: "/export/" + common.Name,
		}}
	case "vsan":
		return &types.VsanDatastoreInfo{DatastoreInfo: common, MembershipUuid: id}
	case "VVOL":
		return &types.VvolDatastoreInfo{DatastoreInfo: common, VvolDS: &types.HostVvolVolume{HostFileSystemVolume: volume, ScId: id}}
	default:
		return &types.VmfsDatastoreInfo{DatastoreInfo: common, Vmfs: &types.HostVmfsVolume{
			HostFileSystemVolume: volume, BlockSizeMb: 1, MajorVersion: 6, Version: "6.82", Uuid: id, Local: types.NewBool(false),
		}}
	}
}

// asPlain runs f while vSAN datastores look plain: the simulator wants three hosts and renames directories on a vSAN.
func (v *vCenter) asPlain(f func() error) error {
	show := func(kind string) {
		for _, d := range v.datastores {
			if d.kind == "vsan" {
				ds := v.model.Map().Get(d.ref).(*simulator.Datastore)
				v.background().WithLock(ds, func() { ds.Summary.Type = kind })
			}
		}
	}
	show("OTHER")
	defer show("vsan")
	return f()
}

// find names a datastore of a datacenter; nil when there is none.
func (v *vCenter) find(dcPath, name string) *datastore {
	for _, d := range v.datastores {
		if d.dcPath == dcPath && d.name == name {
			return d
		}
	}
	return nil
}

// resolve turns "[ds] dir/file" into the file's path on this machine.
func (v *vCenter) resolve(dcPath, file string) (string, error) {
	var p object.DatastorePath
	if !p.FromString(file) {
		return "", fmt.Errorf("%q is no datastore path", file)
	}
	d := v.find(dcPath, p.Datastore)
	if d == nil {
		return "", fmt.Errorf("no datastore %q in %q", p.Datastore, dcPath)
	}
	return filepath.Join(d.dir, p.Path), nil
}

// sanitize makes a file name of an inventory name.
func sanitize(name string) string {
	return strings.NewReplacer("/", "_", "\\", "_", "\x00", "_").Replace(name)
}
