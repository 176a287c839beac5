package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/command"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/document"
	"github.com/pidometer/pidometer/internal/otlptest"
	"github.com/pidometer/pidometer/internal/scratch"
)

// binary is the real program, built once for all tests.
var binary struct {
	sync.Once
	path string
	err  error
}

// asProgram makes the test the program itself, where there is no go command to build it.
const asProgram = "PIDOMETER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	// A service gets no environment from whoever starts it.
	if os.Getenv(asProgram) != "" || len(os.Args) > 2 && os.Args[1] == "run" && os.Args[2] == "--service" {
		end := command.Main(command.System(), os.Args[1:])
		if end.Final != nil {
			end.Final()
		}
		os.Exit(end.Code)
	}
	code := m.Run()
	if binary.path != "" {
		os.RemoveAll(filepath.Dir(binary.path))
	}
	os.Exit(code)
}

// program builds the program, and skips where it has no backend to run on.
func program(t *testing.T) string {
	t.Helper()
	switch runtime.GOOS {
	case "linux":
	case "windows":
		t.Setenv(asProgram, "yes") // Wine has no go command
		path, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		return path
	default:
		t.Skip("no backend on " + runtime.GOOS)
	}
	binary.Do(func() {
		var dir string
		if dir, binary.err = os.MkdirTemp("", "pidometer"); binary.err != nil {
			return
		}
		os.Chmod(dir, 0o755) // another user runs it too
		path := filepath.Join(dir, "pidometer")
		build := exec.Command("go", "build", "-o", path, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			binary.err = errors.New(string(out))
		}
		binary.path = path
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

// run runs the program to its end.
func run(t *testing.T, args ...string) (out, log string, code int) {
	t.Helper()
	path := program(t) // before the time runs: on a cold machine it takes minutes to build
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, path, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), c.ProcessState.ExitCode()
}

// Bad input costs one line that says what and how to mend it, and status 2.
func TestBadInput(t *testing.T) {
	empty := scratch.Dir(t)
	rooted := "proc"
	if runtime.GOOS == "windows" {
		rooted = "leave the root out"
	}
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"once", "--bogus"}, "-bogus"},
		{[]string{"bogus"}, "there are once, inspect, cpus, events, run, service"},
		{[]string{"once", "extra"}, "no argument"},
		{[]string{"once", "--metrics", "system.cpu.tim"}, `"system.cpu.time"`},
		{[]string{"once", "--metrics", "nothing.*"}, "no metric matches"},
		{[]string{"run", "--metrics", "bogus"}, "no metric matches"},
		{[]string{"once", "--format", "xml"}, "table, json and otlp"},
		{[]string{"once", "--processes", "some"}, "top, all, self and none"},
		{[]string{"once", "--root", filepath.Join(empty, "missing")}, "missing"},
		{[]string{"once", "--root", empty}, rooted},
		{[]string{"run", "--root", empty}, rooted},
		{[]string{"run", "--otlp", "ftp://host"}, "http://"},
		{[]string{"run", "--otlp", "http://host:port"}, "port"},
		{[]string{"run", "--identity", "both"}, "neither point nor resource"},
		{[]string{"run", "--interval", "-1s"}, "above zero"},
		{[]string{"run", "--interval", "0s"}, "above zero"},
		{[]string{"run", "--interval", "15"}, "15s"},
		{[]string{"service"}, "install, uninstall, start, stop or status"},
		{[]string{"service", "remove"}, "install, uninstall, start, stop and status"},
		{[]string{"service", "install", "--name", ""}, "--name"},
		{[]string{"service", "install", "--interval", "15"}, "15s"},
		{[]string{"service", "status", "extra"}, "no argument"},
		{[]string{"inspect", "service"}, "the name of a service"},
	} {
		out, log, code := run(t, test.args...)
		if code != 2 || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, test.says) {
			t.Errorf("pidometer %s: status %d, output %q, log %q; want 2, none, one line with %s",
				strings.Join(test.args, " "), code, out, log, test.says)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"once", "--help"}, {"run", "-h"}, {"version"}, {"metrics"}} {
		if out, log, code := run(t, args...); code != 0 || out == "" || log != "" {
			t.Errorf("pidometer %v: status %d, output %q, log %q", args, code, out, log)
		}
	}
}

func TestOnceTable(t *testing.T) {
	out, log, code := run(t)
	for _, want := range []string{"host ", "cpu ", "memory ", "EXECUTABLE", "(all others)", "pidometer"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code != 0 || log != "" {
		t.Errorf("status %d, log %q", code, log)
	}
	for line := range strings.Lines(out) {
		if strings.HasSuffix(line, " \n") {
			t.Errorf("a line ends in a space: %q", line)
		}
	}
}

func TestOnceJSON(t *testing.T) {
	out, _, code := run(t, "once", "--format", "json", "--processes", "all")
	var doc document.Once
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil || code != 0 || strings.Count(out, "\n") != 1 {
		t.Fatalf("status %d, error %v, %d lines", code, err, strings.Count(out, "\n"))
	}
	if doc.Schema != document.Schema || doc.Resource["host.name"] == nil || time.Since(doc.Time) > time.Minute {
		t.Errorf("schema %q, resource %v, time %v", doc.Schema, doc.Resource, doc.Time)
	}
	names := []string{}
	for _, m := range doc.Metrics {
		names = append(names, m.Name)
		for _, p := range m.Points {
			if (m.Kind == "counter") != (p.Start != nil) {
				t.Errorf("%s: a %s with start %v", m.Name, m.Kind, p.Start)
			}
		}
	}
	least := 25
	if runtime.GOOS == "windows" {
		least = 20 // Wine has no counters of disks and page files
	}
	if !slices.IsSorted(names) || len(names) < least {
		t.Errorf("metrics %v", names)
	}
}

func TestOnceOTLP(t *testing.T) {
	out, _, code := run(t, "once", "--format", "otlp", "--processes", "all", "--metrics", "system.cpu.utilization")
	request := new(collector.ExportMetricsServiceRequest)
	if err := protojson.Unmarshal([]byte(out), request); err != nil || code != 0 || strings.Count(out, "\n") != 1 {
		t.Fatalf("status %d, error %v, %d lines", code, err, strings.Count(out, "\n"))
	}
	found := map[string]bool{}
	otlptest.Walk([]*otlptest.Request{request}, func(_ *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, m *metrics.Metric) {
		found[m.GetName()] = true
	})
	for _, want := range []string{"process.cpu.time", "system.memory.usage", "system.cpu.utilization"} {
		if !found[want] {
			t.Errorf("no %s", want)
		}
	}
}

// sidecar is a running pidometer.
type sidecar struct {
	*exec.Cmd
	log   *lines
	begun time.Time
}

// lines is a log that a test may read while it grows.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t *testing.T, c *exec.Cmd) *sidecar {
	t.Helper()
	s := &sidecar{Cmd: c, log: &lines{}, begun: time.Now()}
	c.Stdout, c.Stderr = io.Discard, s.log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.ProcessState == nil {
			c.Process.Kill()
			c.Wait()
		}
		if t.Failed() {
			t.Logf("the sidecar says:\n%s", s.log)
		}
	})
	return s
}
