package main

// Property collectors as real servers have them: numbered versions, a wait that ends with its session, changes for every
// session that waits, objects entering and leaving once. The simulator's own collector computes the updates.

import (
	"strconv"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type collector struct {
	*simulator.PropertyCollector
	v        *vCenter
	last     int // number of the last answer
	known    map[types.ManagedObjectReference]map[types.ManagedObjectReference]bool
	removals int64 // of the vCenter, when leaves were last looked for
	relayed  *relay

	mu     sync.Mutex
	cancel chan struct{}
}

func newCollector(v *vCenter, p *simulator.PropertyCollector) *collector {
	return &collector{PropertyCollector: p, v: v, known: map[types.ManagedObjectReference]map[types.ManagedObjectReference]bool{}}
}

// WaitForUpdatesEx numbers its answers; a version that isn't the last one is refused.
func (c *collector) WaitForUpdatesEx(ctx *simulator.Context, r *types.WaitForUpdatesEx) soap.HasFault {
	switch n, err := strconv.Atoi(r.Version); {
	case r.Version == "":
		c.restart(ctx)
	case err != nil || n == 0 || n != c.last:
		return &methods.WaitForUpdatesExBody{Fault_: simulator.Fault("", new(types.InvalidCollectorVersion))}
	}
	set, fault := c.wait(ctx, r)
	if fault != nil {
		return &methods.WaitForUpdatesExBody{Fault_: fault}
	}
	if r.Version == "" {
		c.relay(ctx)
	}
	if set != nil {
		c.last++
		set.Version = strconv.Itoa(c.last)
	}
	return &methods.WaitForUpdatesExBody{Res: &types.WaitForUpdatesExResponse{Returnval: set}}
}

// wait looks again and again, rather than inside of the simulator, so that the end of the session or of the server ends it.
func (c *collector) wait(ctx *simulator.Context, r *types.WaitForUpdatesEx) (*types.UpdateSet, *soap.Fault) {
	cancelled := c.cancelable()
	var deadline <-chan time.Time
	if r.Options != nil && r.Options.MaxWaitSeconds != nil {
		timer := time.NewTimer(time.Duration(*r.Options.MaxWaitSeconds) * time.Second)
		defer timer.Stop()
		deadline = timer.C
	}
	for {
		set, fault := c.look(ctx, r)
		if fault != nil || set != nil {
			return set, fault
		}
		if !c.v.alive(ctx.Session.Key) {
			return nil, simulator.Fault("", &types.NotAuthenticated{NoPermission: types.NoPermission{Object: &c.Self, PrivilegeId: "System.View"}})
		}
		select {
		case <-cancelled:
			return nil, simulator.Fault("", new(types.RequestCanceled))
		case <-c.v.closing:
			return nil, simulator.Fault("", new(types.RequestCanceled))
		case <-deadline:
			return nil, nil
		default: // looking takes 20 ms
		}
	}
}

// look asks the simulator once. Its set may be one that it keeps as a pending page: answers are made on copies.
func (c *collector) look(ctx *simulator.Context, r *types.WaitForUpdatesEx) (*types.UpdateSet, *soap.Fault) {
	c.v.changing.RLock()
	defer c.v.changing.RUnlock()
	options := types.WaitOptions{MaxWaitSeconds: new(int32)}
	if r.Options != nil {
		options.MaxObjectUpdates = r.Options.MaxObjectUpdates
	}
	q := types.WaitForUpdatesEx{This: r.This, Version: r.Version, Options: &options}
	if q.Version != "" {
		q.Version = "-"
	}
	removals := c.v.removals.Load()
	body := c.PropertyCollector.WaitForUpdatesEx(ctx, &q).(*methods.WaitForUpdatesExBody)
	if body.Fault_ != nil {
		return nil, body.Fault_
	}
	set := types.UpdateSet{Truncated: types.NewBool(false)}
	if got := body.Res.Returnval; got != nil {
		if got.Truncated != nil {
			set.Truncated = got.Truncated
		}
		for _, f := range got.FilterSet {
			if f.ObjectSet = c.once(f); len(f.ObjectSet) > 0 {
				set.FilterSet = append(set.FilterSet, f)
			}
		}
	}
	if removals != c.removals && !*set.Truncated {
		set.FilterSet = append(set.FilterSet, c.lost(ctx)...)
		c.removals = removals
	}
	if len(set.FilterSet) == 0 && !*set.Truncated && r.Version != "" {
		return nil, nil
	}
	return &set, nil
}

// once drops objects that enter again: the simulator starts a filter anew when a view changes. What they changed follows
// as a modification in the same set.
func (c *collector) once(f types.PropertyFilterUpdate) []types.ObjectUpdate {
	known := c.known[f.Filter]
	if known == nil {
		known = map[types.ManagedObjectReference]bool{}
		c.known[f.Filter] = known
	}
	var out []types.ObjectUpdate
	for _, o := range f.ObjectSet {
		switch o.Kind {
		case types.ObjectUpdateKindEnter:
			if known[o.Obj] {
				continue
			}
			known[o.Obj] = true
		case types.ObjectUpdateKindLeave:
			if !known[o.Obj] {
				continue
			}
			delete(known, o.Obj)
		}
		out = append(out, o)
	}
	return out
}

// lost finds objects whose leaving the simulator forgot, which it does when a view changed in the same moment.
func (c *collector) lost(ctx *simulator.Context) []types.PropertyFilterUpdate {
	var out []types.PropertyFilterUpdate
	for filter, known := range c.known {
		update := types.PropertyFilterUpdate{Filter: filter}
		for ref := range known {
			if ctx.Session.Get(ref) == nil {
				delete(known, ref)
				update.ObjectSet = append(update.ObjectSet, types.ObjectUpdate{Kind: types.ObjectUpdateKindLeave, Obj: ref})
			}
		}
		if len(update.ObjectSet) > 0 {
			out = append(out, update)
		}
	}
	return out
}

// restart makes the empty version report everything again: the simulator remembers what it reported. Its filters are
// made anew under their old names, and pages that wait are thrown away.
func (c *collector) restart(ctx *simulator.Context) {
	if c.last == 0 {
		return
	}
	c.last = 0
	clear(c.known)
	for pending := true; pending; {
		q := types.WaitForUpdatesEx{This: c.Self, Version: "-", Options: &types.WaitOptions{MaxWaitSeconds: new(int32)}}
		body := c.PropertyCollector.WaitForUpdatesEx(ctx, &q).(*methods.WaitForUpdatesExBody)
		pending = body.Res != nil && body.Res.Returnval != nil && body.Res.Returnval.Truncated != nil && *body.Res.Returnval.Truncated
	}
	filters := c.Filter
	c.Filter = nil
	for _, ref := range filters {
		old, ok := ctx.Session.Get(ref).(*simulator.PropertyFilter)
		if !ok {
			continue
		}
		body := c.PropertyCollector.CreateFilter(ctx, &types.CreateFilter{This: c.Self, Spec: old.Spec, PartialUpdates: old.PartialUpdates})
		made := body.(*methods.CreateFilterBody).Res.Returnval
		filter := ctx.Session.Get(made).(*simulator.PropertyFilter)
		ctx.Map.RemoveHandler(filter)
		ctx.Session.Registry.Remove(ctx, made)
		filter.Self = ref
		ctx.Session.Registry.Put(filter)
		ctx.Map.AddHandler(filter)
	}
	c.Filter = filters
}

// CancelWaitForUpdates ends a wait in flight.
func (c *collector) CancelWaitForUpdates(*types.CancelWaitForUpdates) soap.HasFault {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		close(c.cancel)
		c.cancel = nil
	}
	return &methods.CancelWaitForUpdatesBody{Res: new(types.CancelWaitForUpdatesResponse)}
}

func (c *collector) cancelable() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel == nil {
		c.cancel = make(chan struct{})
	}
	return c.cancel
}

// relay brings changes to the session's copy of the server's collector. All copies have one name, and the registry
// keeps one listener a name: without this only the session that came last would hear of changes.
type relay struct {
	*simulator.PropertyCollector
	self types.ManagedObjectReference
}

// Reference is the listener's own name.
func (r *relay) Reference() types.ManagedObjectReference { return r.self }

func (c *collector) relay(ctx *simulator.Context) {
	if c.Self != c.v.model.ServiceContent.PropertyCollector {
		return
	}
	ctx.Map.RemoveHandler(c.PropertyCollector)
	if c.relayed == nil {
		c.relayed = &relay{c.PropertyCollector, types.ManagedObjectReference{Type: "Relay", Value: ctx.Session.Key}}
		ctx.Map.AddHandler(c.relayed)
	}
}
