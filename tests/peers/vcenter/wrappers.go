package main

// Replaces objects of the simulator by ones of ours, per login session: the dispatcher prefers what lies in the
// session's own registry, and a wrapper whose first field is the simulator's object passes for it everywhere else.

import (
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// wrappers remembers which session registries hold a wrapper, so that a destroyed object goes from all of them.
type wrappers struct {
	mu   sync.Mutex
	held map[types.ManagedObjectReference][]*simulator.Registry
}

// wrap puts the wrapper of the call's object into the session, once.
func (v *vCenter) wrap(ctx *simulator.Context, m *simulator.Method) {
	switch m.This.Type {
	case "VirtualMachine":
		if vm, ok := ctx.Map.Get(m.This).(*simulator.VirtualMachine); ok {
			v.wrappers.put(ctx, m.This, &wrappedVM{VirtualMachine: vm, v: v})
		}
	case "VirtualMachineSnapshot":
		if s, ok := ctx.Map.Get(m.This).(*simulator.VirtualMachineSnapshot); ok {
			v.wrappers.put(ctx, m.This, &wrappedSnapshot{VirtualMachineSnapshot: s})
		}
	case "PropertyCollector":
		v.wrappers.mu.Lock()
		defer v.wrappers.mu.Unlock()
		if p, ok := ctx.Session.Get(m.This).(*simulator.PropertyCollector); ok {
			ctx.Session.Registry.Put(newCollector(v, p))
		}
	}
}

func (w *wrappers) put(ctx *simulator.Context, ref types.ManagedObjectReference, wrapper mo.Reference) {
	w.mu.Lock()
	defer w.mu.Unlock()
	registry := ctx.Session.Registry
	if registry.Get(ref) != nil {
		return
	}
	registry.Put(wrapper)
	if w.held == nil {
		w.held = map[types.ManagedObjectReference][]*simulator.Registry{}
	}
	w.held[ref] = append(w.held[ref], registry)
}

func (w *wrappers) forget(ctx *simulator.Context, ref types.ManagedObjectReference) {
	w.mu.Lock()
	held := w.held[ref]
	delete(w.held, ref)
	w.mu.Unlock()
	for _, registry := range held {
		registry.Remove(ctx, ref)
	}
}
