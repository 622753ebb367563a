package main

// Power: guest shutdowns that take their time, what changes with the power state, and VMs without Tools.

import (
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// wrappedVM is a VM as login sessions see it.
type wrappedVM struct {
	*simulator.VirtualMachine
	v *vCenter
}

// Entity hides the simulator's method of that name: a registry writes to an entity that is put into it, without a lock.
func (w *wrappedVM) Entity() {}

// ShutdownGuest asks the guest to shut down. It answers at once; the VM is off when the guest is done.
func (w *wrappedVM) ShutdownGuest(ctx *simulator.Context, r *types.ShutdownGuest) soap.HasFault {
	m := w.v.machineOf(w.Self)
	if m == nil || w.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
		return w.VirtualMachine.ShutdownGuest(ctx, r) // which knows the fault
	}
	w.v.mu.Lock()
	tools := m.spec.Tools
	delay, never, _ := m.spec.shutdownDelay()
	w.v.mu.Unlock()
	if tools != toolsRunning {
		return &methods.ShutdownGuestBody{Fault_: simulator.Fault("", new(types.ToolsUnavailable))}
	}
	if delay == 0 && !never {
		return w.VirtualMachine.ShutdownGuest(ctx, r)
	}
	if !never {
		w.v.shutdownLater(ctx, w.VirtualMachine, m, delay, r)
	}
	return &methods.ShutdownGuestBody{Res: new(types.ShutdownGuestResponse)}
}

func (v *vCenter) shutdownLater(ctx *simulator.Context, vm *simulator.VirtualMachine, m *machine, delay time.Duration, r *types.ShutdownGuest) {
	later := *ctx // another owner of locks: the call's own is done by then
	v.mu.Lock()
	defer v.mu.Unlock()
	if m.pending != nil {
		return
	}
	m.pending = time.AfterFunc(delay, func() {
		later.WithLock(vm, func() { vm.ShutdownGuest(&later, r) })
	})
}

// PowerOnVMTask powers the VM on, unless a test wants the task to fail.
func (w *wrappedVM) PowerOnVMTask(ctx *simulator.Context, r *types.PowerOnVM_Task) soap.HasFault {
	if fault := w.v.faults.inTask(w.v, "PowerOnVM_Task", w.Self); fault != nil {
		return &methods.PowerOnVM_TaskBody{Res: &types.PowerOnVM_TaskResponse{Returnval: w.failing(ctx, "powerOn", fault)}}
	}
	return w.VirtualMachine.PowerOnVMTask(ctx, r)
}

// PowerOffVMTask powers the VM off, unless a test wants the task to fail.
func (w *wrappedVM) PowerOffVMTask(ctx *simulator.Context, r *types.PowerOffVM_Task) soap.HasFault {
	if fault := w.v.faults.inTask(w.v, "PowerOffVM_Task", w.Self); fault != nil {
		return &methods.PowerOffVM_TaskBody{Res: &types.PowerOffVM_TaskResponse{Returnval: w.failing(ctx, "powerOff", fault)}}
	}
	return w.VirtualMachine.PowerOffVMTask(ctx, r)
}

func (w *wrappedVM) failing(ctx *simulator.Context, name string, fault types.BaseMethodFault) types.ManagedObjectReference {
	return simulator.CreateTask(w.VirtualMachine, name, func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		return nil, fault
	}).Run(ctx)
}

// RevertToCurrentSnapshotTask is refused: branches of disks are not modelled.
func (w *wrappedVM) RevertToCurrentSnapshotTask(*simulator.Context, *types.RevertToCurrentSnapshot_Task) soap.HasFault {
	return &methods.RevertToCurrentSnapshot_TaskBody{Fault_: simulator.Fault("", new(types.NotSupported))}
}

// powerChanged writes the power timeline and lets the guest's report follow.
func (v *vCenter) powerChanged(ctx *simulator.Context, vm *mo.VirtualMachine, val any) {
	m := v.machineOf(vm.Self)
	state, ok := val.(types.VirtualMachinePowerState)
	if m == nil || !ok {
		return
	}
	v.mu.Lock()
	if m.pending != nil {
		m.pending.Stop()
		m.pending = nil
	}
	on := state == types.VirtualMachinePowerStatePoweredOn
	changes := m.guestChanges(on)
	v.mu.Unlock()
	v.journal.power(m, vm.Name, state, userOf(ctx.Session))
	ctx.Map.Update(ctx, vm, changes)
}

// powerOf reads a VM's state from the journal's timeline, which needs no lock of the simulator.
func (v *vCenter) powerOf(ref types.ManagedObjectReference) types.VirtualMachinePowerState {
	return v.journal.stateOf(ref)
}
