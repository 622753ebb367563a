package main

// Networks: standard port groups and port groups of distributed switches, seen by every host of the datacenter.

import (
	"context"
	"fmt"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

func (v *vCenter) buildNetworks(ctx context.Context, dc *datacenter, networks []Network) error {
	if len(dc.hosts) == 0 {
		return fmt.Errorf("no host")
	}
	switches := map[string]*object.DistributedVirtualSwitch{}
	for _, n := range networks {
		var err error
		switch or(n.Kind, "standard") {
		case "standard":
			err = v.addStandard(ctx, dc, n.Name)
		case "distributed":
			name := or(n.Switch, "DSwitch")
			if switches[name] == nil {
				if switches[name], err = v.addSwitch(ctx, dc, name); err != nil {
					break
				}
			}
			err = v.addPortgroup(ctx, switches[name], n.Name)
		default:
			err = fmt.Errorf("kind is standard or distributed, not %q", n.Kind)
		}
		if err != nil {
			return fmt.Errorf("network %q: %w", n.Name, err)
		}
	}
	// Hosts join a switch only after its port groups exist: the simulator links both when a host joins.
	for name, s := range switches {
		if err := joinHosts(ctx, s, dc.hosts); err != nil {
			return fmt.Errorf("switch %q: %w", name, err)
		}
	}
	return v.indexNetworks(ctx, dc)
}

// addStandard makes a standard port group; every datacenter of the simulator has a "VM Network".
func (v *vCenter) addStandard(ctx context.Context, dc *datacenter, name string) error {
	if name == "VM Network" {
		return nil
	}
	system, err := dc.hosts[0].ConfigManager().NetworkSystem(ctx)
	if err != nil {
		return err
	}
	if err := system.AddPortGroup(ctx, types.HostPortGroupSpec{Name: name, VswitchName: "vSwitch0"}); err != nil {
		return err
	}
	made := v.childNamed(dc.folders.NetworkFolder.Reference(), name)
	registry := v.model.Map()
	for _, h := range dc.hosts {
		host := registry.Get(h.Reference()).(*simulator.HostSystem)
		registry.AtomicUpdate(v.background(), host, []types.PropertyChange{{Name: "network", Val: with(host.Network, made)}})
		switch compute := registry.Get(*host.Parent).(type) {
		case *simulator.ClusterComputeResource:
			registry.AtomicUpdate(v.background(), compute, []types.PropertyChange{{Name: "network", Val: with(compute.Network, made)}})
		case *mo.ComputeResource:
			registry.AtomicUpdate(v.background(), compute, []types.PropertyChange{{Name: "network", Val: with(compute.Network, made)}})
		}
	}
	return nil
}

func (v *vCenter) addSwitch(ctx context.Context, dc *datacenter, name string) (*object.DistributedVirtualSwitch, error) {
	spec := types.DVSCreateSpec{ConfigSpec: &types.VMwareDVSConfigSpec{}}
	spec.ConfigSpec.GetDVSConfigSpec().Name = name
	task, err := dc.folders.NetworkFolder.CreateDVS(ctx, spec)
	if err != nil {
		return nil, err
	}
	info, err := task.WaitForResult(ctx, nil)
	if err != nil {
		return nil, err
	}
	return object.NewDistributedVirtualSwitch(v.client, info.Result.(types.ManagedObjectReference)), nil
}

func (v *vCenter) addPortgroup(ctx context.Context, s *object.DistributedVirtualSwitch, name string) error {
	task, err := s.AddPortgroup(ctx, []types.DVPortgroupConfigSpec{{
		Name: name, Type: string(types.DistributedVirtualPortgroupPortgroupTypeEarlyBinding), NumPorts: 8,
	}})
	if err != nil {
		return err
	}
	return task.Wait(ctx)
}

func joinHosts(ctx context.Context, s *object.DistributedVirtualSwitch, hosts []*object.HostSystem) error {
	for _, h := range hosts {
		task, err := s.Reconfigure(ctx, &types.DVSConfigSpec{Host: []types.DistributedVirtualSwitchHostMemberConfigSpec{{
			Operation: string(types.ConfigSpecOperationAdd), Host: h.Reference(),
		}}})
		if err != nil {
			return err
		}
		if err := task.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (v *vCenter) indexNetworks(ctx context.Context, dc *datacenter) error {
	children, err := dc.folders.NetworkFolder.Children(ctx)
	if err != nil {
		return err
	}
	for _, child := range children {
		if n, ok := child.(object.NetworkReference); ok && child.Reference().Type != "VmwareDistributedVirtualSwitch" && child.Reference().Type != "DistributedVirtualSwitch" {
			name, err := object.NewCommon(v.client, n.Reference()).ObjectName(ctx)
			if err != nil {
				return err
			}
			dc.networks[name] = n.Reference()
		}
	}
	return nil
}

// nicBacking connects a card to a network by name.
func (v *vCenter) nicBacking(ctx context.Context, dc *datacenter, name string) (types.BaseVirtualDeviceBackingInfo, error) {
	ref, ok := dc.networks[name]
	if !ok {
		return nil, fmt.Errorf("datacenter %q has no network %q", dc.name, name)
	}
	if ref.Type == "DistributedVirtualPortgroup" {
		return object.NewDistributedVirtualPortgroup(v.client, ref).EthernetCardBackingInfo(ctx)
	}
	backing := &types.VirtualEthernetCardNetworkBackingInfo{}
	backing.DeviceName = name
	return backing, nil
}

func (v *vCenter) childNamed(folder types.ManagedObjectReference, name string) types.ManagedObjectReference {
	f := v.model.Map().Get(folder).(*simulator.Folder)
	return v.model.Map().FindByName(name, f.ChildEntity).Reference()
}

// with appends to a copy: the simulator's hosts share their first list of networks.
func with(list []types.ManagedObjectReference, ref types.ManagedObjectReference) []types.ManagedObjectReference {
	return append(append([]types.ManagedObjectReference(nil), list...), ref)
}
