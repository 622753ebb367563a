// A simulated vCenter for Longshore's tests and its demo. README.md says what it shows and how to control it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// ready is the line on standard output that tells a test where the vCenter is.
type ready struct {
	URL         string `json:"url"`
	Control     string `json:"control"`
	Fingerprint string `json:"fingerprint"` // SHA-1 of the certificate
	SHA256      string `json:"sha256"`
	CA          string `json:"ca"` // PEM file
	User        string `json:"user"`
}

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vcenter:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "address of the vCenter (HTTPS)")
	flag.StringVar(&o.control, "control", "127.0.0.1:0", "address of the control API (HTTP)")
	flag.StringVar(&o.dir, "data", "", "data directory; what a former run left there is removed")
	flag.StringVar(&o.user, "user", "administrator@vsphere.local", "who may log in")
	flag.StringVar(&o.password, "password", "", "with which password")
	flag.DurationVar(&o.idle, "idle", 0, "idle time after which a session ends; 0: never")
	scenario := flag.String("scenario", "demo", "scenario file, or demo")
	diskMiB := flag.Int64("disk-mib", 64, "size of the demo VM's first disk; the second has half of it")
	stdin := flag.Bool("stdin", false, "end when standard input closes")
	verbose := flag.Bool("verbose", false, "keep the simulator's own log on standard error")
	flag.Parse()
	if o.dir == "" || o.password == "" {
		return fmt.Errorf("-data and -password are needed")
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	o.dir = dir
	if !*verbose {
		log.SetOutput(io.Discard)
	}
	end := make(chan os.Signal, 2)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	s, err := loadScenario(*scenario, *diskMiB)
	if err != nil {
		return err
	}
	v, err := start(o, s)
	if err != nil {
		return err
	}
	defer v.close()
	if err := json.NewEncoder(os.Stdout).Encode(v.ready()); err != nil {
		return err
	}
	closed := make(chan struct{})
	if *stdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(closed)
		}()
	}
	select {
	case <-end:
	case <-closed:
	}
	return nil
}

func (v *vCenter) ready() ready {
	der := v.cert.Certificate[0]
	return ready{
		URL: v.url, Control: v.controlAt, Fingerprint: sha1Fingerprint(der), SHA256: sha256Fingerprint(der),
		CA: filepath.Join(v.options.dir, "ca.pem"), User: v.options.user,
	}
}
