package main

// The virtual hardware of a new VM, with device keys as real vCenters number them.

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// busKind is how a kind of controller and its disks are numbered.
type busKind struct {
	controller, disk int32  // key of the first controller, of its first disk
	perBus           int32  // distance between the disk keys of two controllers
	units            int32  // disks a controller takes
	name             string // in extraConfig keys
}

var busKinds = map[string]busKind{
	"scsi": {controller: 1000, disk: 2000, perBus: 16, units: 16, name: "scsi"},
	"ide":  {controller: 200, disk: 3000, perBus: 2, units: 2, name: "ide"},
	"sata": {controller: 15000, disk: 16000, perBus: 30, units: 30, name: "sata"},
	"nvme": {controller: 31000, disk: 32000, perBus: 15, units: 15, name: "nvme"},
}

const (
	pciController = 100  // key of every VM's PCI controller
	firstNIC      = 4000 // key of a VM's first network card
)

func busOf(controller string) busKind {
	if k, ok := busKinds[controller]; ok {
		return k
	}
	return busKinds["scsi"]
}

// assignKeys gives each disk its controller, unit and key: one bus of each controller type, more when it is full.
func assignKeys(m *machine) {
	type bus struct{ number, used int32 }
	buses := map[string]*bus{}
	next := map[string]int32{}
	for _, d := range m.disks {
		kind := busOf(d.spec.Controller)
		b := buses[d.spec.Controller]
		if b == nil || b.used == kind.units {
			b = &bus{number: next[kind.name]}
			next[kind.name]++
			buses[d.spec.Controller] = b
		}
		if kind.name == "scsi" && b.used == 7 {
			b.used++ // the controller's own id
		}
		d.unit, d.controller = b.used, kind.controller+b.number
		d.key = kind.disk + b.number*kind.perBus + d.unit
		b.used++
	}
}

// configSpec is the request that creates a VM.
func (v *vCenter) configSpec(ctx context.Context, m *machine) (types.VirtualMachineConfigSpec, error) {
	s := &m.spec
	config := types.VirtualMachineConfigSpec{
		Name: s.Name, GuestId: s.GuestID, Uuid: s.UUID, Annotation: s.Notes, Firmware: s.Firmware, Version: "vmx-19",
		Files:   &types.VirtualMachineFileInfo{VmPathName: m.home + "/" + sanitize(s.Name) + ".vmx"},
		NumCPUs: s.CPUs, NumCoresPerSocket: &s.CoresPerSocket, MemoryMB: s.MemoryMiB,
		CpuHotAddEnabled: &s.CPUHotAdd, CpuHotRemoveEnabled: new(bool), MemoryHotAddEnabled: &s.MemoryHotAdd,
		NestedHVEnabled: &s.NestedHV, ChangeTrackingEnabled: s.ChangeTracking,
		BootOptions: &types.VirtualMachineBootOptions{EfiSecureBootEnabled: &s.SecureBoot},
		Flags:       &types.VirtualMachineFlagInfo{DiskUuidEnabled: &s.DiskEnableUUID},
		ExtraConfig: extraConfig(m),
	}
	if len(s.CPUAffinity) > 0 {
		config.CpuAffinity = &types.VirtualMachineAffinityInfo{AffinitySet: s.CPUAffinity}
	}
	devices, err := v.devices(ctx, m)
	for _, d := range devices {
		config.DeviceChange = append(config.DeviceChange, &types.VirtualDeviceConfigSpec{
			Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: d,
		})
	}
	return config, err
}

func extraConfig(m *machine) []types.BaseOptionValue {
	var out []types.BaseOptionValue
	for _, d := range m.disks {
		kind := busOf(d.spec.Controller)
		key := fmt.Sprintf("%s%d:%d.ctkEnabled", kind.name, d.controller-kind.controller, d.unit)
		out = append(out, &types.OptionValue{Key: key, Value: strings.ToUpper(fmt.Sprint(*d.spec.ChangeTracking))})
	}
	if m.spec.DiskEnableUUID {
		out = append(out, &types.OptionValue{Key: "disk.EnableUUID", Value: "TRUE"})
	}
	return out
}

func (v *vCenter) devices(ctx context.Context, m *machine) ([]types.BaseVirtualDevice, error) {
	out := controllers(m)
	for i, d := range m.disks {
		out = append(out, &types.VirtualDisk{
			CapacityInBytes: int64(d.spec.Size), CapacityInKB: int64(d.spec.Size) / 1024,
			VirtualDevice: types.VirtualDevice{
				Key: d.key, ControllerKey: d.controller, UnitNumber: &d.unit, Backing: d.backing(0),
				DeviceInfo: &types.Description{Label: fmt.Sprintf("Hard disk %d", i+1)},
			},
		})
	}
	for i, n := range m.spec.NICs {
		card, err := v.nic(ctx, m.dc, n, int32(i))
		if err != nil {
			return nil, err
		}
		out = append(out, card)
	}
	names := m.spec.Devices
	if m.spec.TPM {
		names = append(names[:len(names):len(names)], "VirtualTPM")
	}
	for i, name := range names {
		d, err := otherDevice(name, int32(i))
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// controllers makes the controllers that the disks name. The two IDE ones every VM has already.
func controllers(m *machine) []types.BaseVirtualDevice {
	var out []types.BaseVirtualDevice
	made := map[int32]bool{}
	for _, d := range m.disks {
		kind := busOf(d.spec.Controller)
		if made[d.controller] || kind.name == "ide" {
			continue
		}
		made[d.controller] = true
		number := d.controller - kind.controller
		unit := 3 + number
		common := types.VirtualController{BusNumber: number, VirtualDevice: types.VirtualDevice{
			Key: d.controller, ControllerKey: pciController, UnitNumber: &unit,
		}}
		for _, other := range m.disks {
			if other.controller == d.controller {
				common.Device = append(common.Device, other.key)
			}
		}
		out = append(out, controller(d.spec.Controller, common))
	}
	return out
}

func controller(name string, common types.VirtualController) types.BaseVirtualDevice {
	scsi := types.VirtualSCSIController{VirtualController: common, SharedBus: types.VirtualSCSISharingNoSharing, ScsiCtlrUnitNumber: 7}
	switch name {
	case "sata":
		return &types.VirtualAHCIController{VirtualSATAController: types.VirtualSATAController{VirtualController: common}}
	case "nvme":
		return &types.VirtualNVMEController{VirtualController: common}
	case "lsilogic":
		return &types.VirtualLsiLogicController{VirtualSCSIController: scsi}
	case "lsilogic-sas":
		return &types.VirtualLsiLogicSASController{VirtualSCSIController: scsi}
	case "buslogic":
		return &types.VirtualBusLogicController{VirtualSCSIController: scsi}
	}
	return &types.ParaVirtualSCSIController{VirtualSCSIController: scsi}
}

func (v *vCenter) nic(ctx context.Context, dc *datacenter, n NIC, i int32) (types.BaseVirtualDevice, error) {
	backing, err := v.nicBacking(ctx, dc, n.Network)
	if err != nil {
		return nil, err
	}
	card := types.VirtualEthernetCard{
		MacAddress: n.MAC, AddressType: string(types.VirtualEthernetCardMacTypeAssigned), WakeOnLanEnabled: types.NewBool(true),
		VirtualDevice: types.VirtualDevice{
			Key: firstNIC + i, Backing: backing, SlotInfo: &types.VirtualDevicePciBusSlotInfo{PciSlotNumber: 192 + 32*i},
			DeviceInfo: &types.Description{Label: fmt.Sprintf("Network adapter %d", i+1)},
		},
	}
	if n.MAC != "" {
		card.AddressType = string(types.VirtualEthernetCardMacTypeManual)
	}
	switch n.Type {
	case "e1000":
		return &types.VirtualE1000{VirtualEthernetCard: card}, nil
	case "e1000e":
		return &types.VirtualE1000e{VirtualEthernetCard: card}, nil
	case "", "vmxnet3":
		return &types.VirtualVmxnet3{VirtualVmxnet: types.VirtualVmxnet{VirtualEthernetCard: card}}, nil
	}
	return nil, fmt.Errorf("NIC type is vmxnet3, e1000 or e1000e, not %q", n.Type)
}

// otherDevice makes a device of any type by its name in the API.
func otherDevice(name string, i int32) (types.BaseVirtualDevice, error) {
	kind, ok := types.TypeFunc()(name)
	if !ok {
		return nil, fmt.Errorf("no device type %q", name)
	}
	d, ok := reflect.New(kind).Interface().(types.BaseVirtualDevice)
	if !ok {
		return nil, fmt.Errorf("%q is no device type", name)
	}
	base := d.GetVirtualDevice()
	base.Key, base.ControllerKey = 13000+i, pciController
	return d, nil
}
