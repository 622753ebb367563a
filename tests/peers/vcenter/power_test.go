package main

import (
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

func TestAGuestShutsDownAfterItsDelay(t *testing.T) {
	v := startDemo(t)
	vm := vmNamed(t, v, login(t, v).Client, "demo-vm")
	began := time.Now()
	if err := vm.ShutdownGuest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state := properties(t, vm, "runtime.powerState").Runtime.PowerState; state != types.VirtualMachinePowerStatePoweredOn {
		t.Errorf("%s at once", state)
	}
	eventually(t, "it is off", func() bool {
		return properties(t, vm, "runtime.powerState").Runtime.PowerState == types.VirtualMachinePowerStatePoweredOff
	})
	if took := time.Since(began); took < time.Second {
		t.Errorf("off after %s, not after 1 s", took)
	}
	guest := properties(t, vm, "guest").Guest
	if guest.ToolsRunningStatus != "guestToolsNotRunning" || guest.IpAddress != "" || guest.HostName != "demo.example.test" {
		t.Errorf("%+v", guest)
	}
	eventually(t, "the journal has it", func() bool {
		seen := events(t, v, kindPower+"&vm=demo-vm")
		return len(seen) == 2 && seen[1].From == "poweredOn" && seen[1].To == "poweredOff" && seen[1].User == testUser
	})
}

func TestAGuestThatNeverShutsDownStaysOn(t *testing.T) {
	v := startDemo(t)
	vm := vmNamed(t, v, login(t, v).Client, "demo-vm")
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"shutdown": "never"}, nil)
	if err := vm.ShutdownGuest(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if power := shownNamed(t, v, "demo-vm").Power; power != "poweredOn" {
		t.Error(power)
	}
	// Somebody else's hand ends it late.
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"power": "off"}, nil)
	if seen := events(t, v, kindPower+"&vm=demo-vm"); seen[len(seen)-1].To != "poweredOff" || seen[len(seen)-1].User != controlUser {
		t.Errorf("%+v", seen)
	}
}

func TestAShutdownUnderWayDoesNotHitALaterRun(t *testing.T) {
	v := startDemo(t)
	vm := vmNamed(t, v, login(t, v).Client, "demo-vm")
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"shutdown": "300ms"}, nil)
	if err := vm.ShutdownGuest(t.Context()); err != nil {
		t.Fatal(err)
	}
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"power": "off"}, nil)
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"power": "on"}, nil)
	time.Sleep(500 * time.Millisecond)
	if power := shownNamed(t, v, "demo-vm").Power; power != "poweredOn" {
		t.Error(power)
	}
}

func TestAGuestWithoutToolsCannotBeShutDown(t *testing.T) {
	v := startDemo(t)
	vm := vmNamed(t, v, login(t, v).Client, "appliance")
	if err := vm.ShutdownGuest(t.Context()); faultOf(err) != "ToolsUnavailable" {
		t.Error(err)
	}
	if got := properties(t, vm, "guest.toolsStatus").Guest.ToolsStatus; got != types.VirtualMachineToolsStatusToolsNotInstalled {
		t.Error(got)
	}
}

func TestAStoppedGuestCannotBeShutDownAndARunningOneNotPoweredOn(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	if err := vmNamed(t, v, c, "build server").ShutdownGuest(t.Context()); faultOf(err) != "InvalidPowerState" {
		t.Error(err)
	}
	task, err := vmNamed(t, v, c, "demo-vm").PowerOn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Wait(t.Context()); err == nil {
		t.Error("a running VM was powered on")
	}
}

func TestPowerOffAndOnByAClientAreInTheJournal(t *testing.T) {
	v := startDemo(t)
	vm := vmNamed(t, v, login(t, v).Client, "gpu-worker")
	ctx := t.Context()
	if err := wait(ctx)(vm.PowerOff(ctx)); err != nil {
		t.Fatal(err)
	}
	if err := wait(ctx)(vm.PowerOn(ctx)); err != nil {
		t.Fatal(err)
	}
	calls := events(t, v, kindChange)
	if len(calls) != 2 || calls[0].Method != "PowerOffVM_Task" || calls[1].Method != "PowerOnVM_Task" || calls[0].VM != "gpu-worker" || calls[0].User != testUser {
		t.Errorf("%+v", calls)
	}
	timeline := events(t, v, kindPower+"&vm=gpu-worker")
	if len(timeline) != 3 || timeline[2].To != "poweredOn" {
		t.Errorf("%+v", timeline)
	}
}
