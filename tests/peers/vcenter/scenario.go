package main

// A scenario says what the vCenter looks like when it starts. The same VM shape is used by the control API.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Scenario is the whole inventory.
type Scenario struct {
	Version     string       `json:"version,omitempty"` // of the vCenter, default 7.0.3
	Datacenters []Datacenter `json:"datacenters"`
}

// Datacenter is one datacenter with all that lies in it.
type Datacenter struct {
	Name       string      `json:"name"`
	Folder     string      `json:"folder,omitempty"` // folders above it, "Europe" or "Europe/North"
	Clusters   []Cluster   `json:"clusters,omitempty"`
	Hosts      []Host      `json:"hosts,omitempty"` // stand-alone hosts
	Networks   []Network   `json:"networks,omitempty"`
	Datastores []Datastore `json:"datastores"`
	VMs        []VM        `json:"vms,omitempty"`
}

// Cluster is a compute cluster.
type Cluster struct {
	Name  string `json:"name"`
	DRS   bool   `json:"drs,omitempty"`
	HA    bool   `json:"ha,omitempty"`
	DPM   bool   `json:"dpm,omitempty"`
	Hosts []Host `json:"hosts"`
}

// Host is an ESXi host.
type Host struct {
	Name        string `json:"name"`
	Maintenance bool   `json:"maintenance,omitempty"`
}

// Network is a port group.
type Network struct {
	Name   string `json:"name"`
	Kind   string `json:"kind,omitempty"`   // standard (default) or distributed
	Switch string `json:"switch,omitempty"` // distributed switch, default DSwitch
}

// Datastore is a datastore that every host of its datacenter mounts.
type Datastore struct {
	Name     string `json:"name"`
	Type     string `json:"type,omitempty"`     // VMFS (default), NFS, NFS41, vsan, VVOL
	Capacity Bytes  `json:"capacity,omitempty"` // default 1 TiB
}

// VM is a virtual machine.
type VM struct {
	Name            string      `json:"name"`
	Datacenter      string      `json:"datacenter,omitempty"` // control API only; default the first
	Folder          string      `json:"folder,omitempty"`     // below the vm folder, "prod/web"
	Cluster         string      `json:"cluster,omitempty"`    // default the first cluster, else the first host
	Host            string      `json:"host,omitempty"`       // default the first of the cluster
	UUID            string      `json:"uuid,omitempty"`       // BIOS UUID
	Template        bool        `json:"template,omitempty"`
	GuestID         string      `json:"guestId,omitempty"`       // default debian11_64Guest
	GuestFullName   string      `json:"guestFullName,omitempty"` // default by guestId
	Firmware        string      `json:"firmware,omitempty"`      // bios (default) or efi
	SecureBoot      bool        `json:"secureBoot,omitempty"`
	TPM             bool        `json:"tpm,omitempty"`
	CPUs            int32       `json:"cpus,omitempty"` // default 1
	CoresPerSocket  int32       `json:"coresPerSocket,omitempty"`
	MemoryMiB       int64       `json:"memoryMiB,omitempty"` // default 1024
	CPUHotAdd       bool        `json:"cpuHotAdd,omitempty"`
	MemoryHotAdd    bool        `json:"memoryHotAdd,omitempty"`
	NestedHV        bool        `json:"nestedHV,omitempty"`
	CPUAffinity     []int32     `json:"cpuAffinity,omitempty"`
	DiskEnableUUID  bool        `json:"diskEnableUuid,omitempty"`
	Notes           string      `json:"notes,omitempty"`
	Power           string      `json:"power,omitempty"`          // on, off (default), suspended
	Tools           string      `json:"tools,omitempty"`          // running (default), notRunning, notInstalled
	Shutdown        string      `json:"shutdown,omitempty"`       // how long a guest shutdown takes ("2s"), or never; default at once
	ChangeTracking  *bool       `json:"changeTracking,omitempty"` // default true
	Snapshot        string      `json:"snapshot,omitempty"`       // name of a snapshot it has
	HostName        string      `json:"hostName,omitempty"`
	IPAddress       string      `json:"ipAddress,omitempty"` // of the first NIC, while Tools run
	Devices         []string    `json:"devices,omitempty"`   // further devices by type, such as VirtualPCIPassthrough
	NICs            []NIC       `json:"nics,omitempty"`
	Disks           []Disk      `json:"disks,omitempty"`
	GuestDisks      []GuestDisk `json:"guestDisks,omitempty"`
	KeepsEmptyEnums bool        `json:"keepsEmptyEnums,omitempty"` // leaves the simulator's two empty enum values, to test a tolerant decoder
}

// NIC is a network card.
type NIC struct {
	Network string `json:"network"`
	MAC     string `json:"mac,omitempty"`
	Type    string `json:"type,omitempty"` // vmxnet3 (default), e1000, e1000e
}

// Disk is a virtual disk with its content.
type Disk struct {
	Datastore      string `json:"datastore"`
	Size           Bytes  `json:"size"`
	Controller     string `json:"controller,omitempty"`     // pvscsi (default), lsilogic, lsilogic-sas, buslogic, sata, nvme, ide
	Mode           string `json:"mode,omitempty"`           // default persistent
	Sharing        string `json:"sharing,omitempty"`        // sharingNone (default), sharingMultiWriter
	Thick          bool   `json:"thick,omitempty"`          // default thin
	RDM            string `json:"rdm,omitempty"`            // physicalMode or virtualMode
	ChangeTracking *bool  `json:"changeTracking,omitempty"` // default the VM's
	File           string `json:"file,omitempty"`           // an existing disk, "[ds] dir/x.vmdk", shared with another VM
	Content        []Span `json:"content,omitempty"`
}

// Span is a part of a disk's content. What no span names is a hole; later spans win.
type Span struct {
	Offset Bytes  `json:"offset"`
	Length Bytes  `json:"length"`
	Kind   string `json:"kind"`           // random, zero (written, so allocated), hole
	Seed   uint64 `json:"seed,omitempty"` // of random
}

// GuestDisk is a file system as Tools report it.
type GuestDisk struct {
	Path       string `json:"path"`
	Capacity   Bytes  `json:"capacity"`
	Free       Bytes  `json:"free"`
	Filesystem string `json:"filesystem,omitempty"`
	Disk       *int   `json:"disk,omitempty"` // index of the disk it lies on; none: no mapping is reported
}

// Bytes is a size in bytes: a JSON number, or a string such as "64MiB".
type Bytes int64

// UnmarshalJSON reads both forms.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var n int64
	if err := json.Unmarshal(data, &n); err == nil {
		*b = Bytes(n)
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("a size is a number of bytes or a string such as \"64MiB\", not %s", data)
	}
	number, unit := strings.TrimRight(s, "KMGTiB"), int64(1)
	switch s[len(number):] {
	case "", "B":
	case "KiB":
		unit = 1 << 10
	case "MiB":
		unit = 1 << 20
	case "GiB":
		unit = 1 << 30
	case "TiB":
		unit = 1 << 40
	default:
		return fmt.Errorf("size %q: the unit is one of B, KiB, MiB, GiB, TiB", s)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil {
		return fmt.Errorf("size %q: %w", s, err)
	}
	*b = Bytes(n * unit)
	return nil
}

// loadScenario reads a scenario file; "demo" is the built-in one.
func loadScenario(name string, diskMiB int64) (*Scenario, error) {
	if name == "demo" {
		return demo(diskMiB), nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	s := new(Scenario)
	if err := decodeStrict(text, s); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", name, err)
	}
	return s, nil
}

// decodeStrict refuses unknown fields: a misspelt one would silently test nothing.
func decodeStrict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// shutdownDelay is how long a guest shutdown takes; never is true when it does not end.
func (vm *VM) shutdownDelay() (delay time.Duration, never bool, err error) {
	switch vm.Shutdown {
	case "":
		return 0, false, nil
	case "never":
		return 0, true, nil
	}
	delay, err = time.ParseDuration(vm.Shutdown)
	return delay, false, err
}

// complete fills in defaults and checks what a typing error would spoil.
func (vm *VM) complete() error {
	if vm.Name == "" {
		return fmt.Errorf("a VM has no name")
	}
	vm.GuestID = or(vm.GuestID, "debian11_64Guest")
	vm.Firmware = or(vm.Firmware, "bios")
	vm.CPUs = or(vm.CPUs, 1)
	vm.CoresPerSocket = or(vm.CoresPerSocket, 1)
	vm.MemoryMiB = or(vm.MemoryMiB, 1024)
	vm.Power = or(vm.Power, "off")
	vm.Tools = or(vm.Tools, toolsRunning)
	if vm.ChangeTracking == nil {
		vm.ChangeTracking = new(bool)
		*vm.ChangeTracking = true
	}
	for _, choice := range []struct{ field, value, allowed string }{
		{"power", vm.Power, "on off suspended"},
		{"tools", vm.Tools, toolsRunning + " " + toolsNotRunning + " " + toolsNotInstalled},
		{"firmware", vm.Firmware, "bios efi"},
	} {
		if !contains(strings.Fields(choice.allowed), choice.value) {
			return fmt.Errorf("VM %q: %s is one of %s, not %q", vm.Name, choice.field, choice.allowed, choice.value)
		}
	}
	if _, _, err := vm.shutdownDelay(); err != nil {
		return fmt.Errorf("VM %q: shutdown is a duration or never: %w", vm.Name, err)
	}
	for i := range vm.Disks {
		if err := vm.Disks[i].complete(vm); err != nil {
			return fmt.Errorf("VM %q, disk %d: %w", vm.Name, i, err)
		}
	}
	return nil
}

func (d *Disk) complete(vm *VM) error {
	d.Controller = or(d.Controller, "pvscsi")
	d.Mode = or(d.Mode, "persistent")
	if d.ChangeTracking == nil {
		d.ChangeTracking = vm.ChangeTracking
	}
	if d.Size < 0 || d.Size%512 != 0 {
		return fmt.Errorf("size %d is no whole number of sectors", d.Size)
	}
	for _, s := range d.Content {
		if s.Offset < 0 || s.Length < 0 || s.Offset+s.Length > d.Size {
			return fmt.Errorf("content at %d+%d is outside of the disk's %d bytes", s.Offset, s.Length, d.Size)
		}
		if !contains([]string{"random", "zero", "hole"}, s.Kind) {
			return fmt.Errorf("content kind %q is none of random, zero, hole", s.Kind)
		}
	}
	return nil
}

func or[T comparable](value, other T) T {
	var zero T
	if value == zero {
		return other
	}
	return value
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
