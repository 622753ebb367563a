package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/soap"
)

func TestFaultsHitAsOftenAsAsked(t *testing.T) {
	v := startDemo(t)
	vm := vmNamed(t, v, login(t, v).Client, "demo-vm")
	ctx := t.Context()
	control(t, v, "POST", "/faults", faultRule{Method: "ShutdownGuest", Object: "demo-vm", Fault: "InvalidState", Message: "not <now>", Skip: 0, Count: 2}, nil)
	for range 2 {
		err := vm.ShutdownGuest(ctx)
		if faultOf(err) != "InvalidState" || soap.ToSoapFault(err).String != "not <now>" {
			t.Error(err)
		}
	}
	if err := vmNamed(t, v, login(t, v).Client, "gpu-worker").ShutdownGuest(ctx); err != nil {
		t.Error("another VM was hit: ", err)
	}
	if err := vm.ShutdownGuest(ctx); err != nil {
		t.Error(err)
	}
	var rules []faultRule
	control(t, v, "GET", "/faults", nil, &rules)
	if len(rules) != 1 || rules[0].Hits != 2 {
		t.Errorf("%+v", rules)
	}
	control(t, v, "DELETE", "/faults", nil, nil)
	if control(t, v, "GET", "/faults", nil, &rules); len(rules) != 0 {
		t.Errorf("%+v", rules)
	}
}

func TestATaskCanFailAfterItsCallSucceeded(t *testing.T) {
	v := startDemo(t)
	vm := vmNamed(t, v, login(t, v).Client, "build server")
	ctx := t.Context()
	control(t, v, "POST", "/faults", `{"method": "PowerOnVM_Task", "fault": "InsufficientResourcesFault", "inTask": true, "count": 1}`, nil)
	task, err := vm.PowerOn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Wait(ctx); err == nil || !strings.Contains(err.Error(), "InsufficientResourcesFault") {
		t.Error(err)
	}
	if err := wait(ctx)(vm.PowerOn(ctx)); err != nil {
		t.Error(err)
	}
}

func TestAMethodCanBeSlow(t *testing.T) {
	v := startDemo(t)
	vm := vmNamed(t, v, login(t, v).Client, "gpu-worker")
	control(t, v, "POST", "/faults", faultRule{Method: "ShutdownGuest", Delay: "400ms"}, nil)
	began := time.Now()
	if err := vm.ShutdownGuest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("%s", took)
	}
}

func TestBadRequestsAreRefusedWithAReason(t *testing.T) {
	v := startDemo(t)
	for _, x := range []struct {
		method, path, body string
		status             int
		reason             string
	}{
		{"GET", "/vms/none", "", 404, `no VM \"none\"`},
		{"GET", "/vms/web", "", 409, "2 VMs have the name"},
		{"POST", "/vms", `{"nmae": "x"}`, 400, "nmae"},
		{"POST", "/vms", `{"name": "x", "datacenter": "y"}`, 400, `no datacenter \"y\"`},
		{"PATCH", "/vms/demo-vm", `{"tools": "fine"}`, 400, "tools is one of"},
		{"PATCH", "/vms/demo-vm", `{"shutdown": "soon"}`, 400, "shutdown"},
		{"POST", "/vms/demo-vm/disks/2/flip", "", 404, "no disk 2"},
		{"POST", "/vms/demo-vm/disks/0/flip?offset=99999999", "", 400, "not in the disk"},
		{"POST", "/faults", `{"method": "X", "fault": "NoSuchFault"}`, 400, "NoSuchFault"},
		{"PUT", "/folder", `{"latency": "slow"}`, 400, "latency"},
		{"GET", "/events?since=x", "", 400, "since"},
	} {
		status, answer := tryControl(t, v, x.method, x.path, x.body)
		if status != x.status || !strings.Contains(string(answer), x.reason) {
			t.Errorf("%s %s: %d %s", x.method, x.path, status, answer)
		}
	}
}

func TestAByteCanBeFlipped(t *testing.T) {
	v := startDemo(t)
	path := shownNamed(t, v, "demo-vm").Disks[1].Path
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	control(t, v, "POST", "/vms/demo-vm/disks/1/flip?offset=12345", nil, nil)
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range before {
		if (before[i] != after[i]) != (i == 12345) {
			t.Fatalf("byte %d: %d, was %d", i, after[i], before[i])
		}
	}
}

func TestARemovedVMLeavesNoFileAndAnAddedOneHasItsOwn(t *testing.T) {
	v := startDemo(t)
	vm := VM{Name: "again", Power: "on", Snapshot: "s", Disks: []Disk{
		{Datastore: "vmfs-1", Size: mib}, {Datastore: "nfs 1", Size: mib, Content: []Span{{Length: 512, Kind: "random", Seed: 5}}}}}
	var first, second shownVM
	control(t, v, "POST", "/vms", vm, &first)
	control(t, v, "DELETE", "/vms/again", nil, nil)
	for _, d := range first.Disks {
		for _, file := range []string{d.Path, d.Descriptor} {
			if _, err := os.Stat(file); !os.IsNotExist(err) {
				t.Errorf("%s is left: %v", file, err)
			}
		}
	}
	if status, _ := tryControl(t, v, "GET", "/vms/again", nil); status != http.StatusNotFound {
		t.Error(status)
	}
	control(t, v, "POST", "/vms", vm, &second)
	if second.ID == first.ID || second.Disks[0].BaseFile != "[vmfs-1] again/again.vmdk" {
		t.Errorf("%+v", second)
	}
	// The same name in another folder lies in a directory of its own.
	vm.Folder = "elsewhere"
	control(t, v, "POST", "/vms", vm, &first)
	if first.Disks[0].BaseFile != "[vmfs-1] again_1/again.vmdk" {
		t.Errorf("%+v", first)
	}
}

func TestTheJournalShowsWhatChangedTheSourceAndNothingElse(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	vm := vmNamed(t, v, c, "build server")
	watch(t, c, true, "name").all()
	properties(t, vm, "name")
	if got := events(t, v, kindChange+","+kindData); len(got) != 0 {
		t.Errorf("a look changed something: %+v", got)
	}
	ctx := t.Context()
	if err := wait(ctx)(vm.CreateSnapshot(ctx, "x", "", false, false)); err != nil {
		t.Fatal(err)
	}
	got := events(t, v, kindChange)
	if len(got) != 1 || got[0].Method != "CreateSnapshot_Task" || got[0].VM != "build server" || got[0].User != testUser {
		t.Errorf("%+v", got)
	}
	var later []event
	control(t, v, "GET", "/events?since=999", nil, &later)
	if len(later) != 0 {
		t.Errorf("%+v", later)
	}
	var counted counters
	control(t, v, "GET", "/counters", nil, &counted)
	if counted.Calls["CreateSnapshot_Task"] != 1 || counted.Calls["WaitForUpdatesEx"] == 0 {
		t.Errorf("%+v", counted.Calls)
	}
	last := got[0].Seq
	control(t, v, "DELETE", "/events", nil, nil)
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"notes": "x"}, nil)
	if got = events(t, v, kindChange); len(got) != 1 || got[0].Seq <= last || got[0].User != controlUser || got[0].Method != "ReconfigVM_Task" {
		t.Errorf("%+v", got)
	}
}

func TestSessionsAreListedWithoutTheirKeys(t *testing.T) {
	v := startDemo(t)
	login(t, v)
	var sessions []shownSession
	control(t, v, "GET", "/sessions", nil, &sessions)
	if len(sessions) != 1 || sessions[0].User != testUser {
		t.Errorf("%+v", sessions)
	}
	if _, text := tryControl(t, v, "GET", "/sessions", nil); strings.Contains(string(text), v.list()[0].Key) {
		t.Error("the list gives a credential away")
	}
}
