package main

// The journal: every call that changes something, every read of disk data, every change of power, every login. Tests ask
// it what happened to the source, and when.

import (
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// Kinds of events.
const (
	kindChange  = "change"  // a call that changes something
	kindData    = "data"    // a read of a file of a datastore
	kindPower   = "power"   // a VM's power state changed
	kindSession = "session" // login, refused login, logout, expiry
)

// control is the user of what the scenario and the control API do.
const controlUser = "control"

// event is one line of the journal. Fields that a kind doesn't use are left out.
type event struct {
	Seq    int64     `json:"seq"` // from 1, without gaps
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"`
	User   string    `json:"user,omitempty"` // of the session; "control" for the control API
	Method string    `json:"method,omitempty"`
	Object string    `json:"object,omitempty"` // managed object, "VirtualMachine:vm-62"
	VM     string    `json:"vm,omitempty"`     // name of the VM it is about
	VMID   string    `json:"vmId,omitempty"`

	From string `json:"from,omitempty"` // power state; empty for the first one known
	To   string `json:"to,omitempty"`

	Datacenter string `json:"datacenter,omitempty"` // of a read: dcPath as given
	File       string `json:"file,omitempty"`       // "[ds] dir/file"
	Range      string `json:"range,omitempty"`      // as asked
	Status     int    `json:"status,omitempty"`
	Bytes      int64  `json:"bytes"` // sent
	Error      string `json:"error,omitempty"`
}

// fileCount is what was read of one file.
type fileCount struct {
	Reads int64 `json:"reads"`
	Bytes int64 `json:"bytes"`
}

type journal struct {
	mu     sync.Mutex
	opened bool
	events []event
	last   int64
	calls  map[string]int64
	files  map[string]*fileCount
	state  map[types.ManagedObjectReference]types.VirtualMachinePowerState
	names  map[types.ManagedObjectReference]string
}

// open begins to record: the scenario's own making is no news. The first events are the power state of each VM.
func (j *journal) open() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.opened, j.events, j.last, j.calls = true, nil, 0, nil
	for ref, state := range j.state {
		j.append(event{Kind: kindPower, VM: j.names[ref], VMID: ref.Value, To: string(state), User: controlUser})
	}
}

// append needs the lock.
func (j *journal) append(e event) {
	if !j.opened {
		return
	}
	j.last++
	e.Seq = j.last
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	j.events = append(j.events, e)
}

func (j *journal) add(e event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.append(e)
}

// call records a call if it changes something, and counts it in any case.
func (j *journal) call(v *vCenter, s *simulator.Session, m *simulator.Method) {
	e := event{Kind: kindChange, Method: m.Name, Object: m.This.Type + ":" + m.This.Value, User: userOf(s)}
	if m.This.Type == "VirtualMachine" {
		e.VM, e.VMID = v.nameOf(m.This), m.This.Value
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.calls == nil {
		j.calls = map[string]int64{}
	}
	if !ours(s) && m.Name != "CurrentTime" { // which touch makes for each read of /folder
		j.calls[m.Name]++
	}
	switch {
	case m.Name == "Logout":
		e.Kind = kindSession
	case harmless(m.Name):
		return
	}
	j.append(e)
}

// power records a new power state.
func (j *journal) power(m *machine, name string, to types.VirtualMachinePowerState, user string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state == nil {
		j.state = map[types.ManagedObjectReference]types.VirtualMachinePowerState{}
		j.names = map[types.ManagedObjectReference]string{}
	}
	if name = or(name, m.spec.Name); name != "" {
		j.names[m.ref] = name
	}
	from := j.state[m.ref]
	j.state[m.ref] = to
	j.append(event{Kind: kindPower, VM: name, VMID: m.ref.Value, From: string(from), To: string(to), User: or(user, controlUser)})
}

func (j *journal) stateOf(ref types.ManagedObjectReference) types.VirtualMachinePowerState {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state[ref]
}

// read records a read of a datastore's file.
func (j *journal) read(e event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.Status < 400 {
		if j.files == nil {
			j.files = map[string]*fileCount{}
		}
		c := j.files[e.File]
		if c == nil {
			c = new(fileCount)
			j.files[e.File] = c
		}
		c.Reads++
		c.Bytes += e.Bytes
	}
	j.append(e)
}

// since returns the events after a number, of some kinds and of one VM, where these are given.
func (j *journal) since(seq int64, kinds []string, vm string) []event {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := []event{}
	for _, e := range j.events {
		if e.Seq > seq && (len(kinds) == 0 || contains(kinds, e.Kind)) && (vm == "" || vm == e.VM || vm == e.VMID) {
			out = append(out, e)
		}
	}
	return out
}

// clear forgets events and counts; sequence numbers go on.
func (j *journal) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events, j.calls, j.files = nil, nil, nil
}

func userOf(s *simulator.Session) string {
	if s == nil {
		return ""
	}
	return or(s.UserName, controlUser)
}

// harmless tells the calls that change nothing at the source.
func harmless(method string) bool {
	for _, prefix := range []string{"Retrieve", "ContinueRetrieve", "Query", "Find", "Fetch", "WaitForUpdates", "CheckForUpdates", "CancelWait",
		"CurrentTime", "SessionIsActive", "HasPrivilege", "HasUserPrivilege", "HttpNfcLeaseProgress", "Browse", "Read"} {
		if strings.HasPrefix(method, prefix) {
			return true
		}
	}
	switch method {
	// A session's own objects, and logins, which sessions.go records with their outcome.
	case "CreateContainerView", "CreateListView", "ModifyListView", "ResetListView", "DestroyView", "CreateFilter",
		"DestroyPropertyFilter", "CreatePropertyCollector", "DestroyPropertyCollector", "Login", "LoginByToken":
		return true
	}
	return false
}
