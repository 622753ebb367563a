package main

// The simulated vCenter as a whole: what it is made of, how it starts and ends. The simulator does the protocol; hooks
// of ours (hooks.go) make it behave as a real server where tests depend on it.

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/vpx"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

// options say where the vCenter listens and who may log in.
type options struct {
	listen, control string
	dir             string // data directory: certificate and disk files
	user, password  string
	idle            time.Duration // after which a session ends; 0: never
}

// vCenter is a running simulated vCenter.
type vCenter struct {
	options  options
	model    *simulator.Model
	client   *vim25.Client // in process, without a login: the hand of "somebody else"
	journal  journal
	sessions sessionCounts
	faults   faults
	folder   folderBehaviour
	shadows  shadows
	wrappers wrappers

	// changing is held for writing while objects are made or removed by us, and for reading while a collector looks, so
	// that no client sees half a VM.
	changing sync.RWMutex
	removals atomic.Int64 // objects removed so far: collectors look for missing ones when it moves

	mu         sync.Mutex
	machines   map[types.ManagedObjectReference]*machine
	datastores []*datastore
	inventory  map[string]*datacenter // by inventory path without a leading slash

	closing   chan struct{}
	server    *http.Server
	controls  *http.Server
	url       string
	controlAt string
	cert      tls.Certificate
}

// start builds the scenario and opens both listeners.
func start(o options, s *Scenario) (*vCenter, error) {
	if err := prepareDir(o.dir); err != nil {
		return nil, err
	}
	v := &vCenter{
		options:   o,
		machines:  map[types.ManagedObjectReference]*machine{},
		inventory: map[string]*datacenter{},
		closing:   make(chan struct{}),
	}
	var err error
	if v.cert, err = certificate(o.dir); err != nil {
		return nil, err
	}
	if err := v.createModel(s); err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	if err := v.build(context.Background(), s); err != nil {
		v.model.Remove()
		return nil, fmt.Errorf("build the scenario: %w", err)
	}
	v.journal.open()
	if err := v.serve(); err != nil {
		v.model.Remove()
		return nil, err
	}
	return v, nil
}

// prepareDir empties what a former run left, except the certificate.
func prepareDir(dir string) error {
	for _, sub := range []string{"datastores", "content", "tmp"} {
		if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
			return fmt.Errorf("empty the data directory: %w", err)
		}
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return fmt.Errorf("prepare the data directory: %w", err)
		}
	}
	return nil
}

// create lets the simulator put its home below the data directory, so that a killed run leaves nothing elsewhere. It
// knows only the process's temporary directory.
func create(m *simulator.Model, dir string) error {
	was, set := os.LookupEnv("TMPDIR")
	if err := os.Setenv("TMPDIR", filepath.Join(dir, "tmp")); err != nil {
		return err
	}
	err := m.Create()
	if set {
		return errors.Join(err, os.Setenv("TMPDIR", was))
	}
	return errors.Join(err, os.Unsetenv("TMPDIR"))
}

func (v *vCenter) createModel(s *Scenario) error {
	m := simulator.VPX()
	m.Datacenter = 0 // ours are built from the scenario
	version := or(s.Version, "7.0.3")
	m.ServiceContent = vpx.ServiceContent
	about := &m.ServiceContent.About
	about.Version, about.ApiVersion, about.Build = version, version+".0", "19717403"
	about.FullName = fmt.Sprintf("%s %s build-%s", about.Name, version, about.Build)
	if err := create(m, v.options.dir); err != nil {
		return err
	}
	v.model = m
	client, err := vim25.NewClient(context.Background(), m.Service)
	if err != nil {
		return err
	}
	v.client = client
	registry := m.Map()
	registry.AddHandler(&hooks{v})
	registry.Handler = v.before
	registry.SessionManager().ValidLogin = v.validLogin
	if v.options.idle > 0 {
		v.setIdle()
	}
	return nil
}

func (v *vCenter) serve() error {
	listener, err := net.Listen("tcp", v.options.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	control, err := net.Listen("tcp", v.options.control)
	if err != nil {
		return fmt.Errorf("listen for control: %w", err)
	}
	address := listener.Addr().String()
	v.url, v.controlAt = "https://"+address+"/sdk", "http://"+control.Addr().String()

	service := v.model.Service
	service.Listen = &url.URL{Scheme: "https", Host: address, Path: "/sdk", User: url.UserPassword(v.options.user, v.options.password)}
	service.RegisterSDK(v.model.Map()) // into the service's own mux, which we don't serve
	v.model.Map().SessionManager().ServiceHostName = address

	mux := http.NewServeMux()
	mux.HandleFunc("/sdk", v.serveSDK)
	mux.HandleFunc("/sdk/vimServiceVersions.xml", service.ServiceVersions)
	mux.HandleFunc("GET /folder/", v.serveFolder) // GET matches HEAD too
	quiet := log.New(io.Discard, "", 0)           // a client that closes a connection is no news
	v.server = &http.Server{
		Handler: mux, ErrorLog: quiet,
		TLSConfig:    &tls.Config{Certificates: []tls.Certificate{v.cert}},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 only, as vCenters speak
	}
	v.controls = &http.Server{Handler: v.controlRoutes()}
	go func() { _ = v.server.ServeTLS(listener, "", "") }()
	go func() { _ = v.controls.Serve(control) }()
	return nil
}

// close ends everything at once; requests in flight are cut off.
func (v *vCenter) close() {
	close(v.closing)
	_ = v.server.Close()
	_ = v.controls.Close()
	v.model.Remove()
}

// background is a context of ours for calls into the simulator outside of any request.
func (v *vCenter) background() *simulator.Context {
	return &simulator.Context{Context: context.Background(), Map: v.model.Map()}
}
