package main

// Builds the inventory of a scenario through the simulator's own API, as a client of a vCenter would.

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// datacenter is what later steps need to know of one.
type datacenter struct {
	path     string // inventory path without a leading slash, "Europe/DC 1"
	name     string
	folders  *object.DatacenterFolders
	clusters []builtCluster
	hosts    []*object.HostSystem // all, in the scenario's order
	names    map[string]*object.HostSystem
	networks map[string]types.ManagedObjectReference
}

type builtCluster struct {
	name  string
	pool  *object.ResourcePool
	hosts []*object.HostSystem
}

func (v *vCenter) build(ctx context.Context, s *Scenario) error {
	if len(s.Datacenters) == 0 {
		return fmt.Errorf("the scenario has no datacenter")
	}
	for i := range s.Datacenters {
		spec := &s.Datacenters[i]
		dc, err := v.buildDatacenter(ctx, spec)
		if err != nil {
			return fmt.Errorf("datacenter %q: %w", spec.Name, err)
		}
		for j := range spec.VMs {
			if _, err := v.addVM(ctx, dc, spec.VMs[j]); err != nil {
				return fmt.Errorf("VM %q: %w", spec.VMs[j].Name, err)
			}
		}
	}
	return nil
}

func (v *vCenter) buildDatacenter(ctx context.Context, spec *Datacenter) (*datacenter, error) {
	parent, err := makeFolders(ctx, object.NewRootFolder(v.client), spec.Folder)
	if err != nil {
		return nil, err
	}
	made, err := parent.CreateDatacenter(ctx, spec.Name)
	if err != nil {
		return nil, err
	}
	dc := &datacenter{
		path: path.Join(spec.Folder, spec.Name), name: spec.Name,
		names: map[string]*object.HostSystem{}, networks: map[string]types.ManagedObjectReference{},
	}
	if dc.folders, err = made.Folders(ctx); err != nil {
		return nil, err
	}
	if err := v.buildCompute(ctx, dc, spec); err != nil {
		return nil, err
	}
	if err := v.buildNetworks(ctx, dc, spec.Networks); err != nil {
		return nil, err
	}
	for _, d := range spec.Datastores {
		if err := v.buildDatastore(ctx, dc, d); err != nil {
			return nil, fmt.Errorf("datastore %q: %w", d.Name, err)
		}
	}
	v.inventory[dc.path] = dc
	return dc, nil
}

// makeFolders makes the folders of a path below parent, where they don't exist yet.
func makeFolders(ctx context.Context, parent *object.Folder, names string) (*object.Folder, error) {
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == '/' }) {
		children, err := parent.Children(ctx)
		if err != nil {
			return nil, err
		}
		var found *object.Folder
		for _, child := range children {
			if f, ok := child.(*object.Folder); ok {
				if n, err := f.ObjectName(ctx); err == nil && n == name {
					found = f
				}
			}
		}
		if found == nil {
			if found, err = parent.CreateFolder(ctx, name); err != nil {
				return nil, fmt.Errorf("folder %q: %w", name, err)
			}
		}
		parent = found
	}
	return parent, nil
}

func (v *vCenter) buildCompute(ctx context.Context, dc *datacenter, spec *Datacenter) error {
	for _, c := range spec.Clusters {
		made, err := dc.folders.HostFolder.CreateCluster(ctx, c.Name, types.ClusterConfigSpecEx{})
		if err != nil {
			return fmt.Errorf("cluster %q: %w", c.Name, err)
		}
		built := builtCluster{name: c.Name}
		for _, h := range c.Hosts {
			host, err := v.addHost(ctx, dc, h, func(s types.HostConnectSpec) (*object.Task, error) { return made.AddHost(ctx, s, true, nil, nil) })
			if err != nil {
				return fmt.Errorf("cluster %q: %w", c.Name, err)
			}
			built.hosts = append(built.hosts, host)
		}
		if built.pool, err = made.ResourcePool(ctx); err != nil {
			return fmt.Errorf("cluster %q: %w", c.Name, err)
		}
		v.configureCluster(made.Reference(), c)
		dc.clusters = append(dc.clusters, built)
	}
	for _, h := range spec.Hosts {
		if _, err := v.addHost(ctx, dc, h, func(s types.HostConnectSpec) (*object.Task, error) {
			return dc.folders.HostFolder.AddStandaloneHost(ctx, s, true, nil, nil)
		}); err != nil {
			return err
		}
	}
	return nil
}

func (v *vCenter) addHost(ctx context.Context, dc *datacenter, h Host, add func(types.HostConnectSpec) (*object.Task, error)) (*object.HostSystem, error) {
	task, err := add(types.HostConnectSpec{HostName: h.Name})
	if err != nil {
		return nil, fmt.Errorf("host %q: %w", h.Name, err)
	}
	info, err := task.WaitForResult(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("host %q: %w", h.Name, err)
	}
	host := object.NewHostSystem(v.client, info.Result.(types.ManagedObjectReference))
	dc.hosts = append(dc.hosts, host)
	dc.names[h.Name] = host
	sim := v.model.Map().Get(host.Reference()).(*simulator.HostSystem)
	v.model.Map().AtomicUpdate(v.background(), sim, []types.PropertyChange{
		{Name: "summary.config.sslThumbprint", Val: sha1Fingerprint(v.cert.Certificate[0])},
		{Name: "summary.managementServerIp", Val: "127.0.0.1"},
		{Name: "runtime.inMaintenanceMode", Val: h.Maintenance},
	})
	return host, nil
}

// configureCluster sets what inventory readers look at: the old `configuration` as well as `configurationEx`.
func (v *vCenter) configureCluster(ref types.ManagedObjectReference, c Cluster) {
	drs := types.ClusterDrsConfigInfo{Enabled: &c.DRS}
	if c.DRS {
		drs.DefaultVmBehavior = types.DrsBehaviorFullyAutomated
	}
	das := types.ClusterDasConfigInfo{Enabled: &c.HA}
	cluster := v.model.Map().Get(ref).(*simulator.ClusterComputeResource)
	v.background().WithLock(cluster, func() {
		ex := cluster.ConfigurationEx.(*types.ClusterConfigInfoEx)
		ex.DrsConfig, ex.DasConfig = drs, das
		ex.DpmConfigInfo = &types.ClusterDpmConfigInfo{Enabled: &c.DPM}
		cluster.Configuration.DrsConfig, cluster.Configuration.DasConfig = drs, das
	})
}
