package main

// The datastore browser: files of datastores over HTTPS, for a live session only. A file that a running VM has open
// can't be read; a session that ends cuts off what is under way.

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// checkEvery is how many bytes go out between two looks at the session.
const checkEvery = 256 << 10

// folderBehaviour is how badly /folder behaves.
type folderBehaviour struct {
	mu             sync.Mutex
	Latency        string        `json:"latency,omitempty"`        // before each answer
	BytesPerSecond int64         `json:"bytesPerSecond,omitempty"` // of each answer; 0: no limit
	Rules          []*folderRule `json:"rules,omitempty"`

	latency time.Duration
}

// folderRule makes reads fail.
type folderRule struct {
	Match    string `json:"match,omitempty"`    // part of "[ds] dir/file"; empty: all
	Status   int    `json:"status,omitempty"`   // answer with this
	CutAfter int64  `json:"cutAfter,omitempty"` // or close the connection after so many bytes
	Skip     int    `json:"skip,omitempty"`     // so many reads go through first
	Count    int    `json:"count,omitempty"`    // so many reads are hit; 0: all
	Hits     int    `json:"hits"`
}

func (b *folderBehaviour) set(n *folderBehaviour) error {
	latency := time.Duration(0)
	if n.Latency != "" {
		var err error
		if latency, err = time.ParseDuration(n.Latency); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Latency, b.BytesPerSecond, b.Rules, b.latency = n.Latency, n.BytesPerSecond, n.Rules, latency
	return nil
}

// next is what the next read of a file suffers.
func (b *folderBehaviour) next(file string) (latency time.Duration, rate int64, rule folderRule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.Rules {
		if !strings.Contains(file, r.Match) || r.Count > 0 && r.Hits >= r.Count {
			continue
		}
		if r.Skip > 0 {
			r.Skip--
			continue
		}
		r.Hits++
		return b.latency, b.BytesPerSecond, *r
	}
	return b.latency, b.BytesPerSecond, folderRule{}
}

// serveFolder answers GET and HEAD of /folder/{path}?dcPath=&dsName=.
func (v *vCenter) serveFolder(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	name := strings.TrimPrefix(r.URL.Path, "/folder/")
	e := event{
		Kind: kindData, Time: time.Now(), Method: r.Method, Datacenter: q.Get("dcPath"),
		File: fmt.Sprintf("[%s] %s", q.Get("dsName"), name), Range: r.Header.Get("Range"),
	}
	out := &folderWriter{ResponseWriter: w, v: v, status: http.StatusOK}
	defer func() {
		e.Status, e.Bytes = out.status, out.sent
		v.journal.read(e)
	}()
	session := v.sessionOf(r)
	if session == nil {
		w.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		e.Error = "no session"
		http.Error(out, "not authenticated", http.StatusUnauthorized)
		return
	}
	e.User = session.UserName
	out.key = session.Key
	latency, rate, rule := v.folder.next(e.File)
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-v.closing:
		}
	}
	out.rate, out.cutAfter, out.started = rate, rule.CutAfter, time.Now()
	if rule.Status > 0 {
		e.Error = "injected"
		http.Error(out, "injected failure", rule.Status)
		return
	}
	store := v.find(strings.Trim(q.Get("dcPath"), "/"), q.Get("dsName"))
	if store == nil || name == "" || path.Clean("/"+name) != "/"+name {
		e.Error = "no such datacenter, datastore or file"
		http.Error(out, e.Error, http.StatusNotFound)
		return
	}
	v.serveFile(out, r, filepath.Join(store.dir, filepath.FromSlash(name)), &e)
}

func (v *vCenter) serveFile(out *folderWriter, r *http.Request, file string, e *event) {
	if m := v.holder(file); m != nil {
		e.VM, e.VMID = v.nameOf(m.ref), m.ref.Value
	}
	if v.locked(file) {
		e.Error = "locked"
		http.Error(out, "Unable to open the file: file is locked by a running virtual machine", http.StatusInternalServerError)
		return
	}
	f, err := os.Open(file)
	if err != nil {
		e.Error = "no such file"
		http.Error(out, "file not found", http.StatusNotFound)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		e.Error = "a directory"
		http.Error(out, "directory listing is not simulated", http.StatusForbidden)
		return
	}
	out.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(out, r, "", info.ModTime(), f)
}

// folderWriter counts what goes out, slows it down, and cuts it off.
type folderWriter struct {
	http.ResponseWriter
	v        *vCenter
	key      string // of the session
	status   int
	sent     int64
	checked  int64
	rate     int64
	cutAfter int64
	started  time.Time
}

// WriteHeader remembers the status.
func (w *folderWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *folderWriter) Write(p []byte) (int, error) {
	if w.key != "" && w.sent-w.checked >= checkEvery {
		w.checked = w.sent
		if !w.v.alive(w.key) {
			panic(http.ErrAbortHandler) // closes the connection: the status is out already
		}
	}
	if w.cutAfter > 0 && w.status < http.StatusBadRequest && w.sent+int64(len(p)) > w.cutAfter {
		n, _ := w.ResponseWriter.Write(p[:w.cutAfter-w.sent])
		w.sent += int64(n)
		if f, ok := w.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	n, err := w.ResponseWriter.Write(p)
	w.sent += int64(n)
	if w.rate > 0 {
		due := time.Duration(float64(w.sent) / float64(w.rate) * float64(time.Second))
		if ahead := due - time.Since(w.started); ahead > 0 {
			select {
			case <-time.After(ahead):
			case <-w.v.closing:
			}
		}
	}
	return n, err
}
