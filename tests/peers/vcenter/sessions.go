package main

// Login sessions: who logged in or was refused, which sessions live, and how they end.

import (
	"net/http"
	"strings"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// sessionCounts counts login attempts.
type sessionCounts struct {
	mu      sync.Mutex
	OK      int64 `json:"ok"`
	Refused int64 `json:"refused"`
}

// validLogin is the simulator's question whether a password is right.
func (v *vCenter) validLogin(r *types.Login) bool {
	ok := r.UserName == v.options.user && r.Password == v.options.password
	v.countLogin("Login", r.UserName, ok)
	return ok
}

func (v *vCenter) countLogin(method, user string, ok bool) {
	v.sessions.mu.Lock()
	e := event{Kind: kindSession, Method: method, User: user}
	if ok {
		v.sessions.OK++
	} else {
		v.sessions.Refused++
		e.Error = "InvalidLogin"
	}
	v.sessions.mu.Unlock()
	v.journal.add(e)
}

// refuse answers calls that the simulator would let through and a real server would not.
func (v *vCenter) refuse(s *simulator.Session, m *simulator.Method) types.BaseMethodFault {
	switch m.Name {
	case "LoginByToken", "LoginExtensionByCertificate", "CloneSession", "ImpersonateUser":
		v.countLogin(m.Name, "", false)
		return new(types.InvalidLogin)
	}
	if s == nil && reads(m.Body) {
		return &types.NotAuthenticated{NoPermission: types.NoPermission{Object: &m.This, PrivilegeId: "System.View"}}
	}
	return nil
}

// reads tells a property read that goes beyond what is open to all: the service and its session manager.
func reads(body any) bool {
	var specs []types.PropertyFilterSpec
	switch r := body.(type) {
	case *types.RetrievePropertiesEx:
		specs = r.SpecSet
	case *types.RetrieveProperties:
		specs = r.SpecSet
	default:
		return false
	}
	for _, spec := range specs {
		for _, o := range spec.ObjectSet {
			if o.Obj.Type != "ServiceInstance" && o.Obj.Type != "SessionManager" {
				return true
			}
		}
	}
	return false
}

// list are the living sessions.
func (v *vCenter) list() []types.UserSession {
	registry := v.model.Map()
	view := &simulator.Session{Registry: simulator.NewRegistry(), Map: registry}
	manager, ok := view.Get(registry.SessionManager().Self).(*simulator.SessionManager)
	if !ok {
		return nil
	}
	return manager.SessionList
}

// alive says whether a session lives.
func (v *vCenter) alive(key string) bool { return v.session(key) != nil }

func (v *vCenter) session(key string) *types.UserSession {
	for _, s := range v.list() {
		if s.Key == key {
			return &s
		}
	}
	return nil
}

// sessionOf finds the living session of an HTTP request by its cookie, and counts as a use of it.
func (v *vCenter) sessionOf(r *http.Request) *types.UserSession {
	cookie, err := r.Cookie(soap.SessionCookieName)
	if err != nil {
		return nil
	}
	s := v.session(strings.Trim(cookie.Value, `"`))
	if s != nil {
		v.touch(s.Key)
	}
	return s
}

// expire ends all login sessions, as an idle timeout or a restart of the server would.
func (v *vCenter) expire() int {
	n := 0
	for _, s := range v.list() {
		ctx := v.background()
		ctx.Session = &simulator.Session{Map: ctx.Map}
		v.model.Map().SessionManager().TerminateSession(ctx, &types.TerminateSession{SessionId: []string{s.Key}})
		v.journal.add(event{Kind: kindSession, Method: "expired", User: s.UserName})
		n++
	}
	return n
}

// setIdle sets the server's idle timeout.
func (v *vCenter) setIdle() {
	o := v.model.Map().OptionManager()
	o.Setting = append(o.Setting, &types.OptionValue{Key: "config.vmacore.soap.sessionTimeout", Value: v.options.idle.String()})
}

// touch makes a call in the session: only the simulator's own table knows when it was last used.
func (v *vCenter) touch(key string) {
	const body = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><CurrentTime xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></CurrentTime></Body></Envelope>`
	r, err := http.NewRequest(http.MethodPost, "/sdk", strings.NewReader(body))
	if err != nil {
		return
	}
	r.AddCookie(&http.Cookie{Name: soap.SessionCookieName, Value: key})
	v.model.Service.ServeSDK(&discard{header: http.Header{}}, r)
}

// discard is a response that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
