package main

import (
	"bytes"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

const demoDC = "Europe/DC 1"

func TestDisksAreOnlyForALiveSession(t *testing.T) {
	v := startDemo(t)
	c := login(t, v)
	at := folderURL(v, demoDC, "vmfs-1", "demo-vm/demo-vm.vmdk")
	if got := status(t, v, nil, at); got != http.StatusUnauthorized {
		t.Errorf("without a session: %d", got)
	}
	if got := status(t, v, client(t, v), at); got != http.StatusUnauthorized {
		t.Errorf("without a login: %d", got)
	}
	if got := status(t, v, c.Client, at); got != http.StatusOK {
		t.Errorf("with a session: %d", got)
	}
	saved := c.Client.Jar
	if err := c.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Client.Jar = saved
	if got := status(t, v, c.Client, at); got != http.StatusUnauthorized {
		t.Errorf("after logout: %d", got)
	}
}

func TestDatacenterAndDatastoreAreChecked(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	for _, x := range []struct {
		dc, ds, file string
		want         int
	}{
		{demoDC, "nfs 1", "demo-vm/demo-vm_1.vmdk", 200},
		{"/" + demoDC, "nfs 1", "demo-vm/demo-vm_1.vmdk", 200},
		{"DC 1", "nfs 1", "demo-vm/demo-vm_1.vmdk", 404},
		{"", "nfs 1", "demo-vm/demo-vm_1.vmdk", 404},
		{demoDC, "vmfs-1", "demo-vm/demo-vm_1.vmdk", 404},
		{demoDC, "nfs 2", "demo-vm/demo-vm_1.vmdk", 404},
		{demoDC, "nfs 1", "demo-vm", 403},
		{demoDC, "nfs 1", "none.vmdk", 404},
	} {
		if got := status(t, v, c, folderURL(v, x.dc, x.ds, x.file)); got != x.want {
			t.Errorf("%+v: %d", x, got)
		}
	}
	traversal := strings.Replace(folderURL(v, demoDC, "nfs 1", "x"), "/x?", "/%2e%2e/vmfs-1/demo-vm/demo-vm.vmdk?", 1)
	if got := status(t, v, c, traversal); got == 200 {
		t.Error("a path led out of the datastore")
	}
}

func TestARunningVMsFlatFileIsLockedAndItsDescriptorIsNot(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	flat := folderURL(v, demoDC, "vmfs-1", "demo-vm/demo-vm-flat.vmdk")
	answer, body, _ := get(t, v, c, "GET", flat, "")
	if answer.StatusCode != 500 || !bytes.Contains(body, []byte("file is locked")) {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	if got, _, _ := get(t, v, c, "HEAD", flat, ""); got.StatusCode != 500 {
		t.Errorf("HEAD: %d", got.StatusCode)
	}
	_, descriptor, _ := get(t, v, c, "GET", folderURL(v, demoDC, "vmfs-1", "demo-vm/demo-vm.vmdk"), "")
	for _, want := range []string{"# Disk DescriptorFile", `createType="vmfs"`, `RW 8192 VMFS "demo-vm-flat.vmdk"`, "parentCID=ffffffff"} {
		if !bytes.Contains(descriptor, []byte(want)) {
			t.Errorf("no %q in\n%s", want, descriptor)
		}
	}
}

func TestAfterShutdownTheBytesAreThoseOfTheFlatFile(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"shutdown": ""}, nil)
	if err := vmNamed(t, v, c, "demo-vm").ShutdownGuest(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is off", func() bool { return shownNamed(t, v, "demo-vm").Power == "poweredOff" })
	for i, d := range shownNamed(t, v, "demo-vm").Disks {
		name := []string{"demo-vm/demo-vm-flat.vmdk", "demo-vm/demo-vm_1-flat.vmdk"}[i]
		want, err := os.ReadFile(d.Path)
		if err != nil || int64(len(want)) != d.Capacity {
			t.Fatal(len(want), d.Capacity, err)
		}
		at := folderURL(v, demoDC, d.Datastore, name)
		answer, got, err := get(t, v, c, "GET", at, "")
		if err != nil || answer.StatusCode != 200 || !bytes.Equal(got, want) {
			t.Errorf("disk %d: %d, %d bytes, %v", i, answer.StatusCode, len(got), err)
		}
		answer, got, _ = get(t, v, c, "GET", at, "bytes=1000-1999")
		if answer.StatusCode != 206 || !bytes.Equal(got, want[1000:2000]) || !strings.HasPrefix(answer.Header.Get("Content-Range"), "bytes 1000-1999/") {
			t.Errorf("range: %d %s, %d bytes", answer.StatusCode, answer.Header.Get("Content-Range"), len(got))
		}
		answer, got, _ = get(t, v, c, "HEAD", at, "")
		if answer.StatusCode != 200 || answer.ContentLength != d.Capacity || len(got) != 0 {
			t.Errorf("HEAD: %d, length %d", answer.StatusCode, answer.ContentLength)
		}
	}
	reads := events(t, v, kindData)
	if len(reads) != 6 || reads[1].Range != "bytes=1000-1999" || reads[1].Bytes != 1000 || reads[1].VM != "demo-vm" || reads[1].User != testUser || reads[1].Status != 206 {
		t.Errorf("%+v", reads)
	}
	var counted counters
	control(t, v, "GET", "/counters", nil, &counted)
	if n := counted.Files["[vmfs-1] demo-vm/demo-vm-flat.vmdk"]; n.Reads != 3 || n.Bytes != 4*mib+1000 {
		t.Errorf("%+v", counted.Files)
	}
}

func TestAReadUnderWayIsCutOffWhenItsSessionEnds(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"power": "off"}, nil)
	control(t, v, "PUT", "/folder", `{"bytesPerSecond": 1048576}`, nil) // the 4 MiB take four seconds
	done := make(chan int64)
	failed := make(chan error)
	go func() {
		_, body, err := get(t, v, c, "GET", folderURL(v, demoDC, "vmfs-1", "demo-vm/demo-vm-flat.vmdk"), "")
		failed <- err
		done <- int64(len(body))
	}()
	time.Sleep(300 * time.Millisecond)
	control(t, v, "DELETE", "/sessions", nil, nil)
	if err := <-failed; err == nil {
		t.Error("the read went on")
	}
	if n := <-done; n == 0 || n >= 4*mib {
		t.Errorf("%d bytes", n)
	}
	if got := status(t, v, c, folderURL(v, demoDC, "vmfs-1", "demo-vm/demo-vm-flat.vmdk")); got != http.StatusUnauthorized {
		t.Errorf("afterwards: %d", got)
	}
}

func TestReadsFailAsTheControlAPISays(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	control(t, v, "PATCH", "/vms/demo-vm", map[string]string{"power": "off"}, nil)
	control(t, v, "PUT", "/folder", `{"latency": "100ms", "rules": [
		{"match": "demo-vm-flat", "status": 503, "skip": 1, "count": 1}, {"match": "_1-flat", "cutAfter": 5000, "count": 1}]}`, nil)
	first := folderURL(v, demoDC, "vmfs-1", "demo-vm/demo-vm-flat.vmdk")
	began := time.Now()
	for i, want := range []int{200, 503, 200} {
		if got := status(t, v, c, first); got != want {
			t.Errorf("read %d: %d, not %d", i, got, want)
		}
	}
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("three answers took only %s", took)
	}
	second := folderURL(v, demoDC, "nfs 1", "demo-vm/demo-vm_1-flat.vmdk")
	if _, body, err := get(t, v, c, "GET", second, ""); err == nil || len(body) != 5000 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	control(t, v, "DELETE", "/folder", nil, nil)
	if _, body, err := get(t, v, c, "GET", second, ""); err != nil || len(body) != 2*mib {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

func TestAVsanShowsNoFlatFile(t *testing.T) {
	v := startDemo(t)
	c := login(t, v).Client
	file := strings.TrimPrefix(shownNamed(t, v, "on vsan").Disks[0].File, "[vsanDatastore] ")
	answer, descriptor, _ := get(t, v, c, "GET", folderURL(v, demoDC, "vsanDatastore", file), "")
	if answer.StatusCode != 200 || !bytes.Contains(descriptor, []byte(`VMFS "vsan://`)) {
		t.Errorf("%d %s", answer.StatusCode, descriptor)
	}
	flat := strings.Replace(file, ".vmdk", "-flat.vmdk", 1)
	if got := status(t, v, c, folderURL(v, demoDC, "vsanDatastore", flat)); got != 404 {
		t.Errorf("flat file: %d", got)
	}
}
