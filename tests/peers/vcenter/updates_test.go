package main

import (
	"context"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

func reconfigure(t *testing.T, vm *object.VirtualMachine, spec types.VirtualMachineConfigSpec) {
	t.Helper()
	if err := wait(t.Context())(vm.Reconfigure(t.Context(), spec)); err != nil {
		t.Fatal(err)
	}
}

func TestAReconfigurationReportsExactlyThePathsThatChanged(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	vm := vmNamed(t, v, c, "demo-vm")
	w := watch(t, c, true, "name", "config", "summary.config", "guest", "config.hardware.numCPU")
	w.all()
	w = watch(t, c, true, "name", "config.hardware.numCPU", "config.hardware.memoryMB", "config.annotation",
		"config.changeTrackingEnabled", "config.cpuHotAddEnabled", "summary.config.numCpu", "config.firmware", "config.guestId")
	w.all()
	reconfigure(t, vm, types.VirtualMachineConfigSpec{NumCPUs: 3, MemoryMB: 2048, Annotation: "new", CpuHotAddEnabled: types.NewBool(true)})
	got := changed(w.all(), vm.Reference().Value)
	want := map[string]any{
		"config.hardware.numCPU": int32(3), "config.hardware.memoryMB": int32(2048), "config.annotation": "new",
		"config.cpuHotAddEnabled": true, "summary.config.numCpu": int32(3),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestAFilterOnAParentSeesTheChangeOfItsParts(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	w := watch(t, c, true, "config.hardware")
	w.all()
	control(t, v, "PATCH", "/vms/demo-vm", map[string]int{"cpus": 5}, nil)
	got := changed(w.all(), shownNamed(t, v, "demo-vm").ID)
	if hardware, ok := got["config.hardware"].(types.VirtualHardware); !ok || hardware.NumCPU != 5 {
		t.Errorf("%v", got)
	}
}

func TestValuesThatBecomeFalseOrEmptyAreReported(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	id := shownNamed(t, v, "demo-vm").ID
	w := watch(t, c, true, "config.changeTrackingEnabled", "guest.ipAddress", "guest.net", "runtime.powerState", "guest.toolsRunningStatus")
	first := changed(w.all(), id)
	if first["config.changeTrackingEnabled"] != true || first["guest.ipAddress"] != "192.0.2.10" {
		t.Fatal(first)
	}
	control(t, v, "PATCH", "/vms/demo-vm", map[string]any{"changeTracking": false, "power": "off"}, nil)
	got := changed(w.all(), id)
	if got["config.changeTrackingEnabled"] != false || got["guest.ipAddress"] != "" || got["guest.toolsRunningStatus"] != "guestToolsNotRunning" {
		t.Errorf("%v", got)
	}
	if net, ok := got["guest.net"].(types.ArrayOfGuestNicInfo); !ok || len(net.GuestNicInfo) != 0 {
		t.Errorf("guest.net: %#v", got["guest.net"])
	}
	if got["runtime.powerState"] != types.VirtualMachinePowerStatePoweredOff {
		t.Errorf("%v", got)
	}
}

func TestStructuresThatBecomeUnsetAreReportedAndStayUnset(t *testing.T) {
	v := startDemo(t)
	vm := v.simulated(types.ManagedObjectReference{Type: "VirtualMachine", Value: shownNamed(t, v, "demo-vm").ID})
	v.background().WithLock(vm, func() {
		vm.Config.ManagedBy = &types.ManagedByInfo{ExtensionKey: "x", Type: "y"}
		v.model.Map().Update(v.background(), vm, []types.PropertyChange{{Name: "config.annotation", Val: "a"}})
	})
	c := login(t, v).Client
	whole, part := watch(t, c, true, "config.managedBy"), watch(t, c, true, "config.managedBy.type")
	whole.all()
	if got := changed(part.all(), vm.Self.Value); got["config.managedBy.type"] != "y" {
		t.Fatal(got)
	}
	v.background().WithLock(vm, func() {
		vm.Config.ManagedBy = nil
		v.model.Map().Update(v.background(), vm, []types.PropertyChange{{Name: "config.annotation", Val: "b"}})
	})
	for path, w := range map[string]*watcher{"config.managedBy": whole, "config.managedBy.type": part} {
		if val, ok := changed(w.all(), vm.Self.Value)[path]; !ok || val != nil {
			t.Errorf("%s: %v %v", path, ok, val)
		}
	}
	v.background().WithLock(vm, func() {
		if vm.Config.ManagedBy != nil {
			t.Error("reporting allocated it again")
		}
	})
}

// The simulator stops with a panic at a path that it doesn't know.
func TestEveryPathOfThePictureIsOneOfTheAPI(t *testing.T) {
	v := startDemo(t)
	for _, m := range v.machines {
		vm := v.simulated(m.ref)
		p := pictureOf(&vm.VirtualMachine)
		if len(p.text) < 150 {
			t.Errorf("only %d paths", len(p.text))
		}
		var changes []types.PropertyChange
		for path := range p.text {
			changes = append(changes, types.PropertyChange{Name: path})
		}
		for path := range p.unset {
			changes = append(changes, types.PropertyChange{Name: path})
		}
		mo.ApplyPropertyChange(&mo.VirtualMachine{ManagedEntity: mo.ManagedEntity{ExtensibleManagedObject: mo.ExtensibleManagedObject{Self: m.ref}}}, changes)
	}
}

func TestARenameReachesAllThreeNames(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	id := shownNamed(t, v, "demo-vm").ID
	w := watch(t, c, true, "name", "config.name", "summary.config.name")
	w.all()
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"name": "übersiedelt"}, nil)
	got := changed(w.all(), id)
	for _, path := range []string{"name", "config.name", "summary.config.name"} {
		if got[path] != "übersiedelt" {
			t.Errorf("%s: %v", path, got[path])
		}
	}
	if shownNamed(t, v, "übersiedelt").ID != id {
		t.Error("the control API knows the old name only")
	}
}

func TestVMsThatComeAndGoEnterAndLeaveOnce(t *testing.T) {
	for _, own := range []bool{true, false} {
		v := startDemo(t)
		c := login(t, v).Client
		w := watch(t, c, own, "name", "config.hardware.numCPU", "guest.hostName", "summary.config.vmPathName")
		if n := len(kinds(w.all())); n != 9 {
			t.Fatalf("%d VMs at first", n)
		}
		var added shownVM
		control(t, v, "POST", "/vms", VM{Name: "new one", CPUs: 2, HostName: "new", Power: "on",
			NICs: []NIC{{Network: "Backend"}}, Disks: []Disk{{Datastore: "nfs 1", Size: mib}}}, &added)
		updates := w.all()
		if got := kinds(updates); !equal(got, []string{"enter " + added.ID}) {
			t.Errorf("own %v: %v", own, got)
		}
		got := changed(updates, added.ID)
		want := map[string]any{"name": "new one", "config.hardware.numCPU": int32(2), "guest.hostName": "new",
			"summary.config.vmPathName": "[nfs 1] new one/new one.vmx"}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("own %v: %v", own, got)
		}
		control(t, v, "DELETE", "/vms/new%20one", nil, nil)
		if got := kinds(w.all()); !equal(got, []string{"leave " + added.ID}) {
			t.Errorf("own %v: %v", own, got)
		}
	}
}

func TestAVMThatComesAndGoesWhileNobodyLooksIsNotMissed(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	w := watch(t, c, true, "name")
	w.all()
	gone := shownNamed(t, v, "gpu-worker").ID
	var added shownVM
	control(t, v, "POST", "/vms", VM{Name: "stays"}, &added)
	control(t, v, "POST", "/vms", VM{Name: "comes and goes"}, nil)
	control(t, v, "DELETE", "/vms/comes%20and%20goes", nil, nil)
	control(t, v, "DELETE", "/vms/gpu-worker", nil, nil)
	got := kinds(w.all())
	sort.Strings(got)
	if !equal(got, []string{"enter " + added.ID, "leave " + gone}) {
		t.Error(got)
	}
}

func TestTwoSessionsBothHearOfAChange(t *testing.T) {
	v := startDemo(t)
	first := watch(t, login(t, v).Client, false, "config.annotation")
	first.all()
	second := watch(t, login(t, v).Client, false, "config.annotation")
	second.all()
	id := shownNamed(t, v, "demo-vm").ID
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"notes": "heard"}, nil)
	for i, w := range []*watcher{first, second} {
		if got := changed(w.all(), id); got["config.annotation"] != "heard" {
			t.Errorf("session %d: %v", i, got)
		}
	}
}

func TestVersionsAreNumberedAndAStaleOneIsRefused(t *testing.T) {
	v := startDemo(t)
	w := watch(t, login(t, v).Client, false, "name")
	w.page = 4
	var sizes []int
	for set := w.next(1); set != nil; set = w.next(1) {
		sizes = append(sizes, len(set.FilterSet[0].ObjectSet))
		if truncated := len(sizes) < 3; *set.Truncated != truncated {
			t.Errorf("page %d: truncated %v", len(sizes), *set.Truncated)
		}
	}
	if !reflect.DeepEqual(sizes, []int{4, 4, 1}) || w.version != "3" {
		t.Errorf("%v, version %s", sizes, w.version)
	}
	w.version = "2"
	if _, err := w.try(t.Context(), 0); faultOf(err) != "InvalidCollectorVersion" {
		t.Error(err)
	}
	// The empty version begins anew, with everything.
	w.version, w.page = "", 0
	if n := len(kinds(w.all())); n != 9 {
		t.Errorf("%d VMs after a new start", n)
	}
}

func TestAWaitEndsWithItsSession(t *testing.T) {
	v := startDemo(t)
	w := watch(t, login(t, v).Client, true, "name")
	w.all()
	ended := make(chan error)
	go func() {
		_, err := w.try(context.Background(), 30)
		ended <- err
	}()
	time.Sleep(200 * time.Millisecond)
	control(t, v, "DELETE", "/sessions", nil, nil)
	select {
	case err := <-ended:
		if faultOf(err) != "NotAuthenticated" {
			t.Error(err)
		}
	case <-time.After(3 * time.Second):
		t.Error("it still waits")
	}
}

func TestAWaitCanBeCancelled(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	w := watch(t, c, true, "name")
	w.all()
	ended := make(chan error)
	go func() {
		_, err := w.try(context.Background(), 30)
		ended <- err
	}()
	time.Sleep(200 * time.Millisecond)
	if _, err := methods.CancelWaitForUpdates(t.Context(), c, &types.CancelWaitForUpdates{This: w.collector}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; faultOf(err) != "RequestCanceled" {
		t.Error(err)
	}
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"name": "later"}, nil)
	if got := changed(w.all(), shownNamed(t, v, "later").ID); got["name"] != "later" {
		t.Errorf("after the cancel: %v", got)
	}
}

func TestChangesInManyPlacesAtOnceAreAllReported(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	w := watch(t, c, true, "config.annotation", "runtime.powerState")
	w.all()
	names := []string{"demo-vm", "gpu-worker", "legacy-db", "appliance"}
	done := make(chan bool)
	for _, name := range names {
		id := shownNamed(t, v, name).ID
		go func() {
			for _, note := range strings.Fields("a b c d e") {
				control(t, v, "PATCH", "/vms/"+id, map[string]string{"notes": note}, nil)
			}
			control(t, v, "PATCH", "/vms/"+id, map[string]string{"power": "off"}, nil)
			done <- true
		}()
	}
	var updates []types.ObjectUpdate
	for range names {
		updates = append(updates, w.all()...)
		<-done
	}
	updates = append(updates, w.all()...)
	for _, name := range names {
		got := changed(updates, shownNamed(t, v, name).ID)
		if got["config.annotation"] != "e" || got["runtime.powerState"] != types.VirtualMachinePowerStatePoweredOff {
			t.Errorf("%s: %v", name, got)
		}
	}
}
