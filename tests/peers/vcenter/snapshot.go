package main

// Snapshots on disk: a snapshot freezes each disk's current element and puts a delta on top; removing it merges the two.
// The base flat file is then readable while the VM runs, and stale: the trap that real datastores set.

import (
	"fmt"
	"io"
	"log"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// freeze runs inside the simulator's snapshot task, after it copied the VM's configuration and before the snapshot shows.
func (v *vCenter) freeze(ctx *simulator.Context, s *simulator.VirtualMachineSnapshot) {
	vm := v.simulated(s.Vm)
	m := v.machineOf(s.Vm)
	if vm == nil || m == nil {
		return
	}
	v.mu.Lock()
	kept := map[int32]*element{}
	for _, d := range m.disks {
		if strings.HasPrefix(d.spec.Mode, "independent") || d.spec.RDM == "physicalMode" {
			continue // snapshots leave these out
		}
		frozen := d.top()
		delta, err := v.makeDelta(m, d, frozen)
		if err != nil {
			log.Printf("snapshot of %s: %v", m.spec.Name, err)
			continue
		}
		kept[d.key] = frozen
		d.chain = append(d.chain, delta)
	}
	m.frozen[s.Self] = kept
	devices := m.withBackings(vm.Config.Hardware.Device)
	v.mu.Unlock()
	ctx.Map.Update(ctx, vm, []types.PropertyChange{{Name: "config.hardware.device", Val: devices}})
}

// makeDelta writes the delta's descriptor and its extent, which holds no raw data; the merged content lies with us.
func (v *vCenter) makeDelta(m *machine, d *disk, parent *element) (*element, error) {
	d.next++
	base := strings.TrimSuffix(d.chain[0].name, ".vmdk")
	e := &element{
		name:    fmt.Sprintf("%s-%06d.vmdk", base, d.next),
		content: filepath.Join(v.options.dir, "content", fmt.Sprintf("%s-%d-%d.raw", m.ref.Value, d.key, d.next)),
	}
	descriptor, err := v.resolve(m.dc.path, e.name)
	if err != nil {
		return nil, err
	}
	e.extent = strings.TrimSuffix(descriptor, ".vmdk") + "-delta.vmdk"
	if err := copySparse(e.content, parent.content); err != nil {
		return nil, err
	}
	text := deltaDescriptor(int64(d.spec.Size), d.next, path.Base(e.extent), path.Base(parent.name))
	if err := os.WriteFile(descriptor, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return e, os.WriteFile(e.extent, []byte("COWD"), 0o600)
}

// consolidate runs inside the simulator's removal task, while the snapshot is still there.
func (v *vCenter) consolidate(ctx *simulator.Context, s *simulator.VirtualMachineSnapshot) {
	vm := v.simulated(s.Vm)
	m := v.machineOf(s.Vm)
	if vm == nil || m == nil {
		return
	}
	v.mu.Lock()
	kept := m.frozen[s.Self]
	delete(m.frozen, s.Self)
	for _, d := range m.disks {
		if e := kept[d.key]; e != nil {
			v.merge(m, d, e)
		}
	}
	younger := map[*simulator.VirtualMachineSnapshot][]types.BaseVirtualDevice{}
	for ref, kept := range m.frozen {
		if other, ok := ctx.Map.Get(ref).(*simulator.VirtualMachineSnapshot); ok {
			younger[other] = m.withFrozen(other.Config.Hardware.Device, kept)
		}
	}
	devices := m.withBackings(vm.Config.Hardware.Device)
	v.mu.Unlock()
	for other, frozen := range younger {
		other.Config.Hardware.Device = frozen // its file names move when an older snapshot goes
	}
	ctx.Map.Update(ctx, vm, []types.PropertyChange{{Name: "config.hardware.device", Val: devices}})
}

// merge moves the content of the element above into the one that the removed snapshot kept.
func (v *vCenter) merge(m *machine, d *disk, kept *element) {
	i := indexOf(d.chain, kept)
	if i < 0 || i+1 >= len(d.chain) {
		return
	}
	above := d.chain[i+1]
	if err := copySparse(kept.content, above.content); err != nil {
		log.Printf("consolidate %s: %v", kept.name, err)
		return
	}
	above.remove(v, m.dc)
	d.chain = append(d.chain[:i+1:i+1], d.chain[i+2:]...)
	for _, elements := range m.frozen {
		if elements[d.key] == above {
			elements[d.key] = kept
		}
	}
}

func indexOf(chain []*element, e *element) int {
	for i, x := range chain {
		if x == e {
			return i
		}
	}
	return -1
}

// withBackings is the device list with each disk's current chain.
func (m *machine) withBackings(devices []types.BaseVirtualDevice) []types.BaseVirtualDevice {
	return m.replaceDisks(devices, func(d *disk) int { return len(d.chain) - 1 })
}

func (m *machine) withFrozen(devices []types.BaseVirtualDevice, kept map[int32]*element) []types.BaseVirtualDevice {
	return m.replaceDisks(devices, func(d *disk) int { return indexOf(d.chain, kept[d.key]) })
}

func (m *machine) replaceDisks(devices []types.BaseVirtualDevice, element func(*disk) int) []types.BaseVirtualDevice {
	out := append([]types.BaseVirtualDevice(nil), devices...)
	for i, device := range out {
		old, ok := device.(*types.VirtualDisk)
		if !ok {
			continue
		}
		for _, d := range m.disks {
			if n := element(d); d.key == old.Key && n >= 0 {
				changed := *old
				changed.Backing = d.backing(n)
				if file, ok := changed.Backing.(types.BaseVirtualDeviceFileBackingInfo); ok {
					was := old.Backing.(types.BaseVirtualDeviceFileBackingInfo).GetVirtualDeviceFileBackingInfo()
					file.GetVirtualDeviceFileBackingInfo().Datastore = was.Datastore
				}
				out[i] = &changed
			}
		}
	}
	return out
}

// wrappedSnapshot is a snapshot as login sessions see it.
type wrappedSnapshot struct {
	*simulator.VirtualMachineSnapshot
}

// RemoveSnapshotTask removes the children too when it is asked to; the simulator forgets them.
func (w *wrappedSnapshot) RemoveSnapshotTask(ctx *simulator.Context, r *types.RemoveSnapshot_Task) soap.HasFault {
	if r.RemoveChildren {
		for _, child := range w.ChildSnapshot {
			if s, ok := ctx.Map.Get(child).(*simulator.VirtualMachineSnapshot); ok {
				q := types.RemoveSnapshot_Task{This: child, RemoveChildren: true}
				body := (&wrappedSnapshot{s}).RemoveSnapshotTask(ctx, &q).(*methods.RemoveSnapshot_TaskBody)
				ctx.Map.Get(body.Res.Returnval).(*simulator.Task).Wait()
			}
		}
	}
	q := *r
	q.RemoveChildren = false
	return w.VirtualMachineSnapshot.RemoveSnapshotTask(ctx, &q)
}

// RevertToSnapshotTask is refused: branches of disks are not modelled.
func (w *wrappedSnapshot) RevertToSnapshotTask(*simulator.Context, *types.RevertToSnapshot_Task) soap.HasFault {
	return &methods.RevertToSnapshot_TaskBody{Fault_: simulator.Fault("", new(types.NotSupported))}
}

// copySparse copies a file without giving its zeros room.
func copySparse(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy disk content: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("copy disk content: %w", err)
	}
	defer out.Close()
	if err := out.Truncate(info.Size()); err != nil {
		return err
	}
	buffer, zero := make([]byte, 64<<10), make([]byte, 64<<10)
	for offset := int64(0); ; {
		n, err := in.ReadAt(buffer, offset)
		if n > 0 && string(buffer[:n]) != string(zero[:n]) {
			if _, err := out.WriteAt(buffer[:n], offset); err != nil {
				return err
			}
		}
		offset += int64(n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
