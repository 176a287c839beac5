package conformance_test

import (
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var span = flag.Duration("span", time.Minute, "how long receivers are sent to before they are asked")

// wide is all that pidometer knows, of every process and device.
var wide = []string{"--processes", "all", "--all-devices", "--metrics", "*"}

// program starts a program that ends with the test, and shows what it said if that
// fails.
func program(t *testing.T, env []string, path string, args ...string) *exec.Cmd {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, args...)
	c.Env = append(os.Environ(), env...)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop(t, c)
		log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s says:\n%.8000s", filepath.Base(path), text)
		}
	})
	return c
}

// stop asks a program to end and waits until it has.
func stop(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if c.ProcessState != nil {
		return
	}
	c.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(20*time.Second, func() {
		t.Errorf("%s did not end", c.Path)
		c.Process.Kill()
	})
	defer late.Stop()
	c.Wait()
}

// address returns host and port of a place where nobody listens.
func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// wait waits until something holds.
func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s within a minute", what)
		}
	}
}

func listens(address string) func() bool {
	return func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	}
}

// metric is one that pidometer shows on this machine, as its own JSON says.
type metric struct{ Name, Kind, Unit string }

// shown returns the metrics that a run with the same flags is to send.
func shown(t *testing.T) (all []metric) {
	t.Helper()
	out, err := exec.Command(pidometer(t), append([]string{"once", "--format", "json"}, wide...)...).Output()
	var doc struct{ Metrics []metric }
	if err != nil || json.Unmarshal(out, &doc) != nil {
		t.Fatalf("pidometer once: %v", err)
	}
	return doc.Metrics
}

// sender starts pidometer against a receiver.
func sender(t *testing.T, url string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	return program(t, env, pidometer(t), slices.Concat([]string{"run", "--otlp", url, "--interval", "1s"}, wide, args)...)
}

// another makes a root that shows this machine under another machine-id.
func another(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"proc": "/proc", "sys": "/sys"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc", "machine-id"), []byte("0123456789abcdef0123456789abcdef\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

// startPrometheus starts a server and returns its URL.
func startPrometheus(t *testing.T, features ...string) (url string) {
	t.Helper()
	at := address(t)
	args := []string{"--config.file=testdata/prometheus.yaml", "--web.enable-otlp-receiver", "--web.enable-remote-write-receiver",
		"--web.listen-address=" + at, "--storage.tsdb.path=" + t.TempDir()}
	if len(features) > 0 {
		args = append(args, "--enable-feature="+strings.Join(features, ","))
	}
	program(t, nil, prometheus(t), args...)
	url = "http://" + at
	wait(t, "server", func() bool {
		r, err := http.Get(url + "/-/ready")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	return url
}
