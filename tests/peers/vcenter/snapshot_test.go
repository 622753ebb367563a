package main

import (
	"bytes"
	"net/http"
	"os"
	"testing"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// backings are the files of a VM's first disk, from the current one down to the base.
func backings(devices []types.BaseVirtualDevice) []string {
	var out []string
	for _, d := range object.VirtualDeviceList(devices).SelectByType((*types.VirtualDisk)(nil)) {
		for b := d.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo); b != nil; b = b.Parent {
			out = append(out, b.FileName)
		}
		return out
	}
	return out
}

func firstDisk(t *testing.T, vm *object.VirtualMachine) []string {
	t.Helper()
	return backings(properties(t, vm, "config.hardware.device").Config.Hardware.Device)
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestASnapshotGivesTheDiskAParentAndSetsTheTrapOfAStaleBase(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	vm := vmNamed(t, v, c, "demo-vm")
	before, err := os.ReadFile(shownNamed(t, v, "demo-vm").Disks[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if err := wait(ctx)(vm.CreateSnapshot(ctx, "one", "", false, false)); err != nil {
		t.Fatal(err)
	}
	base, delta := "[vmfs-1] demo-vm/demo-vm.vmdk", "[vmfs-1] demo-vm/demo-vm-000001.vmdk"
	if got := firstDisk(t, vm); !equal(got, []string{delta, base}) {
		t.Fatal(got)
	}
	if properties(t, vm, "snapshot").Snapshot.CurrentSnapshot == nil {
		t.Error("no current snapshot")
	}
	// The guest writes on; who reads the base now reads the past.
	control(t, v, "POST", "/vms/demo-vm/disks/0/write?offset=100", "written after the snapshot", nil)
	flat := folderURL(v, demoDC, "vmfs-1", "demo-vm/demo-vm-flat.vmdk")
	answer, got, _ := get(t, v, c, "GET", flat, "")
	if answer.StatusCode != 200 || !bytes.Equal(got, before) {
		t.Errorf("base: %d", answer.StatusCode)
	}
	if got := status(t, v, c, folderURL(v, demoDC, "vmfs-1", "demo-vm/demo-vm-000001-delta.vmdk")); got != http.StatusInternalServerError {
		t.Errorf("delta of a running VM: %d", got)
	}
	_, text, _ := get(t, v, c, "GET", folderURL(v, demoDC, "vmfs-1", "demo-vm/demo-vm-000001.vmdk"), "")
	if !bytes.Contains(text, []byte(`parentFileNameHint="demo-vm.vmdk"`)) || !bytes.Contains(text, []byte("VMFSSPARSE")) {
		t.Errorf("delta's descriptor:\n%s", text)
	}
	if err := wait(ctx)(vm.RemoveAllSnapshot(ctx, nil)); err != nil {
		t.Fatal(err)
	}
	if got := firstDisk(t, vm); !equal(got, []string{base}) {
		t.Error(got)
	}
	after, err := os.ReadFile(shownNamed(t, v, "demo-vm").Disks[0].Path)
	if err != nil || !bytes.Equal(after[100:126], []byte("written after the snapshot")) {
		t.Errorf("the write is lost: %q %v", after[100:126], err)
	}
	if got := status(t, v, c, flat); got != http.StatusInternalServerError {
		t.Errorf("base after removal: %d", got)
	}
}

func TestRemovingAnOlderSnapshotMovesTheFilesOfAYoungerOne(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	vm := vmNamed(t, v, c, "gpu-worker")
	ctx := t.Context()
	for _, name := range []string{"one", "two"} {
		if err := wait(ctx)(vm.CreateSnapshot(ctx, name, "", false, false)); err != nil {
			t.Fatal(err)
		}
		control(t, v, "POST", "/vms/gpu-worker/disks/0/write", "after "+name, nil)
	}
	younger := properties(t, vm, "snapshot").Snapshot.CurrentSnapshot
	frozen := func() []string {
		var s mo.VirtualMachineSnapshot
		if err := vm.Properties(ctx, *younger, []string{"config.hardware.device"}, &s); err != nil {
			t.Fatal(err)
		}
		return backings(s.Config.Hardware.Device)
	}
	if got := frozen(); len(got) != 2 {
		t.Fatal(got)
	}
	if err := wait(ctx)(vm.RemoveSnapshot(ctx, "one", false, nil)); err != nil {
		t.Fatal(err)
	}
	if got := frozen(); !equal(got, []string{"[vmfs-1] gpu-worker/gpu-worker.vmdk"}) {
		t.Error(got)
	}
	if got := firstDisk(t, vm); !equal(got, []string{"[vmfs-1] gpu-worker/gpu-worker-000002.vmdk", "[vmfs-1] gpu-worker/gpu-worker.vmdk"}) {
		t.Error(got)
	}
	if task, err := vm.RevertToCurrentSnapshot(ctx, true); faultOf(err) != "NotSupported" {
		t.Errorf("revert: %v %v", task, err)
	}
}

func TestAVMOfTheScenarioHasItsSnapshot(t *testing.T) {
	v := startDemo(t)
	vm := vmNamed(t, v, login(t, v).Client, "build server")
	if got := firstDisk(t, vm); len(got) != 2 {
		t.Error(got)
	}
	control(t, v, "PATCH", "/vms/build%20server", map[string]string{"snapshot": ""}, nil)
	if got := firstDisk(t, vm); len(got) != 1 {
		t.Error(got)
	}
	if properties(t, vm, "snapshot").Snapshot != nil {
		t.Error("a snapshot is left")
	}
}
