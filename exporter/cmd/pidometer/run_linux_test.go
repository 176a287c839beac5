package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// sidecarTo starts the real program against a receiver.
func sidecarTo(t *testing.T, r *otlptest.Receiver, args ...string) *sidecar {
	t.Helper()
	return start(t, exec.Command(program(t), append([]string{"run", "--otlp", "http://" + r.Addr, "--interval", "1s"}, args...)...))
}

// ended waits for the end and fails unless it was by SIGTERM.
func (s *sidecar) ended(t *testing.T) {
	t.Helper()
	s.Wait()
	status := s.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended by %v, want SIGTERM", s.ProcessState)
	}
}

// Host and processes arrive at once and go on arriving while processes come and
// go; a name with a bad byte costs nothing; SIGTERM delivers the last pass.
func TestRunDelivers(t *testing.T) {
	for _, processes := range []string{"top", "all"} {
		t.Run(processes, func(t *testing.T) {
			r := otlptest.Start(t)
			bad := sleeper(t, "bad\xffname")
			args := []string{"--processes", processes}
			if processes == "top" {
				args = append(args, "--always", `bad\xffname`) // all are there without
			}
			s := sidecarTo(t, r, args...)
			r.WaitFor(t, "the first data", otlptest.AtLeast(1))
			t.Logf("first data after %v", time.Since(s.begun))
			r.WaitFor(t, "the process with a bad byte in its name", func(q []*otlptest.Request) bool { return executables(q)[`bad\xffname`] })
			bad.Process.Kill()
			bad.Wait()
			seen := len(r.Requests())
			before := len(r.WaitFor(t, "the next pass", otlptest.AtLeast(seen+1)))
			last := sleeper(t, "lastborn")
			time.Sleep(250 * time.Millisecond) // a pass younger than 200 ms is shared, also with the last
			asked := time.Now()
			s.Process.Signal(syscall.SIGTERM)
			s.ended(t)
			t.Logf("SIGTERM to exit in %v", time.Since(asked))
			if got := executables(r.Requests()[before:]); processes == "all" && !got["lastborn"] {
				t.Errorf("the last pass is missing: PID %d is in none of the last %d requests", last.Process.Pid, len(r.Requests())-before)
			}
			if len(r.Requests()) == before {
				t.Error("nothing arrived after SIGTERM")
			}
			if strings.Contains(s.log.String(), "WARN") {
				t.Error("a healthy run warns")
			}
		})
	}
}

// With an identity by resource every process is a Resource, and none of its points
// tells a PID; the host stays what it was.
func TestRunIdentityByResource(t *testing.T) {
	for _, processes := range []string{"all", "top"} {
		t.Run(processes, func(t *testing.T) {
			r := otlptest.Start(t)
			s := sidecarTo(t, r, "--processes", processes, "--identity", "resource")
			requests := r.WaitFor(t, "two passes", otlptest.AtLeast(2))
			seen := 0
			otlptest.Walk(requests, func(rm *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, m *metrics.Metric) {
				if describesProcess(t, rm) {
					seen++
				} else if text := m.String(); strings.HasPrefix(m.GetName(), "process.") && !strings.Contains(text, "pidometer.process.group") {
					t.Fatalf("%s stands with the host", m.GetName())
				}
				if strings.Contains(m.String(), `"process.pid"`) {
					t.Fatalf("a point of %s tells a PID", m.GetName())
				}
			})
			if seen == 0 || len(requests) > 40 {
				t.Errorf("%d metrics of processes in %d requests", seen, len(requests))
			}
			s.Process.Signal(syscall.SIGTERM)
			s.ended(t)
			if !strings.Contains(s.log.String(), "msg=drained") || strings.Contains(s.log.String(), "WARN") {
				t.Error("it does not end as it should")
			}
		})
	}
}

// describesProcess reports whether a resource is that of a process, which is not the
// service that sends it.
func describesProcess(t *testing.T, rm *metrics.ResourceMetrics) bool {
	t.Helper()
	keys := map[string]bool{}
	for _, a := range rm.GetResource().GetAttributes() {
		keys[a.GetKey()] = true
	}
	if keys["process.pid"] != keys["process.creation.time"] || keys["process.pid"] == keys["service.name"] {
		t.Fatalf("a resource with %v", keys)
	}
	return keys["process.pid"]
}

// sleeper starts a process whose program file has a name.
func sleeper(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, "60")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c
}

// Start times that arrive are those of boot and of creation, also over the
// instruments, whose SDK does not know them.
func TestRunStartTimes(t *testing.T) {
	r := otlptest.Start(t)
	s := sidecarTo(t, r, "--processes", "self")
	requests := r.WaitFor(t, "two passes", otlptest.AtLeast(2))
	var si syscall.Sysinfo_t
	if err := syscall.Sysinfo(&si); err != nil {
		t.Fatal(err)
	}
	boot := time.Now().Add(-time.Duration(si.Uptime) * time.Second)
	for name, want := range map[string]time.Time{"system.cpu.time": boot, "system.paging.faults": boot, "process.cpu.time": s.begun} {
		found := otlptest.Numbers(requests, name)
		if len(found) == 0 {
			t.Errorf("no %s", name)
		}
		for _, p := range found {
			if d := time.Unix(0, int64(p.GetStartTimeUnixNano())).Sub(want).Abs(); d > 2*time.Second {
				t.Errorf("%s starts %v from %v", name, d, want)
			}
		}
	}
	otlptest.Walk(requests, func(_ *metrics.ResourceMetrics, scope *metrics.ScopeMetrics, _ *metrics.Metric) {
		if !strings.HasPrefix(scope.GetSchemaUrl(), "https://opentelemetry.io/schemas/") {
			t.Errorf("schema URL %q", scope.GetSchemaUrl())
		}
	})
	s.Process.Signal(syscall.SIGTERM)
	s.ended(t)
}

// An endpoint that does not answer costs one line, and the exit says that the
// last pass was lost.
func TestRunWithoutEndpoint(t *testing.T) {
	r := otlptest.Start(t)
	url := "http://" + r.Addr
	r.Stop()
	s := start(t, exec.Command(program(t), "run", "--otlp", url, "--interval", "200ms", "--processes", "none"))
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(s.log.String(), "WARN") && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond) // polls another process's log
	}
	s.Process.Signal(syscall.SIGTERM)
	s.Wait()
	if code := s.ProcessState.ExitCode(); code != 1 {
		t.Errorf("status %d, want 1", code)
	}
	if n := strings.Count(s.log.String(), "WARN"); n != 1 {
		t.Errorf("%d warnings, want one", n)
	}
}

// An ordinary user gets the same command, without a complaint per process.
func TestRunUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root, so every other test here is this one")
	}
	r := otlptest.Start(t)
	c := exec.Command(program(t), "run", "--otlp", "http://"+r.Addr, "--interval", "1s", "--processes", "all")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	c.Dir = "/"
	s := start(t, c)
	pids := func(requests []*otlptest.Request, name string) map[string]bool {
		found := map[string]bool{}
		for _, p := range otlptest.Numbers(requests, name) {
			for _, a := range p.GetAttributes() {
				if a.GetKey() == "process.pid" {
					found[fmt.Sprint(a.GetValue().GetIntValue())] = true
				}
			}
		}
		return found
	}
	own := fmt.Sprint(c.Process.Pid)
	requests := r.WaitFor(t, "CPU time of process 1, which anybody may read, and its own disk I/O", func(q []*otlptest.Request) bool {
		return pids(q, "process.cpu.time")["1"] && pids(q, "process.disk.io")[own]
	})
	if io := pids(requests, "process.disk.io"); io["1"] {
		t.Error("disk I/O of process 1, which is denied, has a value")
	}
	s.Process.Signal(syscall.SIGTERM)
	s.ended(t)
	for _, level := range []string{"WARN", "ERROR"} {
		if strings.Contains(s.log.String(), level) {
			t.Errorf("an ordinary user gets %s", level)
		}
	}
}
