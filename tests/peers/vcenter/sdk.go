package main

// The SOAP endpoint: the simulator answers, we give its faults the text that real servers always send, and its session
// cookie their form.

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"

	"github.com/vmware/govmomi/vim25/soap"
)

func (v *vCenter) serveSDK(w http.ResponseWriter, r *http.Request) {
	v.model.Service.ServeSDK(&answer{ResponseWriter: w}, r)
}

// answer fills in empty fault strings. The simulator writes an answer in one piece.
type answer struct {
	http.ResponseWriter
	failed bool
}

// WriteHeader remembers that the answer is a fault, and writes the cookie as vCenters do: quoted, for all paths, secure.
func (a *answer) WriteHeader(status int) {
	a.failed = status >= http.StatusInternalServerError
	for i, cookie := range a.Header()["Set-Cookie"] {
		if key, ok := strings.CutPrefix(cookie, soap.SessionCookieName+"="); ok {
			key, _, _ = strings.Cut(key, ";")
			a.Header()["Set-Cookie"][i] = soap.SessionCookieName + `="` + key + `"; Path=/; HttpOnly; Secure;`
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

var (
	faultMessage = regexp.MustCompile(`<message>([^<]*)</message>`)
	faultType    = regexp.MustCompile(`<(\w+)Fault xmlns="urn:vim25"`)
)

func (a *answer) Write(p []byte) (int, error) {
	empty := []byte("<faultstring></faultstring>")
	if a.failed && bytes.Contains(p, empty) {
		filled := bytes.Replace(p, empty, []byte("<faultstring>"+textOf(p)+"</faultstring>"), 1)
		if _, err := a.ResponseWriter.Write(filled); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// textOf takes an injected fault's message, else the text that vCenters send for the type.
func textOf(fault []byte) string {
	if m := faultMessage.FindSubmatch(fault); m != nil {
		return string(m[1])
	}
	name := ""
	if m := faultType.FindSubmatch(fault); m != nil {
		name = string(m[1])
	}
	switch name {
	case "NotAuthenticated":
		return "The session is not authenticated."
	case "InvalidLogin":
		return "Cannot complete login due to an incorrect user name or password."
	case "NoPermission":
		return "Permission to perform this operation was denied."
	case "InvalidPowerState":
		return "The attempted operation cannot be performed in the current state."
	case "ToolsUnavailable":
		return "Cannot complete operation because VMware Tools is not running in this virtual machine."
	case "ManagedObjectNotFound":
		return "The object has already been deleted or has not been completely created"
	case "RequestCanceled":
		return "The request was canceled."
	}
	return "A general system error occurred: " + name
}
