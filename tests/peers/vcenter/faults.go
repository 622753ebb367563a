package main

// Faults and delays that tests ask for, per method.

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// faultRule makes calls fail, or slow, or both.
type faultRule struct {
	Method  string `json:"method"`            // "PowerOnVM_Task"; "*": all
	Object  string `json:"object,omitempty"`  // a VM's name, or any object's id; empty: all
	Fault   string `json:"fault,omitempty"`   // type of the fault, such as InvalidState; empty: only a delay
	Message string `json:"message,omitempty"` // its text
	InTask  bool   `json:"inTask,omitempty"`  // the call succeeds and its task fails: PowerOnVM_Task, PowerOffVM_Task
	Delay   string `json:"delay,omitempty"`   // how long the call takes, "500ms"
	Skip    int    `json:"skip,omitempty"`    // so many calls go through first
	Count   int    `json:"count,omitempty"`   // so many calls are hit; 0: all
	Hits    int    `json:"hits"`

	delay time.Duration
}

type faults struct {
	mu    sync.Mutex
	rules []*faultRule
}

func (f *faults) add(r *faultRule) error {
	if r.Method == "" {
		return fmt.Errorf("a fault needs a method")
	}
	if r.Fault != "" {
		if _, err := newFault(r.Fault, ""); err != nil {
			return err
		}
	}
	var err error
	if r.Delay != "" {
		if r.delay, err = time.ParseDuration(r.Delay); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, r)
	return nil
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

func (f *faults) all() []faultRule {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []faultRule{}
	for _, r := range f.rules {
		out = append(out, *r)
	}
	return out
}

// next is the fault of a call, after its delay; nil when it may go on.
func (f *faults) next(v *vCenter, m *simulator.Method) types.BaseMethodFault {
	delay, rule := f.match(m.Name, m.This, v.nameOf(m.This), false)
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-v.closing:
		}
	}
	if rule == nil {
		return nil
	}
	fault, _ := newFault(rule.Fault, rule.Message) // its type was checked when the rule was made
	return fault
}

// inTask is the fault that a call's task ends with; nil when it may do its work.
func (f *faults) inTask(v *vCenter, method string, of types.ManagedObjectReference) types.BaseMethodFault {
	_, rule := f.match(method, of, v.nameOf(of), true)
	if rule == nil {
		return nil
	}
	fault, _ := newFault(rule.Fault, rule.Message)
	return fault
}

// match adds up the delays of all rules that fit and takes the first fault.
func (f *faults) match(method string, of types.ManagedObjectReference, name string, inTask bool) (delay time.Duration, fault *faultRule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		fits := r.Method == "*" || r.Method == method
		if !fits || r.InTask != inTask || r.Object != "" && r.Object != name && r.Object != of.Value {
			continue
		}
		if r.Skip > 0 {
			r.Skip--
			continue
		}
		if r.Count > 0 && r.Hits >= r.Count || r.Fault != "" && fault != nil {
			continue
		}
		r.Hits++
		delay += r.delay
		if r.Fault != "" {
			fault = r
		}
	}
	return delay, fault
}

func newFault(name, message string) (types.BaseMethodFault, error) {
	kind, ok := types.TypeFunc()(name)
	if !ok {
		return nil, fmt.Errorf("no fault type %q", name)
	}
	value := reflect.New(kind)
	fault, ok := value.Interface().(types.BaseMethodFault)
	if !ok {
		return nil, fmt.Errorf("%q is no fault type", name)
	}
	if message != "" {
		fault.GetMethodFault().FaultMessage = []types.LocalizableMessage{{Key: "test", Message: message}}
	}
	return fault, nil
}
