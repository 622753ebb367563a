package main

// The built-in scenario: a VM worth migrating, and neighbours that make rules fire.

const mib = 1 << 20

func demo(diskMiB int64) *Scenario {
	no := false
	small := func(datastore string) []Disk {
		return []Disk{{Datastore: datastore, Size: 8 * mib, Content: []Span{{Length: mib, Kind: "random", Seed: 99}}}}
	}
	nic := func(network string) []NIC { return []NIC{{Network: network}} }
	return &Scenario{Datacenters: []Datacenter{{
		Name:   "DC 1",
		Folder: "Europe",
		Clusters: []Cluster{
			{Name: "Production", DRS: true, HA: true, Hosts: []Host{{Name: "esx1.example.test"}, {Name: "esx2.example.test"}}},
			{Name: "Lab", Hosts: []Host{{Name: "esx3.example.test"}}},
		},
		Networks: []Network{
			{Name: "VM Network"},
			{Name: "Backend", Kind: "distributed"},
		},
		Datastores: []Datastore{
			{Name: "vmfs-1", Type: "VMFS"},
			{Name: "nfs 1", Type: "NFS"},
			{Name: "vsanDatastore", Type: "vsan"},
		},
		VMs: []VM{
			demoVM(Bytes(diskMiB * mib)),
			{Name: "gpu-worker", Cluster: "Lab", GuestID: "rhel8_64Guest", CPUs: 4, MemoryMiB: 8192, Power: "on",
				HostName: "gpu-worker.example.test", IPAddress: "192.0.2.20", Devices: []string{"VirtualPCIPassthrough"},
				NICs: nic("Backend"), Disks: small("vmfs-1")},
			{Name: "legacy-db", GuestID: "rhel6_64Guest", Power: "on", HostName: "localhost.localdomain", IPAddress: "192.0.2.21",
				ChangeTracking: &no, NICs: nic("VM Network"), Disks: append(small("vmfs-1"), small("nfs 1")...)},
			{Name: "appliance", GuestID: "otherLinux64Guest", Power: "on", Tools: toolsNotInstalled, NICs: nic("VM Network"), Disks: small("nfs 1")},
			{Name: "build server", GuestID: "ubuntu64Guest", Power: "off", Snapshot: "before upgrade", HostName: "build",
				NICs: nic("Backend"), Disks: small("vmfs-1")},
			{Name: "web", Folder: "prod", GuestID: "rhel9_64Guest", Firmware: "efi", SecureBoot: true, TPM: true, Power: "on",
				HostName: "web.example.test", IPAddress: "192.0.2.30", NICs: nic("Backend"), Disks: small("vmfs-1"), CPUHotAdd: true},
			{Name: "web", Folder: "test", GuestID: "rhel9_64Guest", HostName: "web-test", NICs: nic("VM Network"), Disks: small("vmfs-1")},
			{Name: "on vsan", GuestID: "windows2019srv_64Guest", HostName: "onvsan", NICs: nic("VM Network"), Disks: small("vsanDatastore"),
				Devices: []string{"VirtualUSBController"}, GuestDisks: []GuestDisk{{Path: `C:\`, Capacity: 8 * mib, Free: mib, Filesystem: "NTFS"}}},
			{Name: "golden-image", Folder: "templates", Template: true, GuestID: "debian11_64Guest", NICs: nic("VM Network"), Disks: small("nfs 1")},
		},
	}}}
}

// demoVM has holes, written zeros and random data on both disks, the first twice as long as the second.
func demoVM(size Bytes) VM {
	content := func(size Bytes, seed uint64) []Span {
		part := size / 16 &^ 511
		return []Span{
			{Offset: 0, Length: part, Kind: "random", Seed: seed},
			{Offset: 2 * part, Length: 2 * part, Kind: "zero"},
			{Offset: 5*part + 4096, Length: part, Kind: "random", Seed: seed + 1},
			{Offset: size - 512, Length: 512, Kind: "random", Seed: seed + 2},
		}
	}
	first, second := 0, 1
	half := size / 2 &^ 511
	return VM{
		Name: "demo-vm", Folder: "prod", Cluster: "Production", GuestID: "debian11_64Guest", CPUs: 2, MemoryMiB: 1024, Power: "on",
		HostName: "demo.example.test", IPAddress: "192.0.2.10", Shutdown: "1s", Notes: "migrate me",
		NICs: []NIC{{Network: "VM Network", MAC: "00:50:56:00:00:01"}, {Network: "Backend", MAC: "00:50:56:00:00:02"}},
		Disks: []Disk{
			{Datastore: "vmfs-1", Size: size, Content: content(size, 1)},
			{Datastore: "nfs 1", Size: half, Content: content(half, 11)},
		},
		GuestDisks: []GuestDisk{
			{Path: "/", Capacity: 10 << 30, Free: 6 << 30, Filesystem: "ext4", Disk: &first},
			{Path: "/var/lib/data", Capacity: 5 << 30, Free: 4 << 30, Filesystem: "ext4", Disk: &second},
		},
	}
}
