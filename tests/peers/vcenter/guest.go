package main

// What a guest's Tools report, which follows the power state.

import "github.com/vmware/govmomi/vim25/types"

// States of the Tools in scenarios and in the control API.
const (
	toolsRunning      = "running"
	toolsNotRunning   = "notRunning"
	toolsNotInstalled = "notInstalled"
)

// guestChanges are the guest properties of a VM that is on or off.
func (m *machine) guestChanges(on bool) []types.PropertyChange {
	running := on && m.spec.Tools == toolsRunning
	status, runningStatus, version := types.VirtualMachineToolsStatusToolsOk, "guestToolsRunning", "guestToolsCurrent"
	if !running {
		status, runningStatus = types.VirtualMachineToolsStatusToolsNotRunning, "guestToolsNotRunning"
	}
	if m.spec.Tools == toolsNotInstalled {
		status, version = types.VirtualMachineToolsStatusToolsNotInstalled, "guestToolsNotInstalled"
	}
	heartbeat, state := types.ManagedEntityStatusGray, "notRunning"
	if running {
		heartbeat, state = types.ManagedEntityStatusGreen, "running"
	}
	hostName, full, address := "", "", ""
	if m.spec.Tools != toolsNotInstalled {
		hostName = m.spec.HostName
	}
	if running {
		full, address = or(m.spec.GuestFullName, guestFullName(m.spec.GuestID)), m.spec.IPAddress
	}
	var changes []types.PropertyChange
	for _, prefix := range []string{"guest.", "summary.guest."} {
		changes = append(changes,
			types.PropertyChange{Name: prefix + "toolsStatus", Val: status},
			types.PropertyChange{Name: prefix + "toolsRunningStatus", Val: runningStatus},
			types.PropertyChange{Name: prefix + "toolsVersionStatus2", Val: version},
			types.PropertyChange{Name: prefix + "hostName", Val: hostName},
			types.PropertyChange{Name: prefix + "guestFullName", Val: full},
			types.PropertyChange{Name: prefix + "ipAddress", Val: address})
	}
	return append(changes,
		types.PropertyChange{Name: "guest.guestState", Val: state},
		types.PropertyChange{Name: "guestHeartbeatStatus", Val: heartbeat},
		types.PropertyChange{Name: "guest.net", Val: m.guestNet(running)},
		types.PropertyChange{Name: "guest.disk", Val: m.guestDisks(running)})
}

func (m *machine) guestNet(running bool) []types.GuestNicInfo {
	nets := []types.GuestNicInfo{}
	if !running {
		return nets
	}
	for i, n := range m.spec.NICs {
		info := types.GuestNicInfo{Network: n.Network, MacAddress: n.MAC, Connected: true, DeviceConfigId: firstNIC + int32(i)}
		if i == 0 && m.spec.IPAddress != "" {
			info.IpAddress = []string{m.spec.IPAddress}
			info.IpConfig = &types.NetIpConfigInfo{IpAddress: []types.NetIpConfigInfoIpAddress{{
				IpAddress: m.spec.IPAddress, PrefixLength: 24, Origin: "manual", State: "preferred",
			}}}
		}
		nets = append(nets, info)
	}
	return nets
}

func (m *machine) guestDisks(running bool) []types.GuestDiskInfo {
	disks := []types.GuestDiskInfo{}
	if !running {
		return disks
	}
	for _, g := range m.spec.GuestDisks {
		info := types.GuestDiskInfo{DiskPath: g.Path, Capacity: int64(g.Capacity), FreeSpace: int64(g.Free), FilesystemType: g.Filesystem}
		if g.Disk != nil && *g.Disk >= 0 && *g.Disk < len(m.disks) {
			info.Mappings = []types.GuestInfoVirtualDiskMapping{{Key: m.disks[*g.Disk].key}}
		}
		disks = append(disks, info)
	}
	return disks
}

// guestFullName is what vCenters show for a guest id.
func guestFullName(id string) string {
	known := map[string]string{
		"debian11_64Guest":       "Debian GNU/Linux 11 (64-bit)",
		"debian12_64Guest":       "Debian GNU/Linux 12 (64-bit)",
		"rhel6_64Guest":          "Red Hat Enterprise Linux 6 (64-bit)",
		"rhel7_64Guest":          "Red Hat Enterprise Linux 7 (64-bit)",
		"rhel8_64Guest":          "Red Hat Enterprise Linux 8 (64-bit)",
		"rhel9_64Guest":          "Red Hat Enterprise Linux 9 (64-bit)",
		"ubuntu64Guest":          "Ubuntu Linux (64-bit)",
		"otherLinux64Guest":      "Other Linux (64-bit)",
		"windows2019srv_64Guest": "Microsoft Windows Server 2019 (64-bit)",
	}
	return or(known[id], id)
}
