package main

// A VM: made from its scenario entry, and remembered with its disks. placement.go says where it lies, lifecycle.go what
// becomes of it.

import (
	"context"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// machine is what we know of a VM beyond what the simulator keeps.
type machine struct {
	ref     types.ManagedObjectReference
	dc      *datacenter
	spec    VM // tools, shutdown and guest follow the control API
	home    string
	disks   []*disk
	frozen  map[types.ManagedObjectReference]map[int32]*element // per snapshot: the element of each disk it keeps
	pending *time.Timer                                         // a guest shutdown under way
}

// addVM makes a VM with its files, then brings it into the state that the scenario asks for.
func (v *vCenter) addVM(ctx context.Context, dc *datacenter, spec VM) (*machine, error) {
	if err := spec.complete(); err != nil {
		return nil, err
	}
	v.changing.Lock()
	defer v.changing.Unlock()
	m := &machine{dc: dc, spec: spec, frozen: map[types.ManagedObjectReference]map[int32]*element{}}
	if err := v.asPlain(func() error { return v.createVM(ctx, m) }); err != nil {
		return nil, err
	}
	v.mu.Lock()
	v.machines[m.ref] = m
	v.mu.Unlock()
	v.finishVM(m)
	v.journal.power(m, "", types.VirtualMachinePowerStatePoweredOff, "")
	return m, v.bringUp(ctx, m)
}

func (v *vCenter) createVM(ctx context.Context, m *machine) error {
	pool, host, err := m.dc.place(m.spec)
	if err != nil {
		return err
	}
	if err := v.makeFiles(m); err != nil {
		return err
	}
	config, err := v.configSpec(ctx, m)
	if err != nil {
		return err
	}
	folder, err := makeFolders(ctx, m.dc.folders.VmFolder, m.spec.Folder)
	if err != nil {
		return err
	}
	if pool == nil {
		if pool, err = host.ResourcePool(ctx); err != nil {
			return err
		}
	}
	task, err := folder.CreateVM(ctx, config, pool, host)
	if err != nil {
		return err
	}
	info, err := task.WaitForResult(ctx, nil)
	if err != nil {
		return err
	}
	m.ref = info.Result.(types.ManagedObjectReference)
	return nil
}

// finishVM sets what the simulator leaves empty or wrong.
func (v *vCenter) finishVM(m *machine) {
	vm := v.simulated(m.ref)
	for i := range m.spec.NICs { // the simulator made the addresses that the scenario leaves open
		card := object.VirtualDeviceList(vm.Config.Hardware.Device).FindByKey(firstNIC + int32(i))
		if c, ok := card.(types.BaseVirtualEthernetCard); ok {
			m.spec.NICs[i].MAC = c.GetVirtualEthernetCard().MacAddress
		}
	}
	full := or(m.spec.GuestFullName, guestFullName(m.spec.GuestID))
	changes := []types.PropertyChange{
		{Name: "config.guestFullName", Val: full},
		{Name: "summary.config.guestFullName", Val: full},
		{Name: "summary.config.tpmPresent", Val: m.spec.TPM},
		{Name: "runtime.consolidationNeeded", Val: false},
		{Name: "summary.runtime.consolidationNeeded", Val: false},
	}
	if !m.spec.KeepsEmptyEnums {
		// Two enum values that the simulator leaves empty, which no real server sends.
		for _, prefix := range []string{"runtime.", "summary.runtime."} {
			changes = append(changes,
				types.PropertyChange{Name: prefix + "faultToleranceState", Val: types.VirtualMachineFaultToleranceStateNotConfigured},
				types.PropertyChange{Name: prefix + "recordReplayState", Val: types.VirtualMachineRecordReplayStateInactive})
		}
	}
	v.model.Map().AtomicUpdate(v.background(), vm, append(changes, m.guestChanges(false)...))
}

// simulated is the simulator's own object of a VM.
func (v *vCenter) simulated(ref types.ManagedObjectReference) *simulator.VirtualMachine {
	vm, _ := v.model.Map().Get(ref).(*simulator.VirtualMachine)
	return vm
}

// machineOf finds our record of a VM.
func (v *vCenter) machineOf(ref types.ManagedObjectReference) *machine {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.machines[ref]
}

// nameOf is a VM's name; empty for other objects.
func (v *vCenter) nameOf(ref types.ManagedObjectReference) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if m := v.machines[ref]; m != nil {
		return m.spec.Name
	}
	return ""
}

// renamed gives a new name to all places that have one; the simulator's rename changes only the entity's.
func (v *vCenter) renamed(ctx *simulator.Context, vm *mo.VirtualMachine) {
	m := v.machineOf(vm.Self)
	if m == nil {
		return
	}
	v.mu.Lock()
	m.spec.Name = vm.Name
	v.mu.Unlock()
	if vm.Config.Name != vm.Name {
		ctx.Map.Update(ctx, vm, []types.PropertyChange{{Name: "config.name", Val: vm.Name}, {Name: "summary.config.name", Val: vm.Name}})
	}
}
