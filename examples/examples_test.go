package examples_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// goCommand runs the go command on this module.
func goCommand(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// program builds an example and returns it, ready to start, with a deadline.
func program(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skipf("no backend for %s yet", runtime.GOOS)
	}
	file := filepath.Join(t.TempDir(), name)
	goCommand(t, "build", "-o", file, "./"+name)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, file)
}

// output runs an example to its end and returns what it prints.
func output(t *testing.T, name string) string {
	t.Helper()
	cmd := program(t, name)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%s: %v\n%s", name, err, &complaints)
	}
	return string(out)
}

func TestLibrary(t *testing.T) {
	out := output(t, "library")
	for _, want := range []string{`^library, PID \d+, since 20`, `(?m)^rss [1-9]\d{5,} bytes$`, `(?m)^cpu [\d.]+m?s$`} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("printed, without %s:\n%s", want, out)
		}
	}
}

func TestService(t *testing.T) {
	seen := map[string]bool{}
	lines := json.NewDecoder(strings.NewReader(output(t, "service")))
	for lines.More() {
		var scope struct {
			Scope   struct{ Name string }
			Metrics []struct{ Name string }
		}
		if err := lines.Decode(&scope); err != nil {
			t.Fatal(err)
		}
		for _, m := range scope.Metrics {
			seen[m.Name] = true
		}
	}
	for _, name := range []string{"requests", "process.cpu.time", "process.memory.usage", "system.cpu.time"} {
		if !seen[name] {
			t.Errorf("%s is not among %v", name, seen)
		}
	}
}

// The first data comes at once, the last after the signal, and the status says
// that it was one.
func TestSidecar(t *testing.T) {
	receiver := otlptest.Start(t)
	sidecar := program(t, "sidecar")
	sidecar.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+receiver.Addr,
		"OTEL_METRIC_EXPORT_INTERVAL=3600000")
	sidecar.Stderr = os.Stderr
	if err := sidecar.Start(); err != nil {
		t.Fatal(err)
	}
	first := receiver.WaitFor(t, "first pass", otlptest.AtLeast(1))
	for _, name := range []string{"process.memory.usage", "system.uptime"} {
		if len(otlptest.Numbers(first, name)) == 0 {
			t.Errorf("the first pass has no %s", name)
		}
	}
	checkResource(t, first)
	if err := sidecar.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := sidecar.Wait()
	if len(receiver.Requests()) <= len(first) {
		t.Error("no last pass came")
	}
	if err == nil || err.Error() != "signal: terminated" {
		t.Errorf("the sidecar ended with %v", err)
	}
}

func checkResource(t *testing.T, requests []*otlptest.Request) {
	t.Helper()
	keys := map[string]bool{}
	otlptest.Walk(requests, func(r *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, _ *metrics.Metric) {
		for _, attr := range r.Resource.Attributes {
			keys[attr.Key] = true
		}
	})
	for _, key := range []string{"host.name", "os.type", "service.name"} {
		if !keys[key] {
			t.Errorf("the resource lacks %s: %v", key, keys)
		}
	}
}

var snippet = regexp.MustCompile("(?ms)^```go\n(package main\n.*?)^```$")

// The programs in the README are programs.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := snippet.FindAllSubmatch(readme, -1)
	if len(programs) == 0 {
		t.Fatal("the README shows no program")
	}
	for i, found := range programs {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("readme%d.go", i+1))
		if err := os.WriteFile(file, found[1], 0o644); err != nil {
			t.Fatal(err)
		}
		goCommand(t, "vet", file)
	}
}
