package main

// A VM's life after it was made: its first power state, switching, removal, all as another client would do it.

import (
	"context"
	"fmt"
	"os"
	"path"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

// bringUp takes the snapshot and sets the power state.
func (v *vCenter) bringUp(ctx context.Context, m *machine) error {
	vm := object.NewVirtualMachine(v.client, m.ref)
	if m.spec.Snapshot != "" {
		if err := wait(ctx)(vm.CreateSnapshot(ctx, m.spec.Snapshot, "", false, false)); err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
	}
	if m.spec.Template {
		return vm.MarkAsTemplate(ctx)
	}
	if m.spec.Power == "off" {
		return nil
	}
	return v.setPower(ctx, m, m.spec.Power)
}

// setPower switches a VM as somebody else would; it is no error when it is there already.
func (v *vCenter) setPower(ctx context.Context, m *machine, power string) error {
	vm := object.NewVirtualMachine(v.client, m.ref)
	now, err := vm.PowerState(ctx)
	if err != nil {
		return err
	}
	switch power {
	case "on":
		if now != types.VirtualMachinePowerStatePoweredOn {
			return wait(ctx)(vm.PowerOn(ctx))
		}
	case "off":
		if now != types.VirtualMachinePowerStatePoweredOff {
			return wait(ctx)(vm.PowerOff(ctx))
		}
	case "suspended":
		if now == types.VirtualMachinePowerStatePoweredOff {
			if err := wait(ctx)(vm.PowerOn(ctx)); err != nil {
				return err
			}
		}
		return wait(ctx)(vm.Suspend(ctx))
	default:
		return fmt.Errorf("power is on, off or suspended, not %q", power)
	}
	return nil
}

// removeVM switches a VM off and destroys it with its files.
func (v *vCenter) removeVM(ctx context.Context, m *machine) error {
	if err := v.setPower(ctx, m, "off"); err != nil {
		return err
	}
	v.changing.Lock()
	defer v.changing.Unlock()
	vm := object.NewVirtualMachine(v.client, m.ref)
	if err := wait(ctx)(vm.Destroy(ctx)); err != nil {
		return err
	}
	v.mu.Lock()
	delete(v.machines, m.ref)
	v.mu.Unlock()
	for _, d := range m.disks {
		if !d.shared {
			d.removeFiles(v, m)
		}
	}
	if home, err := v.resolve(m.dc.path, path.Clean(m.home)); err == nil {
		_ = os.RemoveAll(home)
	}
	return nil
}

// wait makes a call that starts a task into one that ends with it.
func wait(ctx context.Context) func(*object.Task, error) error {
	return func(task *object.Task, err error) error {
		if err != nil {
			return err
		}
		return task.Wait(ctx)
	}
}
