package main

// The control API's part about VMs: see them with their files, add, change and remove them, write to their disks.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strconv"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

// shownVM is a VM in answers.
type shownVM struct {
	ID         string      `json:"id"` // managed object id
	Name       string      `json:"name"`
	Datacenter string      `json:"datacenter"` // inventory path, as dcPath wants it
	Folder     string      `json:"folder"`
	Power      string      `json:"power"` // poweredOn, poweredOff, suspended
	Tools      string      `json:"tools"`
	Shutdown   string      `json:"shutdown"`
	Snapshots  int         `json:"snapshots"`
	Disks      []shownDisk `json:"disks"`
}

// shownDisk is a disk with its files on this machine.
type shownDisk struct {
	Key        int32    `json:"key"`
	Datastore  string   `json:"datastore"`
	File       string   `json:"file"`       // of the current element, "[ds] dir/x.vmdk"
	Capacity   int64    `json:"capacity"`   // bytes
	Path       string   `json:"path"`       // raw content of the current element, on this machine
	BaseFile   string   `json:"baseFile"`   // of the base, as File
	Descriptor string   `json:"descriptor"` // of the base, on this machine
	Chain      []string `json:"chain"`      // datastore paths from the base up
}

func (v *vCenter) show(m *machine) shownVM {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := shownVM{
		ID: m.ref.Value, Name: m.spec.Name, Datacenter: m.dc.path, Folder: m.spec.Folder, Power: string(v.powerOf(m.ref)),
		Tools: m.spec.Tools, Shutdown: m.spec.Shutdown, Snapshots: len(m.frozen), Disks: []shownDisk{},
	}
	for _, d := range m.disks {
		base, _ := v.resolve(m.dc.path, d.chain[0].name)
		shown := shownDisk{
			Key: d.key, Datastore: d.spec.Datastore, File: d.top().name, Capacity: int64(d.spec.Size), Path: d.top().content,
			BaseFile: d.chain[0].name, Descriptor: base,
		}
		for _, e := range d.chain {
			shown.Chain = append(shown.Chain, e.name)
		}
		out.Disks = append(out.Disks, shown)
	}
	return out
}

// named finds the VM of a request by id or name.
func (v *vCenter) named(r *http.Request) (*machine, error) {
	want := r.PathValue("vm")
	v.mu.Lock()
	defer v.mu.Unlock()
	var found []*machine
	for _, m := range v.machines {
		if m.ref.Value == want {
			return m, nil
		}
		if m.spec.Name == want {
			found = append(found, m)
		}
	}
	switch len(found) {
	case 0:
		return nil, refusal(http.StatusNotFound, "no VM %q", want)
	case 1:
		return found[0], nil
	}
	return nil, refusal(http.StatusConflict, "%d VMs have the name %q: give an id", len(found), want)
}

func (v *vCenter) controlListVMs(*http.Request) (any, error) {
	v.mu.Lock()
	var all []*machine
	for _, m := range v.machines {
		all = append(all, m)
	}
	v.mu.Unlock()
	out := []shownVM{}
	for _, m := range all {
		out = append(out, v.show(m))
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name+out[i].ID < out[j].Name+out[j].ID })
	return out, nil
}

func (v *vCenter) controlGetVM(r *http.Request) (any, error) {
	m, err := v.named(r)
	if err != nil {
		return nil, err
	}
	return v.show(m), nil
}

func (v *vCenter) controlAddVM(r *http.Request) (any, error) {
	var spec VM
	if err := readBody(r, &spec); err != nil {
		return nil, err
	}
	var dc *datacenter
	for path, d := range v.inventory {
		if spec.Datacenter == path || spec.Datacenter == d.name || spec.Datacenter == "" && len(v.inventory) == 1 {
			dc = d
		}
	}
	if dc == nil {
		return nil, refusal(http.StatusBadRequest, "no datacenter %q", spec.Datacenter)
	}
	m, err := v.addVM(context.Background(), dc, spec)
	if err != nil {
		return nil, refusal(http.StatusBadRequest, "add VM %q: %v", spec.Name, err)
	}
	return v.show(m), nil
}

func (v *vCenter) controlDeleteVM(r *http.Request) (any, error) {
	m, err := v.named(r)
	if err != nil {
		return nil, err
	}
	return nil, v.removeVM(context.Background(), m)
}

// patch is what can be changed of a VM; what is absent stays.
type patch struct {
	Name           *string `json:"name"`
	CPUs           *int32  `json:"cpus"`
	MemoryMiB      *int64  `json:"memoryMiB"`
	Notes          *string `json:"notes"`
	ChangeTracking *bool   `json:"changeTracking"`
	Tools          *string `json:"tools"`
	Shutdown       *string `json:"shutdown"`
	HostName       *string `json:"hostName"`
	IPAddress      *string `json:"ipAddress"`
	Snapshot       *string `json:"snapshot"` // takes one of this name; "" removes all
	Power          *string `json:"power"`    // on, off, suspended
}

func (v *vCenter) controlPatchVM(r *http.Request) (any, error) {
	m, err := v.named(r)
	if err != nil {
		return nil, err
	}
	var p patch
	if err := readBody(r, &p); err != nil {
		return nil, err
	}
	if err := v.patchGuest(m, p); err != nil {
		return nil, refusal(http.StatusBadRequest, "%v", err)
	}
	if err := v.patchVM(context.Background(), m, p); err != nil {
		return nil, fmt.Errorf("change VM %q: %w", m.spec.Name, err)
	}
	return v.show(m), nil
}

// patchGuest changes how the guest behaves and what it reports.
func (v *vCenter) patchGuest(m *machine, p patch) error {
	v.mu.Lock()
	changed := m.spec
	for _, field := range []struct {
		to   *string
		from *string
	}{{&changed.Tools, p.Tools}, {&changed.Shutdown, p.Shutdown}, {&changed.HostName, p.HostName}, {&changed.IPAddress, p.IPAddress}} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	if err := changed.complete(); err != nil {
		v.mu.Unlock()
		return err
	}
	m.spec = changed
	changes := m.guestChanges(v.powerOf(m.ref) == types.VirtualMachinePowerStatePoweredOn)
	v.mu.Unlock()
	if p.Tools != nil || p.HostName != nil || p.IPAddress != nil {
		v.model.Map().AtomicUpdate(v.background(), v.simulated(m.ref), changes)
	}
	return nil
}

// patchVM makes the calls that another client would make.
func (v *vCenter) patchVM(ctx context.Context, m *machine, p patch) error {
	vm := object.NewVirtualMachine(v.client, m.ref)
	if p.Name != nil {
		if err := wait(ctx)(vm.Rename(ctx, *p.Name)); err != nil {
			return err
		}
	}
	if p.CPUs != nil || p.MemoryMiB != nil || p.Notes != nil || p.ChangeTracking != nil {
		config := types.VirtualMachineConfigSpec{ChangeTrackingEnabled: p.ChangeTracking}
		if p.CPUs != nil {
			config.NumCPUs = *p.CPUs
		}
		if p.MemoryMiB != nil {
			config.MemoryMB = *p.MemoryMiB
		}
		if p.Notes != nil {
			config.Annotation = *p.Notes
		}
		if err := wait(ctx)(vm.Reconfigure(ctx, config)); err != nil {
			return err
		}
	}
	if p.Snapshot != nil {
		if err := patchSnapshot(ctx, vm, *p.Snapshot); err != nil {
			return err
		}
	}
	if p.Power != nil {
		return v.setPower(ctx, m, *p.Power)
	}
	return nil
}

func patchSnapshot(ctx context.Context, vm *object.VirtualMachine, name string) error {
	if name == "" {
		return wait(ctx)(vm.RemoveAllSnapshot(ctx, nil))
	}
	return wait(ctx)(vm.CreateSnapshot(ctx, name, "", false, false))
}

// diskOf finds the disk of a request by its position, from 0.
func (v *vCenter) diskOf(r *http.Request) (*element, int64, error) {
	m, err := v.named(r)
	if err != nil {
		return nil, 0, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	i, err := strconv.Atoi(r.PathValue("disk"))
	if err != nil || i < 0 || i >= len(m.disks) {
		return nil, 0, refusal(http.StatusNotFound, "VM %q has no disk %s", m.spec.Name, r.PathValue("disk"))
	}
	offset, err := strconv.ParseInt(or(r.URL.Query().Get("offset"), "0"), 10, 64)
	if err != nil || offset < 0 || offset >= int64(m.disks[i].spec.Size) {
		return nil, 0, refusal(http.StatusBadRequest, "offset %q is not in the disk", r.URL.Query().Get("offset"))
	}
	return m.disks[i].top(), offset, nil
}

func (v *vCenter) controlFlip(r *http.Request) (any, error) {
	e, offset, err := v.diskOf(r)
	if err != nil {
		return nil, err
	}
	return nil, flip(e.content, offset)
}

// controlWrite is the guest's hand: the body is written to the current element.
func (v *vCenter) controlWrite(r *http.Request) (any, error) {
	e, offset, err := v.diskOf(r)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(e.content, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := io.Copy(io.NewOffsetWriter(f, offset), r.Body)
	return map[string]int64{"written": n}, err
}
