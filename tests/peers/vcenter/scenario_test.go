package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

func TestSizesAreNumbersOrHaveUnits(t *testing.T) {
	for text, want := range map[string]Bytes{"512": 512, `"512"`: 512, `"3KiB"`: 3 << 10, `"64MiB"`: 64 << 20, `"1 GiB"`: 1 << 30, `"2TiB"`: 2 << 40} {
		var got Bytes
		if err := decodeStrict([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %d %v", text, got, err)
		}
	}
	for _, text := range []string{`"64MB"`, `"x"`, `true`} {
		var got Bytes
		if err := decodeStrict([]byte(text), &got); err == nil {
			t.Errorf("%s: %d", text, got)
		}
	}
}

func TestAMistakeInAScenarioIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"datacenters":[{"nmae":"x"}]}`: "nmae",
		`{"datacenters":[]}`:             "no datacenter",
		`{"datacenters":[{"name":"x","hosts":[{"name":"h"}],"datastores":[{"name":"d"}],"vms":[{"name":"v","power":"up"}]}]}`:                                                                    "power",
		`{"datacenters":[{"name":"x","hosts":[{"name":"h"}],"datastores":[{"name":"d"}],"vms":[{"name":"v","disks":[{"datastore":"e","size":512}]}]}]}`:                                          `no datastore "e"`,
		`{"datacenters":[{"name":"x","hosts":[{"name":"h"}],"datastores":[{"name":"d"}],"vms":[{"name":"v","disks":[{"datastore":"d","size":512,"content":[{"length":513,"kind":"zero"}]}]}]}]}`: "outside",
		`{"datacenters":[{"name":"x","hosts":[{"name":"h"}],"datastores":[{"name":"d"}],"vms":[{"name":"v","nics":[{"network":"n"}]}]}]}`:                                                        `no network "n"`,
		`{"datacenters":[{"name":"x","hosts":[{"name":"h"}],"datastores":[{"name":"d"}],"vms":[{"name":"v","shutdown":"soon"}]}]}`:                                                               "shutdown",
	} {
		file := filepath.Join(t.TempDir(), "s.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := loadScenario(file, 0)
		if err == nil {
			_, err = start(options{listen: "127.0.0.1:0", control: "127.0.0.1:0", dir: t.TempDir(), user: "u", password: "p"}, s)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestContentHasHolesWrittenZerosAndData(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disk")
	content := []Span{
		{Offset: 0, Length: 1 << 20, Kind: "random", Seed: 7},
		{Offset: 2 << 20, Length: 1 << 20, Kind: "zero"},
		{Offset: 4096, Length: 65536, Kind: "hole"},
		{Offset: 3 << 20, Length: 512, Kind: "random", Seed: 7},
	}
	if err := writeContent(file, 8<<20, content); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil || len(data) != 8<<20 {
		t.Fatal(len(data), err)
	}
	nonzero := func(part []byte) (n int) {
		for _, b := range part {
			if b != 0 {
				n++
			}
		}
		return n
	}
	if n := nonzero(data[:4096]); n < 3900 {
		t.Errorf("%d bytes of 4096 are random", n)
	}
	if n := nonzero(data[4096 : 4096+65536]); n != 0 {
		t.Errorf("%d bytes in the hole", n)
	}
	if n := nonzero(data[1<<20 : 3<<20]); n != 0 {
		t.Errorf("%d bytes in zeros", n)
	}
	if string(data[:512]) != string(data[3<<20:3<<20+512]) {
		t.Error("the same seed gave other bytes")
	}
	var stat syscall.Stat_t
	if err := syscall.Stat(file, &stat); err != nil {
		t.Fatal(err)
	}
	// 2 MiB were written, 64 KiB of it punched out again; zeros take room, what is unwritten does not.
	if room := stat.Blocks * 512; room < 19<<16 || room > 9<<18 {
		t.Errorf("%d bytes allocated", room)
	}
}

func TestTheDemoIsWhatRulesNeed(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	ctx := t.Context()
	finder := find.NewFinder(c)
	dc, err := finder.Datacenter(ctx, "/Europe/DC 1")
	if err != nil {
		t.Fatal(err)
	}
	finder.SetDatacenter(dc)
	for name, want := range map[string]string{"vmfs-1": "VMFS", "nfs 1": "NFS", "vsanDatastore": "vsan"} {
		ds, err := finder.Datastore(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		var got mo.Datastore
		if err := ds.Properties(ctx, ds.Reference(), []string{"summary", "info"}, &got); err != nil {
			t.Fatal(err)
		}
		if got.Summary.Type != want {
			t.Errorf("%s: %s", name, got.Summary.Type)
		}
		switch info := got.Info.(type) {
		case *types.VmfsDatastoreInfo:
			if want != "VMFS" || info.Vmfs.Version != "6.82" {
				t.Errorf("%s: %+v", name, info)
			}
		case *types.NasDatastoreInfo:
			if want != "NFS" || info.Nas.RemoteHost == "" {
				t.Errorf("%s: %+v", name, info)
			}
		case *types.VsanDatastoreInfo:
			if want != "vsan" {
				t.Errorf("%s: %+v", name, info)
			}
		default:
			t.Errorf("%s: %T", name, info)
		}
	}
	for name, drs := range map[string]bool{"Production": true, "Lab": false} {
		cluster, err := finder.ClusterComputeResource(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		var got mo.ClusterComputeResource
		if err := cluster.Properties(ctx, cluster.Reference(), []string{"configuration", "configurationEx", "network"}, &got); err != nil {
			t.Fatal(err)
		}
		ex := got.ConfigurationEx.(*types.ClusterConfigInfoEx)
		if *got.Configuration.DrsConfig.Enabled != drs || *ex.DrsConfig.Enabled != drs || *ex.DpmConfigInfo.Enabled {
			t.Errorf("%s: %+v", name, got.Configuration)
		}
		if len(got.Network) < 2 {
			t.Errorf("%s sees %d networks", name, len(got.Network))
		}
	}
	vms, err := finder.VirtualMachineList(ctx, "/Europe/DC 1/vm/...")
	if err != nil || len(vms) != 9 {
		t.Fatal(len(vms), err)
	}
	var refs []types.ManagedObjectReference
	for _, vm := range vms {
		refs = append(refs, vm.Reference())
	}
	var all []mo.VirtualMachine
	if err := property.DefaultCollector(c).Retrieve(ctx, refs, []string{"name", "runtime", "config", "guest"}, &all); err != nil {
		t.Fatal(err)
	}
	named := map[string]int{}
	for _, vm := range all {
		named[vm.Name]++
		if vm.Runtime.FaultToleranceState == "" || vm.Runtime.RecordReplayState == "" {
			t.Errorf("%s has an empty enum", vm.Name)
		}
		devices := object.VirtualDeviceList(vm.Config.Hardware.Device)
		if passed := len(devices.SelectByType((*types.VirtualPCIPassthrough)(nil))); (vm.Name == "gpu-worker") != (passed == 1) {
			t.Errorf("%s has %d passthrough devices", vm.Name, passed)
		}
		if (vm.Name == "legacy-db") == *vm.Config.ChangeTrackingEnabled {
			t.Errorf("%s: change tracking %v", vm.Name, *vm.Config.ChangeTrackingEnabled)
		}
		if (vm.Name == "golden-image") != vm.Config.Template {
			t.Errorf("%s: template %v", vm.Name, vm.Config.Template)
		}
	}
	if named["web"] != 2 {
		t.Errorf("%v", named)
	}
}

func TestAScenarioCanHaveOddNamesBusesAndSharedDisks(t *testing.T) {
	v := startScenario(t, &Scenario{Version: "6.5.0", Datacenters: []Datacenter{{
		Name: "Süd & Co", Hosts: []Host{{Name: "alone"}},
		Networks:   []Network{{Name: "Grün"}, {Name: "dist", Kind: "distributed", Switch: "DVS 1"}, {Name: "dist 2", Kind: "distributed", Switch: "DVS 1"}},
		Datastores: []Datastore{{Name: "ds & co", Type: "NFS41", Capacity: 5 << 30}, {Name: "vs", Type: "vsan"}},
		VMs: []VM{
			{Name: "größte VM", Folder: "a/b", Firmware: "efi", SecureBoot: true, KeepsEmptyEnums: true, CPUAffinity: []int32{1, 2},
				NICs: []NIC{{Network: "Grün", Type: "e1000"}, {Network: "dist 2"}}, Disks: []Disk{
					{Datastore: "ds & co", Size: 1024, Controller: "sata"}, {Datastore: "vs", Size: 1024, Controller: "nvme"},
					{Datastore: "ds & co", Size: 1024, Controller: "ide"}, {Datastore: "ds & co", Size: 1024, RDM: "physicalMode"},
					{Datastore: "ds & co", Size: 1024, Mode: "independent_persistent", Thick: true}}},
			{Name: "sharer", Disks: []Disk{{File: "[ds & co] größte VM/größte VM.vmdk", Sharing: "sharingMultiWriter", Controller: "lsilogic"}}},
		},
	}}})
	c := login(t, v).Client
	if c.ServiceContent.About.ApiVersion != "6.5.0.0" {
		t.Error(c.ServiceContent.About.ApiVersion)
	}
	vm := vmNamed(t, v, c, "größte VM")
	got := properties(t, vm, "config", "runtime", "network")
	if got.Runtime.FaultToleranceState != "" || len(got.Network) != 2 || got.Config.CpuAffinity == nil {
		t.Errorf("%+v %+v", got.Runtime, got.Network)
	}
	var keys []int32
	for _, d := range object.VirtualDeviceList(got.Config.Hardware.Device).SelectByType((*types.VirtualDisk)(nil)) {
		keys = append(keys, d.GetVirtualDevice().Key)
	}
	if len(keys) != 5 || keys[0] != 16000 || keys[1] != 32000 || keys[2] != 3000 || keys[3] != 2000 || keys[4] != 2001 {
		t.Errorf("%v", keys)
	}
	shared := shownNamed(t, v, "sharer").Disks[0]
	if shared.Path != shownNamed(t, v, "größte VM").Disks[0].Path || shared.Key != 2000 {
		t.Errorf("%+v", shared)
	}
	at := folderURL(v, "Süd & Co", "ds & co", "größte VM/größte VM-flat.vmdk")
	if got := status(t, v, c, at); got != 200 {
		t.Errorf("%s: %d", at, got)
	}
}
