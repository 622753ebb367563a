package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vmware/govmomi/session"
)

// process is the program as others start it.
type process struct {
	ready ready
	stdin io.WriteCloser
	ended chan error
	cmd   *exec.Cmd
}

func startProcess(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-data", dir, "-password", "p", "-disk-mib", "1"}, args...)...)
	cmd.Env = append(os.Environ(), "VCENTER_TEST_RUN_MAIN=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p := &process{stdin: stdin, cmd: cmd, ended: make(chan error, 1)}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, &p.ready); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	go func() { p.ended <- cmd.Wait() }()
	return p
}

func (p *process) ends(t *testing.T) {
	t.Helper()
	select {
	case err := <-p.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it runs on")
	}
}

func TestTheProcessEndsWithItsStandardInput(t *testing.T) {
	p := startProcess(t, t.TempDir(), "-stdin")
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	p.ends(t)
}

func TestTheProcessEndsOnSIGTERMWithAWaitUnderWay(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir, "-user", testUser)
	c := clientOf(t, p.ready)
	if err := session.NewManager(c).Login(t.Context(), url.UserPassword(testUser, "p")); err != nil {
		t.Fatal(err)
	}
	w := watch(t, c, true, "name")
	w.all()
	go func() { _, _ = w.try(t.Context(), 60) }()
	time.Sleep(200 * time.Millisecond)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.ends(t)
	if left, err := os.ReadDir(dir + "/tmp"); err != nil || len(left) != 0 {
		t.Errorf("%v %v", left, err)
	}
}

func TestTheReadyLineNamesTheCertificateWhichARestartKeeps(t *testing.T) {
	dir := t.TempDir()
	var seen []ready
	for range 2 {
		p := startProcess(t, dir, "-stdin")
		conn, err := tls.Dial("tcp", strings.Split(p.ready.URL, "/")[2], &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		der := conn.ConnectionState().PeerCertificates[0]
		_ = conn.Close()
		if p.ready.Fingerprint != sha1Fingerprint(der.Raw) || p.ready.SHA256 != sha256Fingerprint(der.Raw) || len(p.ready.Fingerprint) != 59 {
			t.Errorf("%+v", p.ready)
		}
		for _, host := range []string{"127.0.0.1", "localhost"} {
			if err := der.VerifyHostname(host); err != nil {
				t.Error(err)
			}
		}
		seen = append(seen, p.ready)
		_ = p.stdin.Close()
		p.ends(t)
	}
	if seen[0].Fingerprint != seen[1].Fingerprint {
		t.Error("a restart shows another certificate")
	}
}
