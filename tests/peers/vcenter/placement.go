package main

// Where a new VM lies: its host, and its folder and disks on the datastores.

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/vmware/govmomi/object"
)

// place chooses the pool and host: by name, else the first.
func (dc *datacenter) place(spec VM) (*object.ResourcePool, *object.HostSystem, error) {
	for _, c := range dc.clusters {
		if spec.Cluster != "" && spec.Cluster != c.name || len(c.hosts) == 0 {
			continue
		}
		if spec.Host == "" {
			return c.pool, c.hosts[0], nil
		}
		for _, h := range c.hosts {
			if dc.names[spec.Host] == h {
				return c.pool, h, nil
			}
		}
	}
	if host := dc.names[spec.Host]; host != nil && spec.Cluster == "" {
		return nil, host, nil
	}
	if spec.Cluster == "" && spec.Host == "" && len(dc.hosts) > 0 {
		return nil, dc.hosts[0], nil
	}
	return nil, nil, fmt.Errorf("no host for cluster %q, host %q", spec.Cluster, spec.Host)
}

// makeFiles makes the VM's folder on each datastore and its disks' files in them.
func (v *vCenter) makeFiles(m *machine) error {
	folders := map[string]string{}
	folderOn := func(name string) (string, error) {
		if folders[name] != "" {
			return folders[name], nil
		}
		d := v.find(m.dc.path, name)
		if d == nil {
			return "", fmt.Errorf("datacenter %q has no datastore %q", m.dc.name, name)
		}
		made, err := d.makeFolder(m.spec.Name)
		folders[name] = made
		return made, err
	}
	first := v.homeDatastore(m)
	home, err := folderOn(first)
	if err != nil {
		return err
	}
	m.home = fmt.Sprintf("[%s] %s", first, home)
	for i := range m.spec.Disks {
		d, err := v.makeDisk(m, i, folderOn)
		if err != nil {
			return fmt.Errorf("disk %d: %w", i, err)
		}
		m.disks = append(m.disks, d)
	}
	assignKeys(m)
	return nil
}

// homeDatastore has the VM's own files: that of its first disk, else the datacenter's first.
func (v *vCenter) homeDatastore(m *machine) string {
	for _, d := range m.spec.Disks {
		if d.File == "" {
			return d.Datastore
		}
	}
	for _, d := range v.datastores {
		if d.dcPath == m.dc.path {
			return d.name
		}
	}
	return ""
}

// makeFolder makes a folder of this name, or with a number behind it if it is taken. Folders on a vSAN are UUIDs.
func (d *datastore) makeFolder(name string) (string, error) {
	base := sanitize(name)
	if d.kind == "vsan" {
		base = uuid.NewString()
	}
	made := base
	for n := 1; ; n++ {
		err := os.Mkdir(filepath.Join(d.dir, made), 0o700)
		if err == nil {
			return made, nil
		}
		if !os.IsExist(err) {
			return "", fmt.Errorf("make the VM's folder: %w", err)
		}
		made = fmt.Sprintf("%s_%d", base, n)
	}
}
