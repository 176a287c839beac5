package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// The sidecar ships the host and its processes from Windows as from anywhere.
func TestRunDeliversOnWindows(t *testing.T) {
	for _, processes := range []string{"top", "all"} {
		t.Run(processes, func(t *testing.T) {
			r := otlptest.Start(t)
			start(t, exec.Command(program(t), "run", "--otlp", "http://"+r.Addr, "--interval", "1s", "--processes", processes))
			requests := r.WaitFor(t, "two passes", otlptest.AtLeast(2))
			for _, name := range []string{"process.cpu.time", "process.memory.usage", "process.windows.handle.count", "system.cpu.time", "system.memory.usage", "system.network.io"} {
				if len(otlptest.Numbers(requests, name)) == 0 {
					t.Errorf("no %s", name)
				}
			}
			if !executables(requests)["services.exe"] {
				t.Errorf("services.exe is not among %v", executables(requests))
			}
		})
	}
}

// ours is a service that no other run has installed, which is gone after the test.
func ours(t *testing.T, name string, flags ...string) string {
	t.Helper()
	name = fmt.Sprintf("pidometer-%s-%d", name, os.Getpid())
	must(t, append([]string{"service", "install", "--name", name}, flags...)...)
	t.Cleanup(func() { run(t, "service", "uninstall", "--name", name) })
	return name
}

// must runs the program and takes no failure.
func must(t *testing.T, args ...string) string {
	t.Helper()
	out, log, code := run(t, args...)
	if code != 0 {
		t.Fatalf("pidometer %q: status %d, %s", args, code, log)
	}
	return out
}

// describedAs looks at a service as a program would.
func describedAs(t *testing.T, name string) (s struct {
	State       string
	PID         uint64
	Start       string `json:"start_type"`
	CommandLine string `json:"command_line"`
	Owner       string
	Description string
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(must(t, "inspect", "service", name, "--format", "json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The sidecar is a service from install to uninstall: it starts, says what it is,
// exports at once, answers in any case of its name, delivers its last pass when it is
// stopped, and leaves nothing behind.
func TestServiceOnWindows(t *testing.T) {
	r := otlptest.Start(t)
	name := ours(t, "größe", "--otlp", "http://"+r.Addr, "--interval=1h", "--always", `日本 語,a "b\`)
	s := describedAs(t, strings.ToUpper(name))
	if s.State != "stopped" || s.PID != 0 || s.Start == "manual" || s.Owner != "LocalSystem" || s.Description == "" ||
		!strings.HasSuffix(s.CommandLine, ` run --service --otlp http://`+r.Addr+` --interval=1h --always "日本 語,a \"b\\"`) {
		t.Errorf("%+v", s)
	}
	must(t, "service", "start", "--name", name)
	if s = describedAs(t, name); s.State != "running" || s.PID == 0 {
		t.Errorf("%+v", s)
	}
	status := must(t, "service", "status", "--name", name)
	if list := must(t, "inspect", "services"); !strings.Contains(list, name) || !strings.Contains(status, "running") {
		t.Errorf("%s\n%s", status, list)
	}
	first := len(r.WaitFor(t, "the first data", otlptest.AtLeast(1)))
	if _, log, code := run(t, "service", "start", "--name", name); code != 1 || !strings.Contains(log, "runs already") {
		t.Errorf("a second start: status %d, %s", code, log)
	}
	must(t, "service", "stop", "--name", name)
	if len(r.Requests()) <= first {
		t.Error("the last pass was not delivered before the service was stopped")
	}
	if _, log, code := run(t, "service", "stop", "--name", name); code != 1 || !strings.Contains(log, "does not run") {
		t.Errorf("a second stop: status %d, %s", code, log)
	}
	must(t, "service", "uninstall", "--name", name)
	if _, log, code := run(t, "inspect", "service", name); code != 1 || log != "pidometer: there is no service "+name+"\n" {
		t.Errorf("after all: status %d, %s", code, log)
	}
}

// A running service is stopped, and so flushed, by being uninstalled.
func TestServiceUninstalledWhileItRunsOnWindows(t *testing.T) {
	r := otlptest.Start(t)
	name := ours(t, "running", "--start", "manual", "--otlp", "http://"+r.Addr, "--interval", "1h")
	if s := describedAs(t, name); s.Start != "manual" {
		t.Errorf("%+v", s)
	}
	must(t, "service", "start", "--name", name)
	first := len(r.WaitFor(t, "the first data", otlptest.AtLeast(1)))
	must(t, "service", "uninstall", "--name", name)
	if len(r.Requests()) <= first {
		t.Error("the last pass was not delivered before the service was gone")
	}
}

// What keeps a service from running is told to whoever starts it; and what cannot be
// done is one line.
func TestServiceFailsOnWindows(t *testing.T) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("pidometer-%d.yaml", os.Getpid()))
	if err := os.WriteFile(path, []byte("file_format: \"1.0\"\nmeter_provider: {readers: [{periodic: {exporter: {otlp_grpc: {endpoint: \"http://localhost:4317\"}}}}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	name := ours(t, "failing", "--config="+path)
	if s := describedAs(t, name); !strings.HasSuffix(s.CommandLine, " run --service --config "+syscall.EscapeArg(path)) {
		t.Errorf("%+v", s)
	}
	os.Remove(path)
	for _, test := range []struct {
		says string
		args []string
	}{
		{"it ended at once", []string{"start", "--name", name}},
		{"there is a service " + name + " already", []string{"install", "--name", name}},
		{"there is no service nobody", []string{"start", "--name", "nobody"}},
		{"there is no service nobody", []string{"stop", "--name", "nobody"}},
		{"there is no service nobody", []string{"uninstall", "--name", "nobody"}},
		{"there is no service nobody", []string{"status", "--name", "nobody"}},
	} {
		out, log, code := run(t, append([]string{"service"}, test.args...)...)
		if code != 1 || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, test.says) {
			t.Errorf("service %q: status %d, output %q, log %q; want 1, none, one line with %s", test.args, code, out, log, test.says)
		}
	}
}
