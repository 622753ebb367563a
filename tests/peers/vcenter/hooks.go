package main

// Where our behaviour enters the simulator: callbacks for every object made, changed and removed, and one before every
// call. What they do is in the files they name.

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// hooks are the simulator's callbacks. The caller mostly holds the object's lock: they take none, and they must not hold
// v.mu while they call back into the registry.
type hooks struct{ v *vCenter }

// Reference names the hooks in the registry's list of handlers.
func (h *hooks) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "Hooks", Value: "hooks"}
}

// PutObject sees a new object; a snapshot is still inside its task here, which is the moment to freeze the disks.
func (h *hooks) PutObject(ctx *simulator.Context, o mo.Reference) {
	switch x := o.(type) {
	case *simulator.VirtualMachineSnapshot:
		h.v.freeze(ctx, x)
	case *simulator.VirtualMachine:
		h.v.shadows.put(&x.VirtualMachine)
	}
}

// UpdateObject sees changes that were just applied.
func (h *hooks) UpdateObject(ctx *simulator.Context, o mo.Reference, changes []types.PropertyChange) {
	vm, ok := o.(*mo.VirtualMachine)
	if !ok {
		return
	}
	// First of all: the picture must know what is reported already when the updates below come back here.
	more := h.v.shadows.changes(vm, changes)
	for _, c := range changes {
		switch c.Name {
		case "runtime.powerState":
			h.v.powerChanged(ctx, vm, c.Val)
		case "name":
			h.v.renamed(ctx, vm)
		}
	}
	if len(more) > 0 {
		ctx.Map.Update(ctx, vm, more)
	}
}

// RemoveObject sees an object that is about to go.
func (h *hooks) RemoveObject(ctx *simulator.Context, ref types.ManagedObjectReference) {
	switch ref.Type {
	case "VirtualMachineSnapshot":
		if s, ok := ctx.Map.Get(ref).(*simulator.VirtualMachineSnapshot); ok {
			h.v.consolidate(ctx, s)
		}
	case "VirtualMachine":
		h.v.shadows.forget(ref)
	}
	h.v.wrappers.forget(ctx, ref)
	h.v.removals.Add(1)
}

// before runs ahead of every call, in process or by SOAP. A fault it returns is the call's answer.
func (v *vCenter) before(ctx *simulator.Context, m *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	v.journal.call(v, ctx.Session, m)
	if ours(ctx.Session) {
		return nil, nil
	}
	if fault := v.faults.next(v, m); fault != nil {
		return nil, fault
	}
	if fault := v.refuse(ctx.Session, m); fault != nil {
		return nil, fault
	}
	if ctx.Session != nil {
		v.wrap(ctx, m)
	}
	return nil, nil
}

// ours is true for calls of the scenario and of the control API, which have a session without a user.
func ours(s *simulator.Session) bool { return s != nil && s.UserName == "" }
