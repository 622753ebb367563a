package main

// The control API: plain HTTP on the loopback, for tests and the demo. README.md describes each route.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// problem is an error with the status that it deserves.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

func refusal(status int, format string, args ...any) error {
	return problem{status, fmt.Sprintf(format, args...)}
}

func (v *vCenter) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, handle func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer, err := handle(r)
			reply(w, answer, err)
		})
	}
	route("GET /vms", v.controlListVMs)
	route("POST /vms", v.controlAddVM)
	route("GET /vms/{vm}", v.controlGetVM)
	route("PATCH /vms/{vm}", v.controlPatchVM)
	route("DELETE /vms/{vm}", v.controlDeleteVM)
	route("POST /vms/{vm}/disks/{disk}/flip", v.controlFlip)
	route("POST /vms/{vm}/disks/{disk}/write", v.controlWrite)
	route("GET /events", v.controlEvents)
	route("DELETE /events", func(*http.Request) (any, error) { v.journal.clear(); return nil, nil })
	route("GET /counters", v.controlCounters)
	route("GET /sessions", func(*http.Request) (any, error) { return v.controlSessions(), nil })
	route("DELETE /sessions", func(*http.Request) (any, error) { return map[string]int{"expired": v.expire()}, nil })
	route("GET /faults", func(*http.Request) (any, error) { return v.faults.all(), nil })
	route("POST /faults", v.controlAddFault)
	route("DELETE /faults", func(*http.Request) (any, error) { v.faults.clear(); return nil, nil })
	route("GET /folder", func(*http.Request) (any, error) { return v.folder.shown(), nil })
	route("PUT /folder", v.controlFolder)
	route("DELETE /folder", func(*http.Request) (any, error) { return nil, v.folder.set(new(folderBehaviour)) })
	return mux
}

func reply(w http.ResponseWriter, answer any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		status := http.StatusInternalServerError
		var p problem
		if errors.As(err, &p) {
			status = p.status
		}
		w.WriteHeader(status)
		answer = map[string]string{"error": err.Error()}
	}
	if answer == nil {
		answer = struct{}{}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(answer)
}

func readBody(r *http.Request, into any) error {
	text, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return refusal(http.StatusBadRequest, "read the request: %v", err)
	}
	if err := decodeStrict(text, into); err != nil {
		return refusal(http.StatusBadRequest, "the request is not as expected: %v", err)
	}
	return nil
}

func (v *vCenter) controlEvents(r *http.Request) (any, error) {
	q := r.URL.Query()
	since := int64(0)
	if s := q.Get("since"); s != "" {
		var err error
		if since, err = strconv.ParseInt(s, 10, 64); err != nil {
			return nil, refusal(http.StatusBadRequest, "since is the number of an event: %v", err)
		}
	}
	kinds := strings.FieldsFunc(q.Get("kind"), func(r rune) bool { return r == ',' })
	return v.journal.since(since, kinds, q.Get("vm")), nil
}

// counters are sums since the start, or since the journal was cleared; logins since the start.
type counters struct {
	Logins struct {
		OK      int64 `json:"ok"`
		Refused int64 `json:"refused"`
	} `json:"logins"`
	Calls map[string]int64     `json:"calls"` // by method, of login sessions
	Files map[string]fileCount `json:"files"` // by "[ds] dir/file"
	Bytes int64                `json:"bytes"` // of all files
}

func (v *vCenter) controlCounters(*http.Request) (any, error) {
	c := counters{Calls: map[string]int64{}, Files: map[string]fileCount{}}
	v.sessions.mu.Lock()
	c.Logins.OK, c.Logins.Refused = v.sessions.OK, v.sessions.Refused
	v.sessions.mu.Unlock()
	v.journal.mu.Lock()
	defer v.journal.mu.Unlock()
	for method, n := range v.journal.calls {
		c.Calls[method] = n
	}
	for file, n := range v.journal.files {
		c.Files[file] = *n
		c.Bytes += n.Bytes
	}
	return c, nil
}

// shownSession is a session without its key, which is a credential.
type shownSession struct {
	User       string `json:"user"`
	LoginTime  string `json:"loginTime"`
	LastActive string `json:"lastActive"`
	Calls      int64  `json:"calls"`
	Agent      string `json:"agent"`
}

func (v *vCenter) controlSessions() []shownSession {
	out := []shownSession{}
	for _, s := range v.list() {
		out = append(out, shownSession{
			User: s.UserName, LoginTime: s.LoginTime.Format(timeFormat), LastActive: s.LastActiveTime.Format(timeFormat),
			Calls: int64(s.CallCount), Agent: s.UserAgent,
		})
	}
	return out
}

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func (v *vCenter) controlAddFault(r *http.Request) (any, error) {
	rule := new(faultRule)
	if err := readBody(r, rule); err != nil {
		return nil, err
	}
	if err := v.faults.add(rule); err != nil {
		return nil, refusal(http.StatusBadRequest, "%v", err)
	}
	return nil, nil
}

func (v *vCenter) controlFolder(r *http.Request) (any, error) {
	behaviour := new(folderBehaviour)
	if err := readBody(r, behaviour); err != nil {
		return nil, err
	}
	if err := v.folder.set(behaviour); err != nil {
		return nil, refusal(http.StatusBadRequest, "latency: %v", err)
	}
	return nil, nil
}

// shown is a copy for an answer.
func (b *folderBehaviour) shown() any {
	b.mu.Lock()
	defer b.mu.Unlock()
	rules := []folderRule{}
	for _, r := range b.Rules {
		rules = append(rules, *r)
	}
	return map[string]any{"latency": b.Latency, "bytesPerSecond": b.BytesPerSecond, "rules": rules}
}
