package main

// Property changes in detail. The simulator changes many properties of a VM silently, or reports a part only; a real
// vCenter reports each path that changed. A flat picture of every VM shows what moved since the last report.

import (
	"encoding/json"
	"reflect"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// shadows keeps the last picture of each VM: property path → JSON text of the value.
type shadows struct {
	mu sync.Mutex
	of map[types.ManagedObjectReference]map[string]string
}

// put takes a VM's first picture.
func (s *shadows) put(vm *mo.VirtualMachine) {
	now := pictureOf(vm)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[types.ManagedObjectReference]map[string]string{}
	}
	s.of[vm.Self] = now.text
}

func (s *shadows) forget(ref types.ManagedObjectReference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, ref)
}

// changes are the paths that differ from the last picture and are not reported already.
func (s *shadows) changes(vm *mo.VirtualMachine, reported []types.PropertyChange) []types.PropertyChange {
	now := pictureOf(vm)
	s.mu.Lock()
	old := s.of[vm.Self]
	if old != nil {
		s.of[vm.Self] = now.text
	}
	s.mu.Unlock()
	if old == nil {
		return nil
	}
	known := map[string]bool{}
	for _, c := range reported {
		known[c.Name] = true
	}
	return difference(old, now, known)
}

// difference orders changes by path, but puts structures that became unset last: setting their parts to nothing makes
// the simulator allocate them again.
func difference(old map[string]string, now picture, known map[string]bool) []types.PropertyChange {
	var changes []types.PropertyChange
	gone := map[string]bool{}
	for path, text := range now.text {
		if was, ok := old[path]; (!ok || was != text) && !known[path] {
			changes = append(changes, types.PropertyChange{Name: path, Val: now.value[path].Interface()})
		}
	}
	for path := range old {
		if _, ok := now.text[path]; !ok && !known[path] {
			changes = append(changes, types.PropertyChange{Name: path})
			if parent := now.unsetAbove(path); parent != path {
				gone[parent] = true
			}
		}
	}
	sort.Slice(changes, func(i, j int) bool { return changes[i].Name < changes[j].Name })
	for parent := range gone {
		changes = append(changes, types.PropertyChange{Name: parent})
	}
	return changes
}

// picture is a VM's properties, flat: structures are followed, lists and scalars are leaves.
type picture struct {
	text  map[string]string
	value map[string]reflect.Value
	unset map[string]bool // structures and values that are absent
}

func pictureOf(vm *mo.VirtualMachine) picture {
	p := picture{text: map[string]string{}, value: map[string]reflect.Value{}, unset: map[string]bool{}}
	p.leaf("name", reflect.ValueOf(vm.Name))
	p.walk("config", reflect.ValueOf(vm.Config))
	p.walk("guest", reflect.ValueOf(vm.Guest))
	p.walk("runtime", reflect.ValueOf(vm.Runtime))
	p.walk("summary.config", reflect.ValueOf(vm.Summary.Config))
	p.walk("summary.guest", reflect.ValueOf(vm.Summary.Guest))
	p.walk("summary.runtime", reflect.ValueOf(vm.Summary.Runtime))
	for _, volatile := range []string{"config.changeVersion", "config.modified"} {
		delete(p.text, volatile) // the simulator reports these
		delete(p.value, volatile)
	}
	return p
}

var (
	timeType      = reflect.TypeFor[time.Time]()
	referenceType = reflect.TypeFor[types.ManagedObjectReference]()
)

func (p picture) walk(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			p.unset[path] = true
			return
		}
		p.walk(path, v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			p.unset[path] = true
			return
		}
		p.leaf(path, v)
	case reflect.Struct:
		if v.Type() == timeType || v.Type() == referenceType {
			p.leaf(path, v)
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Anonymous {
				p.walk(path, v.Field(i))
			} else if name := propertyName(f); name != "" {
				p.walk(path+"."+name, v.Field(i))
			}
		}
	default:
		p.leaf(path, v)
	}
}

// propertyName is a field's name in the API, which govmomi keeps in its tags.
func propertyName(f reflect.StructField) string {
	for _, tag := range []string{"json", "xml"} {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" {
			return name
		}
	}
	return ""
}

func (p picture) leaf(path string, v reflect.Value) {
	text := "null"
	if v.Kind() != reflect.Slice || v.Len() > 0 {
		encoded, err := json.Marshal(v.Interface())
		if err != nil {
			return
		}
		text = string(encoded)
	}
	p.text[path], p.value[path] = text, v
}

// unsetAbove is the outermost unset structure that a path lies in; the path itself when there is none above it.
func (p picture) unsetAbove(path string) string {
	for i := range path {
		if path[i] == '.' && p.unset[path[:i]] {
			return path[:i]
		}
	}
	return path
}
