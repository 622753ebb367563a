package main

// What the tests share: a running vCenter, clients of it, a watcher of updates, and calls of the control API.

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const testUser, testPassword = "admin@test", "right"

func TestMain(m *testing.M) {
	if os.Getenv("VCENTER_TEST_RUN_MAIN") != "" {
		main()
		return
	}
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// startDemo starts the demo scenario with small disks.
func startDemo(t *testing.T) *vCenter { return startScenario(t, demo(4)) }

func startScenario(t *testing.T, s *Scenario) *vCenter {
	t.Helper()
	v, err := start(options{listen: "127.0.0.1:0", control: "127.0.0.1:0", dir: t.TempDir(), user: testUser, password: testPassword}, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.close)
	return v
}

// client is a client of the vCenter that trusts its certificate, without a login.
func client(t *testing.T, v *vCenter) *vim25.Client {
	t.Helper()
	return clientOf(t, v.ready())
}

func clientOf(t *testing.T, r ready) *vim25.Client {
	t.Helper()
	u, err := soap.ParseURL(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := soap.NewClient(u, false)
	if err := s.SetRootCAs(r.CA); err != nil {
		t.Fatal(err)
	}
	c, err := vim25.NewClient(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func login(t *testing.T, v *vCenter) *govmomi.Client {
	t.Helper()
	c := client(t, v)
	manager := session.NewManager(c)
	if err := manager.Login(t.Context(), url.UserPassword(testUser, testPassword)); err != nil {
		t.Fatal(err)
	}
	return &govmomi.Client{Client: c, SessionManager: manager}
}

// vmNamed is the VM's object for a client.
func vmNamed(t *testing.T, v *vCenter, c *vim25.Client, name string) *object.VirtualMachine {
	t.Helper()
	return object.NewVirtualMachine(c, types.ManagedObjectReference{Type: "VirtualMachine", Value: shownNamed(t, v, name).ID})
}

func shownNamed(t *testing.T, v *vCenter, name string) shownVM {
	t.Helper()
	var vm shownVM
	control(t, v, "GET", "/vms/"+url.PathEscape(name), nil, &vm)
	return vm
}

func properties(t *testing.T, vm *object.VirtualMachine, paths ...string) mo.VirtualMachine {
	t.Helper()
	var out mo.VirtualMachine
	if err := vm.Properties(t.Context(), vm.Reference(), paths, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// control calls the control API and expects success.
func control(t *testing.T, v *vCenter, method, path string, body, into any) {
	t.Helper()
	status, answer := tryControl(t, v, method, path, body)
	if status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatal(err)
		}
	}
}

func tryControl(t *testing.T, v *vCenter, method, path string, body any) (int, []byte) {
	t.Helper()
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	default:
		var err error
		if text, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, v.controlAt+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, got
}

// events are the journal's events of a kind.
func events(t *testing.T, v *vCenter, kind string) []event {
	t.Helper()
	var out []event
	control(t, v, "GET", "/events?kind="+kind, nil, &out)
	return out
}

// eventually waits for a condition, at most five seconds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatal("in vain waited until ", what)
}

// faultOf is the name of the fault's type.
func faultOf(err error) string {
	if !soap.IsSoapFault(err) {
		return fmt.Sprintf("no fault: %v", err)
	}
	return fmt.Sprintf("%T", soap.ToSoapFault(err).VimFault())[len("types."):]
}

// watcher follows properties of VMs, as an inventory does.
type watcher struct {
	t         *testing.T
	c         *vim25.Client
	collector types.ManagedObjectReference
	version   string
	page      int32
}

// watch follows all VMs with a collector of its own, or with the server's.
func watch(t *testing.T, c *vim25.Client, own bool, paths ...string) *watcher {
	t.Helper()
	ctx := t.Context()
	w := &watcher{t: t, c: c, collector: c.ServiceContent.PropertyCollector}
	if own {
		made, err := methods.CreatePropertyCollector(ctx, c, &types.CreatePropertyCollector{This: w.collector})
		if err != nil {
			t.Fatal(err)
		}
		w.collector = made.Returnval
	}
	view, err := methods.CreateContainerView(ctx, c, &types.CreateContainerView{
		This: *c.ServiceContent.ViewManager, Container: c.ServiceContent.RootFolder, Type: []string{"VirtualMachine"}, Recursive: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = methods.CreateFilter(ctx, c, &types.CreateFilter{This: w.collector, Spec: types.PropertyFilterSpec{
		ObjectSet: []types.ObjectSpec{{Obj: view.Returnval, Skip: types.NewBool(true), SelectSet: []types.BaseSelectionSpec{
			&types.TraversalSpec{Type: "ContainerView", Path: "view"},
		}}},
		PropSet: []types.PropertySpec{{Type: "VirtualMachine", PathSet: paths}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// next is the next set within the seconds given; nil when there is none.
func (w *watcher) next(seconds int32) *types.UpdateSet {
	w.t.Helper()
	set, err := w.try(w.t.Context(), seconds)
	if err != nil {
		w.t.Fatal(err)
	}
	return set
}

func (w *watcher) try(ctx context.Context, seconds int32) (*types.UpdateSet, error) {
	res, err := methods.WaitForUpdatesEx(ctx, w.c, &types.WaitForUpdatesEx{
		This: w.collector, Version: w.version, Options: &types.WaitOptions{MaxWaitSeconds: &seconds, MaxObjectUpdates: w.page},
	})
	if err != nil {
		return nil, err
	}
	if res.Returnval != nil {
		w.version = res.Returnval.Version
	}
	return res.Returnval, nil
}

// all collects what comes until nothing comes for five looks of 20 ms.
func (w *watcher) all() []types.ObjectUpdate {
	w.t.Helper()
	var out []types.ObjectUpdate
	for idle := 0; idle < 5; idle++ {
		if set := w.next(0); set != nil {
			idle = 0
			for _, f := range set.FilterSet {
				out = append(out, f.ObjectSet...)
			}
		}
	}
	return out
}

// changed is the last value per path that updates gave for an object.
func changed(updates []types.ObjectUpdate, id string) map[string]any {
	out := map[string]any{}
	for _, u := range updates {
		if u.Obj.Value == id {
			for _, c := range u.ChangeSet {
				out[c.Name] = c.Val
			}
		}
	}
	return out
}

// kinds lists the updates that aren't modifications.
func kinds(updates []types.ObjectUpdate) []string {
	out := []string{}
	for _, u := range updates {
		if u.Kind != types.ObjectUpdateKindModify {
			out = append(out, string(u.Kind)+" "+u.Obj.Value)
		}
	}
	return out
}

// folderURL is where a datastore's file is read.
func folderURL(v *vCenter, dcPath, datastore, file string) string {
	u, _ := url.Parse(v.url)
	u.Path = "/folder/" + file
	u.RawQuery = url.Values{"dcPath": {dcPath}, "dsName": {datastore}}.Encode()
	return u.String()
}

// get reads a URL of /folder with the cookies of a client, or with none.
func get(t *testing.T, v *vCenter, c *vim25.Client, method, at, byteRange string) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	if byteRange != "" {
		r.Header.Set("Range", byteRange)
	}
	if c != nil {
		u, _ := url.Parse(v.url)
		for _, cookie := range c.Jar.Cookies(u) {
			r.AddCookie(cookie)
		}
	}
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(v.ready().CA)
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate: ", err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

// status expects only an answer's status.
func status(t *testing.T, v *vCenter, c *vim25.Client, at string) int {
	t.Helper()
	answer, _, _ := get(t, v, c, "GET", at, "")
	return answer.StatusCode
}
