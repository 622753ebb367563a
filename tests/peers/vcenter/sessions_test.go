package main

import (
	"net/url"
	"testing"

	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

func TestAWrongPasswordIsRefusedAndCounted(t *testing.T) {
	v := startDemo(t)
	err := session.NewManager(client(t, v)).Login(t.Context(), url.UserPassword(testUser, "wrong"))
	if faultOf(err) != "InvalidLogin" {
		t.Fatal(err)
	}
	var c counters
	control(t, v, "GET", "/counters", nil, &c)
	if c.Logins.OK != 0 || c.Logins.Refused != 1 {
		t.Errorf("%+v", c.Logins)
	}
	login(t, v)
	control(t, v, "GET", "/counters", nil, &c)
	if c.Logins.OK != 1 || c.Logins.Refused != 1 {
		t.Errorf("%+v", c.Logins)
	}
	seen := events(t, v, kindSession)
	if len(seen) != 2 || seen[0].Error != "InvalidLogin" || seen[1].Error != "" || seen[1].User != testUser {
		t.Errorf("%+v", seen)
	}
}

func TestNothingIsShownWithoutALogin(t *testing.T) {
	v := startDemo(t)
	c := client(t, v)
	_, err := methods.RetrievePropertiesEx(t.Context(), c, &types.RetrievePropertiesEx{
		This: c.ServiceContent.PropertyCollector,
		SpecSet: []types.PropertyFilterSpec{{
			ObjectSet: []types.ObjectSpec{{Obj: c.ServiceContent.RootFolder}},
			PropSet:   []types.PropertySpec{{Type: "Folder", PathSet: []string{"name"}}},
		}},
	})
	if faultOf(err) != "NotAuthenticated" {
		t.Error(err)
	}
	if text := soap.ToSoapFault(err).String; text != "The session is not authenticated." {
		t.Errorf("fault text %q", text)
	}
	_, err = methods.LoginByToken(t.Context(), c, &types.LoginByToken{This: *c.ServiceContent.SessionManager})
	if faultOf(err) != "InvalidLogin" {
		t.Error(err)
	}
}

func TestExpiredSessionsMustLogInAgain(t *testing.T) {
	v := startDemo(t)
	c := login(t, v)
	vm := vmNamed(t, v, c.Client, "demo-vm")
	var answer map[string]int
	control(t, v, "DELETE", "/sessions", nil, &answer)
	if answer["expired"] != 1 {
		t.Errorf("%v", answer)
	}
	if _, err := vm.PowerOff(t.Context()); faultOf(err) != "NotAuthenticated" {
		t.Error(err)
	}
	if err := session.NewManager(c.Client).Login(t.Context(), url.UserPassword(testUser, testPassword)); err != nil {
		t.Error(err)
	}
	properties(t, vm, "name")
}
